#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the files on tmpfs: names and attributes.
. /tests/stress/each.bash
args_of[hdd]='--hdd-bytes 4m'
each access bind-mount chattr chdir chmod chown chroot close copy-file dentry dir dirdeep dirmany dnotify dup fallocate \
	fcntl fiemap file-ioctl filename flock fpunch fsize fstat getdent handle hdd inode-flags inotify
