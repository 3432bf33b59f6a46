#!/bin/bash
# htop under tmux: what it shows of this machine, its tree, search, kill and setup; and less of a growing file.
# within: 180
export TERM=screen LC_ALL=C.UTF-8 HOME=/tmp
t() { tmux -L test -f /dev/null "$@"; }
until_seen() {
	for _ in $(seq 100); do
		t capture-pane -p | grep -qE "$1" && return
		sleep 0.1
	done
	echo "never seen: $1"
	t capture-pane -p
}
(exec -a the-victim sleep 1000) & victim=$!
t new-session -d -s main -x 100 -y 30 'htop -d 10 --no-unicode'; until_seen 'F10Quit'; until_seen 'Load average'
t capture-pane -p | grep -oE 'Mem\[|Swp\[|Tasks: |Load average: |Uptime: |F1Help|F9Kill|PID +USER +PRI +NI +VIRT' | sed 's/  */ /g' | sort -u
t capture-pane -p | grep -cE '^ +[0-9] *\['; t capture-pane -p | awk '/[t]he-victim/ {print $2, $3, $4, $8}'
t send-keys t; sleep 1.5; t capture-pane -p | grep -c -- '[`|]- ' | awk '{print ($1 > 0)}'; t send-keys t; sleep 1
t send-keys /; t send-keys the-victim; sleep 1; t send-keys Enter; sleep 0.5; t send-keys F9; until_seen 'SIGTERM'; t send-keys Enter; wait $victim; echo "victim $?"
t send-keys H; t send-keys K; t send-keys M; sleep 1; t send-keys F2; until_seen 'Categories|Setup|Meters'; t send-keys Escape; sleep 1
t send-keys l; sleep 1.5; t send-keys Escape; sleep 1; t send-keys e; sleep 1; t send-keys Escape; sleep 1
t send-keys q; sleep 1; t ls 2>&1 | cut -d' ' -f1-3
for i in 1 2 3; do echo "line $i"; done >grows; t new-session -d -s main -x 40 -y 8 'less +F grows'; until_seen 'line 3'; echo "line 4" >>grows; until_seen 'line 4'; t send-keys C-c; sleep 0.5; t send-keys q; sleep 0.5; t ls 2>&1 | cut -d' ' -f1-3
