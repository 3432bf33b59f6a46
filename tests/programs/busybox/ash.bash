# The folders of tests of busybox' shell that match the pattern $1, and why those failed that did.
cp -r /busybox bb && cp /bin/busybox bb/ && cd bb/ash_test && ln -s ../busybox ash && cp ../.config . || exit 1
for folder in $1; do
	timeout -k 5 300 ./run-all "$folder" </dev/null 2>&1
done
head -n 20 *.fail 2>/dev/null
exit 0
