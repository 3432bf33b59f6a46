# SPDX-License-Identifier: MIT
# Words of fio's tests. Sourced. Of what fio says, what does not depend on time: of each job its name, its error,
# and how many KiB it read and wrote; then fio's status.

# NAME ARGUMENT...: jobs by one fio, each after --name with its own arguments, what comes before it for all
jobs() {
	local name=$1
	shift
	fio --minimal --randseed=4711 --fallocate=none --verify_fatal=1 --stonewall "$@" >said 2>&1
	local status=$?
	awk -F';' '
		$1 == 3 && NF > 50 {print "  " $3 ": error " $5 ", read " $6 ", wrote " $47; next}
		{gsub(/pid=[0-9]+/, "pid=N"); print "  " $0}' said
	echo "$name: $status"
}

# ENGINE ARGUMENT...: written in order and at random, read back, and mixed; all of it verified
all_of() {
	local engine=$1
	shift
	jobs "$engine $*" --ioengine="$engine" --filename=data --size=1m "$@" \
		--name=write --rw=write --bs=16k --verify=crc32c \
		--name=read --rw=read --bs=16k --verify=crc32c \
		--name=randwrite --rw=randwrite --bs=4k --verify=md5 \
		--name=randrw --rw=randrw --bs=4k --rwmixread=60 --verify=xxhash \
		--name=sizes --rw=randwrite --bsrange=512-64k --verify=sha1 --verify_backlog=16
	rm -f data
}
