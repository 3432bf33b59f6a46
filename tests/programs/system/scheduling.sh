#!/bin/bash
# within: 120
# mask: failed to set pid \d+
# mask: line \d+: +\d+ Killed
# mask: scheduling.sh \(\d+\)
# mask: (?:real|user|sys) [\d.]+$
# How processes are scheduled and limited: taskset, chrt, ionice, nice, renice, prlimit, ulimit,
# uclampset, setarch, setsid, coresched's absence.
source /tests/system/words.bash

# taskset
taskset -p $$ | pid
taskset -cp $$ | pid
taskset -c 1 sh -c '
	taskset -cp $$
	nproc
	ps -o psr= -p $$
	grep Cpus_allowed_list /proc/self/status' | pid
taskset 0x1 nproc
taskset -c 0,1 nproc
result taskset -c 7 true
result taskset -p 99999
taskset -ap 1 $$ | pid
nproc
taskset -acp 0-1 $$ | pid

# chrt
chrt -p $$ | pid
for p in -f -r; do
	chrt $p 5 chrt -p 0 | pid
done
chrt -b 0 sh -c 'chrt -p $$' | pid
chrt -i 0 sh -c 'chrt -p $$' | pid
chrt -o 0 sh -c 'chrt -p $$' | pid
chrt -m
result chrt -f 100 true
result chrt -f 0 true
chrt -R -f 3 sh -c 'chrt -p $$; sh -c "chrt -p \$\$"' | pid
chrt -a -p $$ | pid

# ionice
ionice
ionice -p $$
ionice -c 2 -n 3 ionice
ionice -c 3 ionice
ionice -c 1 -n 0 ionice
ionice -c 0 ionice
result ionice -c 2 -n 9 true
result ionice -p 99999
ionice -c idle -t true
ionice -P $$

# nice, renice
nice
nice nice
nice -n 19 nice
nice -n 100 nice
nice -n -5 nice
nice -n -100 nice
nice -n 5 nice -n 5 nice
sleep 1000 &
renice 5 $! | pid
renice -n -3 -p $! | pid
renice -n 2 -u user | cut -d' ' -f2-
renice -n 1 -g $(ps -o pgid= -p $!) | cut -d' ' -f2-
ps -o ni= -p $!
result renice -n 5 -p 99999
kill $!
as_user nice -n -5 nice
as_user sh -c 'renice -n 5 -p $$; renice -n 0 -p $$' 2>&1 | pid |
	sed 's/for [0-9]*/for N/'

# prlimit, ulimit
prlimit | awk '{print $1}'
prlimit -o RESOURCE,SOFT,HARD --nofile --core --stack --memlock --rtprio --nice --rttime \
	--locks --msgqueue --fsize --cpu --as --data --rss
prlimit --nofile=50:60 sh -c 'ulimit -n; ulimit -Hn; ulimit -n 70; ulimit -n 55; ulimit -n'
sleep 1000 &
prlimit --pid $! --nofile=30:40
prlimit --pid $! --nofile -o SOFT,HARD --noheadings
grep 'open files' /proc/$!/limits
kill $!
prlimit --cpu=1 sh -c 'while :; do :; done'
echo $?
prlimit --fsize=1000 sh -c 'head -c 2000 /dev/zero >big'
echo $?
stat -c %s big
prlimit --as=20000000 sh -c 'head -c 100M /dev/zero | tail -c 100M | wc -c' 2>&1 | tail -1 |
	tr -d '\0' | cut -c1-60
prlimit --nofile=5:3 true
echo $?
prlimit --nproc=1 setpriv --reuid 1000 --clear-groups sh -c 'true | true; echo $?' 2>&1 | tail -1
ulimit -a | sed -E 's/ +/ /g' | grep -v -E 'pending|processes'

# setarch
setarch -R sh -c 'cat /proc/self/personality'
setarch -v -R true 2>&1 | head -1
linux64 uname -m
linux32 uname -m
setarch --uname-2.6 x86_64 uname -r | cut -d. -f1,2
uname26 uname -r | cut -d. -f1,2
for i in 1 2; do
	setarch -R sh -c 'grep -m1 stack /proc/self/maps' | cut -d- -f1 | sed 's/.*\(....\)$/\1/'
done | sort -u | wc -l

# setsid, nohup, uclampset, stdbuf, time
setsid sh -c '
	ps -o sid=,pgid=,tpgid=,tty= -p $$ |
		awk -v p=$$ "{print \$1 == p, \$2 == p, \$3, \$4}"'
setsid -f sh -c 'echo forked >f'
until_true grep forked f
cat f
result setsid -w sh -c 'exit 7'
nohup sh -c 'kill -HUP $$; echo survived' 2>/dev/null
cat nohup.out 2>/dev/null
uclampset -p $$ 2>&1 | pid | sed 's/utilization.*//' | head -1
env -i nice -n 3 nice
stdbuf -o0 echo unbuffered
time -p true 2>&1 | cut -d' ' -f1
bash -c 'time sleep 0.1' 2>&1 | grep -c real
coresched 2>&1 | tail -1 | cut -d: -f2-
