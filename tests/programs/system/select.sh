#!/bin/bash
# within: 120
# mask: line \d+: +\d+ Killed
# Finding processes and signalling them: pgrep, pkill, pidof, killall, pidwait, pstree, skill, snice.
source /tests/system/words.bash
for n in 1 2 3; do
	(exec -a "worker-$n" sleep 1000) &
done
until_true pgrep -f '^worker-3'
first=$(pgrep -f worker-1)
(exec -a "worker-late" sleep 1000) &
until_true pgrep -f '^worker-late'

# pgrep by pattern
pgrep -fc 'worker-[123]'
pgrep -fl worker-2 | cut -d' ' -f2-
pgrep -fa worker-3 | cut -d' ' -f2-
pgrep -fn worker | grep -qx "$!" && echo newest

# By parent, user, session, group, state
pgrep -P $$ -c sleep
pgrep -u root -xc sleep
pgrep -U user sleep
echo "none $?"
pgrep -s 0 -c sleep
pgrep -g 0 -c sleep
pgrep -vc nothing | more_than 3
pgrep -d: sleep | tr -cd :
echo
pgrep -r S -c sleep
pgrep -r Z -c .
pgrep '[' 2>&1 | head -1
pgrep -O 1000 sleep
echo "older $?"

# pidof
pidof sleep | wc -w
pidof -s sleep | wc -w
pidof -o %PPID bash | wc -w
pidof -x select.sh | wc -w
result pidof nothing

# pkill, and what it stops and continues
pkill -STOP -f worker-1
ps -o stat= -p "$first" | cut -c1
pkill -CONT -f worker-1
until_true sh -c "ps -o stat= -p $first | grep ^S"
ps -o stat= -p "$first" | cut -c1

# pidwait
pidwait -f worker-1 &
until_true sh -c "ls -l /proc/$!/fd | grep pidfd"
pkill -TERM -f '^worker-1' # not pidwait, whose argument it is
wait $!
echo "pidwait $?"
pkill -f worker-1
echo "none left $?"
pkill -ce -f worker-2 | sed 's/pid [0-9]*/pid N/'
pkill --signal 0 -fc worker-3
pkill --queue 7 -f worker-3
until_true sh -c '! pgrep -f ^worker-3'
result pgrep -f worker-3

# killall
result killall -0 sleep
killall -v sleep 2>&1 | sed 's/([0-9]*)/(N)/'
until_true sh -c '! pgrep -x sleep'
result killall sleep 2>&1
killall -l | head -1 | cut -c1-12

# renice, snice, skill; the shell's own words about what was killed are not compared
exec 5>&2 2>/dev/null
sleep 1000 &
renice -n 5 -p $! | sed 's/[0-9]* (/N (/'
ps -o ni= -p $!
snice +7 $! >/dev/null 2>&1
ps -o ni= -p $!
skill -KILL $!
result wait $!
exec 2>&5

# pstree
sh -c 'sleep 1000 & sleep 1000 & wait' &
until_true sh -c "test \$(pgrep -cP $!) = 2"
pstree -A $!
pstree -Aa $! | sed 's/ -c .*//'
pstree -Ap $! | sed -E 's/\([0-9]+\)/(N)/g; s/^ +/ /'
pstree -As $! | grep -c init
pstree -Au $!
pstree -AT 1 | head -1 | cut -c1-4
pkill -P $!
wait $! 2>/dev/null
echo $?

# tail --pid, timeout
sleep 0.3 &
tail --pid=$! -f /dev/null
echo tail $?
timeout 0.2 sleep 5
echo timeout $?
{ timeout -s KILL 0.2 sleep 5; echo $?; } 2>/dev/null
{ timeout -k 1 1 sh -c 'trap "" TERM; sleep 9'; echo $?; } 2>/dev/null

# pwdx, prtstat, kill
pwdx $$ | sed 's/^[0-9]*/N/'
prtstat $$ 2>/dev/null | awk -F: 'NF > 1 && /State|Process:|Threads/ {print $1}' | head -4
kill -L | head -1 | cut -c1-12
kill --table 2>/dev/null | head -1 | cut -c1-6
result /bin/kill -s 0 $$
result /bin/kill -p sleep
