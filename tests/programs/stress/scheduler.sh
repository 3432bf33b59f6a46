#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the processes and threads.
. /tests/stress/each.bash
each affinity clone daemon exec exit-group fork forkheavy idle-page kcmp loadavg nice personality prctl pthread \
	race-sched resched session softlockup spawn switch vfork vforkmany wait yield zombie
