#!/bin/sh
# within: 300
# Go: its own program (works.go), and two of Debian's written in Go.
/go
echo "status $?"
/go deadlock 2>&1 | head -1
GOMAXPROCS=16 GODEBUG=asyncpreemptoff=0 /go | tail -1
seq 10000 | fzf --filter '99 ^9' | tail -3
export RESTIC_PASSWORD=secret HOME=/tmp
restic init -r repo -q && restic backup -r repo -q /usr/bin/bash /etc
restic check -r repo -q && restic restore -r repo -q latest --target back
diff -r --no-dereference /etc back/etc && echo same
