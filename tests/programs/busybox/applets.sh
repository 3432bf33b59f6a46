#!/bin/bash
# within: 1800
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
# Everything in busybox/testsuite, each result by its name; a name that comes twice is numbered.
cp -r /busybox bb && cp /bin/busybox bb/ && cd bb/testsuite || exit 1
export SKIP_KNOWN_BUGS=y LANG=C.UTF-8 LC_ALL=C.UTF-8 SKIP_INTERNET_TESTS=y ECHO=/bin/echo
for applet in $(../busybox --list | sort -u) busybox; do
	[ -e "$applet.tests" ] || [ -d "$applet" ] || continue
	timeout -k 5 120 ./runtest -v "$applet" </dev/null 2>&1 | sed -E "s/^(PASS|FAIL|SKIPPED|UNTESTED): /&$applet: /"
done | gawk '/^(PASS|FAIL|SKIPPED|UNTESTED): / {n = ++seen[$0 ~ /^[A-Z]+: / ? substr($0, index($0, ":")) : ""]; if (n > 1) $0 = $0 " #" n} {print; fflush()}'
