#!/bin/bash
# screen as people drive it from scripts: sessions, windows, splits, copy, detach and attach in a pty, a dead session.
# within: 240
export TERM=vt100 LC_ALL=C.UTF-8 SCREENDIR=/tmp/screens
mkdir -m 700 $SCREENDIR
printf 'startup_message off\nvbell off\ndefscrollback 100\n' >rc
s() { screen -S test "$@"; }
until_seen() { # TEXT WINDOW
	for _ in $(seq 30); do
		s -p "$2" -X hardcopy /tmp/copy
		grep -qF "$1" copy 2>/dev/null && return
		sleep 0.1
	done
	echo "never seen: $1"
	cat copy
}
screen -c rc -dmS test bash --norc --noprofile; sleep 1
screen -ls | sed -E 's/[0-9]+\.test/N.test/; s/\(.*(Detached|Attached)\)/(\1)/'
s -p 0 -X stuff $'PS1="% "; clear; stty size; echo he""llo\n'; until_seen hello 0; sed '/^$/d' copy
s -X screen -t second sh -c 'seq 1 5; exec cat'; until_seen 5 second
s -p second -X stuff $'typed\n'; until_seen typed second; sed '/^$/d' copy
s -Q windows 2>&1 | sed 's/  */ /g'; echo; s -p 0 -Q title; echo
s -p 0 -X stuff $'clear; sleep 100\n'; sleep 1; s -p 0 -X stuff $'\032'; until_seen Stopped 0; s -p 0 -X stuff $'fg\n'; sleep 0.5; s -p 0 -X stuff $'\003'; s -p 0 -X stuff $'echo sta""tus $?\n'; until_seen 'status 130' 0
s -p 0 -X stuff $'clear; tput cup 5 10; tput rev; echo bold; tput sgr0; tput cup 0 0; echo do""ne\n'; until_seen done 0; cat -s copy | head -8
s -p 0 -X log on; s -p 0 -X logfile /tmp/log; s -X register a 'pasted text'; s -p second -X paste a; s -p second -X stuff $'\n'; until_seen 'pasted text' second
cat >attach.exp <<'END'
set timeout 20
log_user 0
spawn -noecho screen -c rc -r test
sleep 1
send "\001" ; send "0"
send "clear; stty size; echo atta\"\"ched\r"
expect "attached" {puts "attached"} timeout {puts "not attached: $expect_out(buffer)"}
stty rows 30 columns 100 < $spawn_out(slave,name)
sleep 0.7
send "clear; stty size; echo res\"\"ized\r"
expect -re {(\d+ \d+)\s+resized} {puts "now $expect_out(1,string)"}
send "\001S\001\t\0011"; sleep 0.5
send "\001Q"; sleep 0.3
send "\001d"
expect "detached" {puts "detached"} timeout {puts "not detached"}
expect eof
puts "status [lindex [wait] 3]"
spawn -noecho screen -c rc -r test
sleep 1
close; wait; sleep 1
END
expect attach.exp
screen -ls | sed -E 's/[0-9]+\.test/N.test/; s/\(.*(Detached|Attached)\)/(\1)/'
screen -ls nosuch; echo "ls $?"; screen -r nosuch 2>&1; s -p second -X kill; sleep 0.5; s -Q windows | wc -w
screen -dm -S other -c rc sleep 1000; sleep 0.7; screen -ls | grep -c Detached; pkill -9 -x sleep; sleep 0.7; screen -ls | grep -c Detached
screen -D -m -S front -c rc sh -c 'tty | sed "s/[0-9]*$/N/" >out; stty size >>out; exit 4'; echo "front $?"; cat out
pid=$(screen -ls | grep -o '[0-9]*\.test' | cut -d. -f1); kill -9 "$pid"; sleep 0.7; screen -wipe | sed -E 's/[0-9]+\.test/N.test/; s/\(.*(Dead|Removed).*\)/(\1)/'; pgrep -c bash
