#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the files on tmpfs: the rest.
. /tests/stress/each.bash
each fanotify io iomix ioprio lease link locka lockf lockofd mknod open procfs ramfs rename revio seal seek symlink \
	sync-file sysfs touch umount utime verity xattr quota
