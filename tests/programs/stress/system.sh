#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the the rest of the system calls, devices, and calls with wrong arguments.
. /tests/stress/each.bash
each af-alg apparmor bad-ioctl binderfs cap dev efivar enosys full get ioport key klog kvm landlock loop pci ptrace pty \
	rlimit rtc seccomp set sysbadaddr syscall sysinfo sysinval tun uprobe urandom usersyscall unshare dynlib
