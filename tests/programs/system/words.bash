# SPDX-License-Identifier: MIT
# Words for the tests here: `source /tests/system/words.bash`.

# Runs a command; prints its status on a line of its own.
result() {
	"$@"
	echo $?
}

# Keeps the shape of a table, not its numbers.
shape() {
	sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g; s/^ //; s/ $//'
}

# Process numbers as tools of util-linux print them.
pid() {
	sed -E 's/(pid|PID|process ID) [0-9]+/pid N/; s/^[0-9]+:/N:/; s/^[0-9]+ \(/N (/'
}

# 1 if the number that comes is greater.
more_than() {
	awk -v least="$1" '{print ($1 > least)}'
}

# As uid 1000, without its groups.
as_user() {
	setpriv --reuid 1000 --clear-groups "$@"
}

# Until a command succeeds, for ten seconds at most.
until_true() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "never true: $*"
}
