#!/bin/bash
# smoke:
# mask: line \d+: +\d+
# Signals and traps: which run, in what order, and how processes end.
trap 'echo EXIT trap, status $?' EXIT
trap 'echo got USR1' USR1
trap 'echo got TERM' TERM
kill -USR1 $$
kill -TERM $$
sh -c 'trap "echo child trap; exit 3" INT; kill -INT $$; sleep 1'
echo "status $?"
sleep 10 &
pid=$!
sleep 0.3 # until it is sleep: before, it is a shell with our traps
kill -STOP $pid
kill -0 $pid && echo stopped but there
kill -CONT $pid
kill $pid
wait $pid
echo "status $?"
for sig in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM USR1 USR2; do
	(ulimit -c 0; trap - $sig; kill -$sig $BASHPID) 2>/dev/null
	echo "$sig $?"
done
(trap '' HUP; sh -c 'kill -HUP $$; echo survived what is ignored')
( sleep 0.2; kill -USR1 $$ ) &
wait $!
echo "wait $?"
sleep 0.5 & other=$!
( sleep 0.1; kill -USR1 $$ ) &
wait $other
echo "interrupted wait $?"
wait
trap 'echo ERR at $LINENO' ERR
false
trap - ERR
trap 'echo child ended' CHLD
/bin/true
/bin/true & wait
trap - CHLD
timeout 0.2 sleep 5
echo "timeout $?"
timeout -s KILL 0.2 sleep 5
echo "timeout -s KILL $?"
timeout --preserve-status -s INT 0.2 sleep 5
echo "timeout --preserve-status $?"
trap
exit 5
