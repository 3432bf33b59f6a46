#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the pipes, messages, sockets of this machine, readiness.
. /tests/stress/each.bash
args_of[epoll]='--epoll-domain unix'
args_of[sock]='--sock-domain unix'
args_of[mutex]='--timeout 3' # on one CPU the second worker has only what its FIFO threads leave to others
each aio aiol epoll eventfd fifo futex io-uring mq msg mutex pipe pipeherd poll ring-pipe sem sem-sysv sendfile shm-sysv \
	sockfd sockpair splice sock tee
