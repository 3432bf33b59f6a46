#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the signals, timers, faults.
. /tests/stress/each.bash
each alarm clock cyclic fault getrandom hrtimers itimer kill nanosleep pidfd schedpolicy sigabrt sigchld sigfd sigfpe \
	sigio signal signest sigpending sigpipe sigq sigrt sigsegv sigsuspend sigtrap sleep timer timerfd
