#!/bin/bash
# within: 120
# io_uring: plain, with registered buffers and files, with a submission thread, and in their combinations.
source /tests/fio/jobs.bash

all_of io_uring
all_of io_uring --iodepth=64 --iodepth_batch=16 --iodepth_batch_complete_min=4 --iodepth_batch_complete_max=32
all_of io_uring --iodepth=16 --fixedbufs
all_of io_uring --iodepth=16 --registerfiles
all_of io_uring --iodepth=16 --registerfiles --fixedbufs
all_of io_uring --iodepth=16 --nonvectored=0
all_of io_uring --iodepth=16 --force_async=4
all_of io_uring --iodepth=16 --cmdprio_percentage=30 --cmdprio_class=2 --cmdprio=4
all_of io_uring --iodepth=8 --sqthread_poll
all_of io_uring --iodepth=8 --sqthread_poll --sqthread_poll_cpu=1 --registerfiles --fixedbufs
# what a file in memory cannot do
jobs hipri --ioengine=io_uring --rw=write --size=64k --filename=data --name=hipri --hipri
jobs direct --ioengine=io_uring --rw=write --size=64k --filename=data --name=direct --direct=1
