#!/bin/bash
# tmux as people drive it from scripts: sessions, panes, keys, capture, resize, a client in a pty.
# within: 240
export TERM=screen LC_ALL=C.UTF-8
t() { tmux -L test -f /dev/null "$@"; }
until_seen() { # TEXT [TARGET]
	for _ in $(seq 100); do
		t capture-pane -p ${2:+-t "$2"} | grep -qF "$1" && return
		sleep 0.1
	done
	echo "never seen: $1"
	t capture-pane -p ${2:+-t "$2"}
}
t new-session -d -s main -x 80 -y 24 "bash --norc --noprofile"
t send-keys -t main 'PS1="% "; clear' Enter 'echo he""llo' Enter
until_seen hello main
t send-keys -t main 'stty size; echo do""ne' Enter
until_seen done main
t capture-pane -p -t main | sed '/^$/d'
t split-window -h -t main "bash --norc --noprofile"
t send-keys -t main.1 'PS1="% "; clear; stty size; echo rig""ht' Enter
until_seen right main.1
t capture-pane -p -t main.1 | sed '/^$/d'
t list-panes -t main -F '#{pane_index} #{pane_width}x#{pane_height} #{pane_current_command} #{pane_active}'
t send-keys -t main.1 'sleep 100' Enter; sleep 0.5
t list-panes -t main -F '#{pane_current_command}'
t send-keys -t main.1 C-z; until_seen Stopped main.1
t send-keys -t main.1 'fg' Enter; sleep 0.3; t send-keys -t main.1 C-c; sleep 0.2
t send-keys -t main.1 'echo sta""tus $?' Enter; until_seen 'status 130' main.1
t resize-pane -t main.0 -x 20; t send-keys -t main.0 'clear; stty size; echo res""ized' Enter; until_seen resized main.0
t capture-pane -p -t main.0 | sed '/^$/d'
t new-window -t main -n second "seq 1 5; exec cat"; until_seen 5 main:second
t send-keys -t main:second 'typed' Enter; until_seen typed main:second
t capture-pane -p -t main:second | sed '/^$/d'
t list-windows -t main -F '#{window_index} #{window_name} #{window_panes}'
t pipe-pane -t main:second -o 'cat >piped'; t send-keys -t main:second 'into the pipe' Enter; sleep 0.5; tr -d '\r' <piped
t set-buffer 'pasted text'; t paste-buffer -t main:second; t send-keys -t main:second Enter; until_seen pasted main:second
t run-shell 'echo from run-shell'; t if-shell true 'set -g @v yes'; t show -gv @v
t wait-for -S go & t wait-for go; wait; echo waited
(sleep 1.5; t detach-client -s main) &
script -qec 'tmux -L test attach -t main' attached </dev/null >/dev/null 2>&1; echo "attach $?"
wait
grep -ac 'detached' attached
t kill-window -t main:second; t list-windows -t main | wc -l
t kill-server; sleep 0.3; t ls 2>&1 | sed 's/(.*//; s/on .*//'; pgrep -c bash
