#!/bin/bash
# script, scriptreplay and scriptlive: sessions in a pty, their recordings with times, statuses and signals.
# within: 120
# mask: Script (started|done) on .*
script -qec 'tty | sed s/[0-9]*$/N/; stty size; echo in the session' log </dev/null; echo "status $?"; cat -A log | grep -v '^Script'
script -qec 'exit 5' /dev/null </dev/null; echo "exit $?"; script -qec 'kill -TERM $$' /dev/null </dev/null; echo "killed $?"; script -qec 'sleep 0.3; kill -KILL $$' /dev/null </dev/null; echo "killed $?"
script -c 'echo header' log </dev/null >/dev/null; sed -E 's/ on .*\[/ on TIME [/; s/TTY="[^"]*"/TTY/' log | head -2 | cut -d'[' -f1; tail -1 log | grep -c 'COMMAND_EXIT_CODE="0"'
script -qec 'echo one; sleep 0.3; echo two' --log-timing times --log-out out </dev/null >/dev/null; scriptreplay --timing times --log-out out -d 10; awk 'NF >= 2 {print ($2 > 0)}' times | sort -u; scriptreplay -t times -O out -m 0.1 | cat -A
printf 'echo typed $((6*7))\nstty -a | grep -o "isig\\|icanon\\|-echo" | sort\nexit 3\n' | script -q -E never -c 'PS1= bash --norc --noprofile -i' typed >shown 2>&1; echo "status $?"; grep -ac 'typed 42' shown
script -q -a -c 'echo appended' log </dev/null >/dev/null; grep -c 'header\|appended' log; script -q -o 100 -c 'yes' limited </dev/null >/dev/null 2>&1; echo "limited $?"; stat -c %s limited | awk '{print ($1 >= 100 && $1 < 20000)}'
script -qc 'yes line | head -n 20000' big </dev/null | wc -l; grep -ac 'line' big; script -qc 'head -c 200000 /dev/zero | tr "\0" x' big </dev/null | wc -c
script -qfc 'echo flushed; sleep 5' flush </dev/null >/dev/null & sleep 1; grep -ac flushed flush; kill $!; wait $!; echo "terminated $?"
script -qec "script -qec 'tty | sed s/[0-9]*\$/N/; exit 6' /dev/null; echo inner \$?; exit 7" nested </dev/null; echo "outer $?"; grep -ac inner nested
script -qec 'ps -o tty=,stat=,comm= -t $(tty | cut -c6-) | sed "s/pts.[0-9]*/pts-N/" | sort' /dev/null </dev/null; script -qec 'setsid -w sh -c "cat </dev/tty" 2>&1 | sed "s/^[^:]*: *[0-9]*: //"' /dev/null </dev/null
script -q -I in -O out -T t -c 'read a; echo "got $a"; read b; echo "got $b"' <<<$'first\nsecond' >/dev/null; cat -A out | grep -a got; grep -ac . t | awk '{print ($1 > 2)}'; mkfifo f; script -qc cat f2 <f >seen & exec 5>f; echo through >&5; sleep 0.5; printf '\004' >&5; exec 5>&-; wait $!; echo "cat $?"; grep -ac through seen
