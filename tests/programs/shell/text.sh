#!/bin/bash
# smoke:
# Text tools: grep, sed, gawk, sort, cut, tr, join, comm, diff, printf, date of a given time.
seq 1 1000 >n
grep -c 7 n; grep -nE '^(9|99|999)$' n; grep -v 1 n | wc -l; grep -q nothing n; echo $?; grep x nowhere; echo $?
printf 'Hello World\nhello there\n' | grep -io 'h[a-z]*'; echo 'aXbXc' | grep -P '(?<=X)b' ; grep -rl 99 . ; printf 'a\0b\n' | grep -c a
sed -n '5,7p;$p' n; sed -e 's/\(.\)\(.\)$/\2\1/' n | tail -2; sed -i.bak 's/^5$/five/' n; cmp n n.bak; sed '1!G;h;$!d' <<<$'x\ny\nz'
gawk '{s += $1; if ($1 % 250 == 0) print NR, s} END {printf "%d %.3f\n", s, s / NR}' n
gawk 'BEGIN {while (("seq 3" | getline x) > 0) print "got", x; close("seq 3"); print strftime("%Y", 0, 1); "echo a b" | getline; print $2; print (length(ENVIRON["PATH"]) > 0); print toupper("abc"), substr("hello", 2, 3), match("foobar", /o+/), RSTART, RLENGTH; n = split("a:b:c", p, ":"); print n, p[3]; print (systime() > 0 ? "time" : "no"); print "to a pipe" | "cat 1>&2"; close("cat 1>&2"); exit 3}'; echo $?
gawk -F: '{print $1 "=" $3}' /etc/passwd; gawk 'BEGIN { cmd = "sort -r"; print "a\nb" |& cmd; close(cmd, "to"); while ((cmd |& getline l) > 0) print l; close(cmd) }'
sort -t: -k3,3n /etc/passwd | cut -d: -f1; sort -R n.bak | sort -n | cmp - n.bak; sort -u -k1,1 <<<$'b 1\na 2\nb 3'; sort --parallel=4 -S 1M -rn n.bak | head -1
tr -cd '0-4\n' <n | sort -u | head -5 | tr '\n' ' '; echo; join <(echo -e 'a 1\nb 2') <(echo -e 'a x\nb y'); comm -12 <(seq 1 5) <(seq 4 9); 
diff -u <(seq 1 5 | grep -v 3) <(seq 1 5) | tail -n +3; printf '%5d|%-5s|%x|%o|%e|%q\n' 42 ab 255 8 1.5 'a b'; printf '%b' 'tab\there\n'
date -u -d @1000000000 +'%F %T %a %j'; TZ=UTC+5 date -d '2020-02-29 12:00 UTC' +%c; LC_ALL=C cal 2 2020 2>/dev/null | head -1
fold -w 10 <<<'the quick brown fox jumps'; fmt -w 20 <<<'the quick brown fox jumps over'; nl <<<$'a\nb'; expand <<<$'a\tb'; rev <<<abc; column -t <<<$'a bb\nccc d'
head -c 30 n | od -c | head -2; wc n; tail -n +998 n; tac n | head -2; shuf -i 1-10 | sort -n | tr '\n' ,; echo; seq -s, 1 .5 3; factor 1234567890 97; expr 7 \* 6; expr abc : 'a\(.\)'
base64 <<<hello | base64 -d; hexdump -C <<<hello; numfmt --to=iec 1048576; tsort <<<$'a b\nb c'; ptx <<<x >/dev/null; csplit -s n '/^500$/' && wc -l xx00; echo "$(( 2**40 )) $((16#ff)) ${RANDOM:+r}"
x=hello.tar.gz; echo ${x%%.*} ${x#*.} ${x/l/L} ${x^^} ${#x} ${x:2:3}; declare -A m=([a]=1 [b]=2); echo ${m[b]} ${#m[@]}; a=(1 2 3); echo "${a[@]:1}"; [[ abc =~ ^(a)(b) ]] && echo ${BASH_REMATCH[2]}; echo {a,b}{1,2} ~root; select_() { local IFS=,; echo "$*"; }; select_ 1 2 3; getopts ab: o -b val; echo $o $OPTARG; mapfile -t L <n.bak; echo ${#L[@]}; read -r -d '' -a W <<<'p q'; echo ${W[1]}; printf -v V %03d 7; echo $V; 
shopt -s extglob nullglob
echo !(n*|xx*)  none*
 tail -f n --pid=$$ -n1 & sleep 0.3; echo added >>n; sleep 1.5; kill $!; wait $! 2>/dev/null; cat -A <<<$'é\t\x01'; echo "${x@Q}"; unset x; echo "${x:-unset}"; : "${x:?must be}"
