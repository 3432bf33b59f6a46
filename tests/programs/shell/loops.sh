#!/bin/sh
# smoke:
# Loops, arithmetic, functions and here-documents of dash.
i=0
while [ $i -lt 5 ]; do
	i=$((i + 1))
	case $i in
	3) continue ;;
	esac
	echo "line $i"
done | sed 's/line/row/' | tac
fact() { [ "$1" -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }
fact 10
cat <<END | tr a-z A-Z
here $(echo document) in $PWD of $0
END
exec 3>file
echo three >&3
exec 3>&-
cat file nothere
echo "status $?"
sh -c 'kill -TERM $$'
echo "status $?"
exit 7
