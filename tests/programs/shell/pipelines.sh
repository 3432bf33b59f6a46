#!/bin/bash
# smoke:
# Pipelines of bash: status of each part, SIGPIPE, process substitution, coprocesses, redirections.
set -o pipefail
seq 1 100000 | head -3
echo "status ${PIPESTATUS[*]}"
yes | head -c 20000 | wc -c
echo "status ${PIPESTATUS[*]}"
false | true
echo "pipefail $?"
diff <(seq 1 5) <(seq 2 6)
echo "diff $?"
paste <(printf '%s\n' a b c) <(printf '%s\n' 1 2 3) | tee copy | cat
wc -l <copy
sleep 0.1
coproc WORK { while read -r line; do echo "got $line"; done; }
echo one >&"${WORK[1]}"
read -r answer <&"${WORK[0]}"
echo "$answer"
pid=$WORK_PID # bash forgets it as soon as it sees the end
eval "exec ${WORK[1]}>&-"
wait "$pid"
echo "coproc $?"
{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/only /'
exec 5<>both
echo hello >&5
cat both
exec 5>&-
dd if=/dev/zero bs=1024 count=300 2>/dev/null | md5sum
seq 1 20000 | sort -rn | uniq | sort -n | tail -1
mkfifo pipe
(sleep 0.05; echo through the fifo >pipe) &
cat pipe
wait
echo $(< /proc/sys/kernel/ostype) $(echo nested $(echo deeper))
printf '%s\n' {1..5} | xargs -n2 echo group
printf 'a b\0c d\0' | xargs -0 -I{} echo "<{}>"
for i in 1 2 3; do (exit $i) & done
wait
echo "wait $?"
true | { read -r x || echo nothing; }
ulimit -n 50; ulimit -n
