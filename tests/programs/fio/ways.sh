#!/bin/bash
# within: 120
# Where buffers come from, how files are made ready, and what is synced, trimmed and limited meanwhile.
source /tests/fio/jobs.bash

with=(--ioengine=io_uring --iodepth=8 --bs=4k --filename=data --size=1m)
for fixed in --fixedbufs=0 --fixedbufs=1; do
	jobs "buffers $fixed" "${with[@]}" --rw=randwrite --verify=crc32c $fixed \
		--name=malloc --iomem=malloc --name=mmap --iomem=mmap --name=mmapshared --iomem=mmapshared --name=file --iomem=mmap:./buffers
done
# registered, they are EOPNOTSUPP on Linux 6.1, and are not here
jobs "buffers of System V" "${with[@]}" --name=shm --rw=randwrite --verify=crc32c --iomem=shm
for how in none posix keep truncate; do
	jobs "fallocate $how" "${with[@]}" --name=$how --rw=write --fallocate=$how --unlink=1
done
jobs sync "${with[@]}" --rw=randwrite --name=fsync --fsync=16 --name=fdatasync --fdatasync=16 \
	--name=sync_file_range --rw=write --sync_file_range=write:8 --name=end_fsync --end_fsync=1 --fsync_on_close=1
jobs trim "${with[@]}" --name=trim --rw=trim
jobs randtrim "${with[@]}" --name=randtrim --rw=randtrim
jobs settings "${with[@]}" --rw=randread \
	--name=zipf --random_distribution=zipf:1.1 --name=lockmem --lockmem=1m --name=prio --prio=3 --prioclass=2 --nice=2 \
	--name=cpus --cpus_allowed=0 --name=pre_read --pre_read=1 --invalidate=1 \
	--name=idle --size=256k --thinktime=100 --thinktime_blocks=16 --name=rate --rw=read --size=256k --rate=1m
jobs files --ioengine=io_uring --iodepth=8 --bs=4k --rw=randwrite --size=1m --verify=crc32c --directory=. --name=files --nrfiles=16 --openfiles=4 \
	--file_service_type=random
jobs append "${with[@]}" --name=append --rw=write --size=512k --file_append=1
stat -c '  %s bytes' data
jobs sparse --ioengine=io_uring --iodepth=8 --bs=4k --filename=holes --name=sparse --rw=randwrite --size=8m --io_size=256k --norandommap
jobs timed "${with[@]}" --name=timed --rw=randread --time_based --runtime=1 | sed 's/read [0-9]*/read N/'
ipcs -m | grep -c 0x
