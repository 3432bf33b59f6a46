#!/bin/bash
# within: 120
# What memory is used: free, vmstat, pmap, slabtop, top; the shape, not the numbers.
source /tests/system/words.bash

# free
free | shape
free -m -t | shape
free -h -w | sed -E 's/[0-9.]+[KMG]i|\b0B/N/g; s/ +/ /g'
free -s 0.1 -c 2 | grep -c Mem
free -l | shape
free -v | shape
free -b | awk '$1 == "Mem:" {
	print ($2 > 100000000), ($3 + $4 + $6 <= $2 * 1.1), ($7 <= $2), ($4 <= $2)
}'

# vmstat and slabtop
vmstat | head -2
vmstat -a | sed -n 2p
vmstat 1 2 | wc -l
vmstat -s | shape
vmstat -m | head -1 | shape
vmstat -m | wc -l | more_than 20
vmstat -f | shape
vmstat -d 2>&1 | shape | head -2
vmstat -D 2>&1 | shape | head -3
vmstat -t -w | sed -n 2p
slabtop -o | sed -n '1,7p' | shape | cut -d: -f1
slabtop -o -s c | wc -l | more_than 20

# pmap
mapped() {
	grep -v total | awk '{print $NF}' | sort -u
}
pmap $$ | head -1 | shape
pmap $$ | mapped
pmap -x $$ | sed -n 2p
pmap -x $$ | tail -2 | shape
pmap -X $$ | sed -n 2p | shape | sed 's/ ProtectionKey//'
pmap -XX $$ | sed -n 2p | shape | sed 's/ ProtectionKey//'
pmap -d $$ | tail -1 | shape
pmap -q $$ | grep -c total
pmap -p $$ | mapped
result pmap 99999
pmap -A 0,1 $$ | wc -l
pmap -X $$ | tail -1 | awk '{print ($2 > 0)}'

# smaps and status
rows='Rss|Pss|Private_Dirty|Anonymous|Size|KernelPageSize|MMUPageSize|VmFlags|Locked'
rows+='|Shared_Clean|Referenced|Swap'
awk -v rows="^($rows)" '$1 ~ rows {print $1}' /proc/self/smaps | sort -u
awk '{print $1}' /proc/self/smaps_rollup | tail -n +2
awk '
	$1 == "VmHWM:" {h = $2}
	$1 == "VmRSS:" {r = $2}
	$1 == "RssAnon:" {a = $2}
	$1 == "RssFile:" {f = $2}
	$1 == "RssShmem:" {s = $2}
	END {print (h >= r), (a + f + s == r), (a > 0), (f + s > 0)}
' /proc/self/status

# choom
choom -p $$ | sed 's/pid [0-9]*/pid N/; s/score: [0-9]*/score: N/'
choom -n 500 -- choom -p self 2>&1 | head -1
choom -n 300 -- cat /proc/self/oom_score_adj

# Memory that comes and goes; swap
head -c 20M /dev/zero | tail -c 20M | (sleep 0.3; wc -c)
swapon --show
swapon -s
cat /proc/swaps | wc -l

# top
top -b -n 1 | head -7 | sed -E 's/up .*user/up USERS/; s/[0-9]+:[0-9]+:[0-9]+/TIME/' |
	sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g'
top -b -n 2 -d 0.2 | grep -c '^top'
top -b -n 1 -p $$ | tail -1 | awk '{print $2, $NF, NF}'
top -b -n 1 -H -p $$ | sed -n 2p | cut -d: -f1
top -b -n 1 -o RES | sed -n 7p | shape
top -b -n 1 -c -p $$ | tail -1 | awk '{print $12, $13}'
top -b -n1 -u user | wc -l
top -b -n1 -1 | grep -c '^%Cpu'
top -b -n1 -w 200 -e m -E g | sed -n 4p | shape

# tload, uptime
tload -V | cut -d' ' -f1
uptime | sed -E 's/^.*load/load/; s/[0-9]+\.[0-9]+/N/g'
uptime -p | cut -d' ' -f1
uptime -s | shape
