# liburing's tests whose names match the pattern $1, one after another: 0 passes, 77 skips (its own rule), and
# what takes longer than two minutes fails. An empty folder for each.
cd /tmp || exit 1
for path in /liburing/test/*; do
	name=${path##*/}
	[[ $name =~ ^($1)$ ]] || continue
	mkdir work && cd work || exit 1
	timeout -s KILL ${LIMIT:-120} "$path" </dev/null >../output 2>&1
	status=$?
	cd .. && rm -rf work
	case $status in
	0) echo "PASS $name" ;;
	77) echo "SKIP $name" ;;
	137) echo "FAIL $name"; echo "  took too long" ;;
	*) echo "FAIL $name"; echo "  status $status" ;;
	esac
	[ $status = 0 ] || tail -n 5 output | cut -c -200 | sed 's/^/  /'
done
exit 0
