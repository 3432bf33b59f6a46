#!/bin/sh
# within: 560
# The JVM: compiled, with each collector; memory that runs out; signals.
PATH=/usr/lib/jvm/java-17-openjdk-amd64/bin:$PATH
until_in() { for i in $(seq 300); do grep -q "$1" out 2>/dev/null && return; sleep 0.2; done; echo "no $1"; }
javac -d . /tests/runtimes/Works.java || exit
for gc in Serial Parallel G1 Z; do
	echo "== $gc"
	java -Xmx256m -XX:+Use${gc}GC Works
	echo "status $?"
done
java -Xint -Xmx64m Works memory 2>&1 | head -1
java Works wait > out & pid=$!
until_in ready
kill -QUIT $pid
until_in 'Full thread dump'
kill $pid; wait $pid
echo "status $?"
tail -1 out
