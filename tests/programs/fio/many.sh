#!/bin/bash
# within: 120
# Several jobs at once, as processes and as threads, each with files of its own, and in one.
source /tests/fio/jobs.bash

for engine in io_uring libaio psync mmap; do
	for kind in --thread=0 --thread=1; do
		jobs "$engine $kind" --ioengine=$engine $kind --bs=4k --numjobs=4 --size=512k \
			--name=own --rw=randwrite --verify=crc32c --directory=. \
			--name=grouped --rw=randrw --group_reporting --directory=. \
			--name=shared --rw=write --size=2m --io_size=512k --offset_increment=512k --verify=pattern \
			--verify_pattern=0xdeadbeef --filename=one
		rm -f own.* grouped.* one
	done
done
# a file by several engines, one after another
jobs handed --size=1m --filename=handed --verify=crc64 \
	--name=first --ioengine=io_uring --iodepth=4 --rw=write --do_verify=0 \
	--name=second --ioengine=libaio --rw=read \
	--name=third --ioengine=mmap --rw=read
# what was spoilt is found
printf x | dd of=handed bs=1 seek=500000 conv=notrunc status=none
jobs spoilt --size=1m --filename=handed --verify=crc64 --name=spoilt --ioengine=io_uring --iodepth=4 --rw=read --verify_only |
	grep -o '^  spoilt: error 84\|^spoilt: .*'
