#!/bin/bash
# within: 120
# The engines that are no ring.
source /tests/fio/jobs.bash

for engine in sync psync vsync pvsync pvsync2 mmap splice; do
	all_of $engine
done
all_of pvsync2 --nowait=1
all_of pvsync2 --hipri
all_of libaio
all_of libaio --iodepth=32 --iodepth_batch=8 --userspace_reap
all_of posixaio --iodepth=8
jobs direct --ioengine=libaio --direct=1 --rw=write --size=64k --filename=data --name=direct
jobs others --rw=write --size=1m --name=falloc --ioengine=falloc --filename=grown --name=ftruncate --ioengine=ftruncate --filename=other \
	--name=null --ioengine=null --rw=randrw --size=16m
