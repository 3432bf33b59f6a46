#!/bin/sh
# within: 120
# mask: completed in \d+\.\d+ seconds|\d+ (ops|bytes); [0-9:.]+ sec \(.*
# A raw image by io_uring: patterns written by one qemu-io are read by another, and what is read without a
# ring is the same. Then many requests at a time.
set -e
truncate -s 64M disk
qemu-io -f raw -i io_uring -c 'write -P 0x11 0 1M' -c 'write -P 0x22 1M 3M' -c 'aio_write -P 0x33 8M 512k' \
	-c aio_flush -c 'aio_write -P 0x44 16M 64k' -c aio_flush -c 'write -z 2M 64k' -c flush disk
qemu-io -f raw -i io_uring -c 'read -P 0x11 0 1M' -c 'read -P 0x22 1M 1M' -c 'read -P 0 2M 64k' \
	-c 'aio_read -P 0x33 8M 512k' -c aio_flush -c 'aio_read -P 0x44 16M 64k' -c aio_flush -c 'readv -P 0x22 3M 4k 8k 16k' disk
qemu-io -f raw -i io_uring -c 'read -P 0x12 0 4k' disk || echo "status $?"
qemu-io -f raw -i threads -c 'read -P 0x33 8M 512k' -c 'read -P 0 10M 1M' disk
sha256sum disk
qemu-img bench -f raw -i io_uring -c 4000 -d 64 -s 4096 disk
qemu-img bench -f raw -i io_uring -w -c 2000 -d 32 -s 65536 -S 65536 --pattern 0x5a disk
sha256sum disk
