#!/bin/bash
# within: 120
# Threads: as ps, top, pidstat and /proc/PID/task show them (a program of threads: sort, with its own in a FIFO).
mkfifo in out
sort --parallel=4 -S 8M in >out & sorter=$!
seq 1 300000 >in & exec 3<out; read -r line <&3; echo "$line"
ps -L -p $sorter -o nlwp=,comm=,class= | sort -u | sed 's/^ *//'
ps -L -p $sorter -o pid=,lwp=,spid=,tid= | awk '{print $1 == '$sorter', $2 == $3, $3 == $4}' | sort -u
ls /proc/$sorter/task | wc -l; grep Threads /proc/$sorter/status
ps -eLf | awk -v p=$sorter '$2 == p {print $6, $9 != ""}' | sort -u
ps m -p $sorter -o comm= | head -2
exec 3<&-; wait
