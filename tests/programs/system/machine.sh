#!/bin/bash
# within: 180
# What the machine is: lscpu, lsmem, lsblk, lsirq, lsipc, hwclock, dmesg, sysctl, uname, arch, nproc, getconf.
source /tests/system/words.bash

# lscpu: what differs from machine to machine, and what the host's bugs are, is left out
left_out='BIOS|Vuln|L[123]|Caches|Flags|BogoMIPS|NUMA|Virtualization|Hypervisor|Spec|Itlb|Meltdown|Mds'
left_out+='|Mmio|Retbleed|Srbds|Spectre|Tsx|Gather|Reg file|Tsa|Indirect|Old micro|Vmscape|Ghost|Attack'
left_out+='|Its'
lscpu | sed -E 's/^ +//; s/: +/: /' | grep -v -E "^($left_out)"

# lscpu, nproc, getconf
lscpu -e=CPU,CORE,SOCKET,ONLINE
lscpu -p=CPU,ONLINE | grep -v '^#'
lscpu -J | grep -c field | more_than 10
nproc
nproc --all
arch
uname -s -m -o
getconf _NPROCESSORS_ONLN
getconf _NPROCESSORS_CONF
getconf PAGESIZE
getconf _PHYS_PAGES | more_than 1000
getconf CLK_TCK
getconf ARG_MAX
getconf OPEN_MAX
getconf CHILD_MAX | more_than 100

# Disks and interrupts
lsblk
echo "lsblk $?"
lsblk -a -n | wc -l
lsns -n -o TYPE -p $$ | grep -x mnt
lsirq 2>/dev/null | head -1
lsirq -n | wc -l | more_than 0
result blkid
findfs LABEL=x
echo $?
result losetup -a

# hwclock, dmesg
hwclock -r | sed -E 's/[0-9]+/N/g'
dmesg | wc -l | more_than 3
dmesg -l err,crit,alert,emerg >/dev/null
echo $?
dmesg -x 2>/dev/null | head -1 | cut -c1-4
dmesg -T | head -1 | cut -c1
echo '<4>a line of the test' >/dev/kmsg
dmesg | tail -1 | sed 's/^\[.*\] //'
dmesg -x | tail -1 | sed 's/: \[.*//'
dmesg -J | head -1
dmesg -n 1
cut -f1 /proc/sys/kernel/printk
dmesg -r | tail -1 | cut -c1-4
dmesg -c >/dev/null
dmesg | wc -l
dmesg -t -f user | wc -l

# sysctl: names
sysctl -a >all 2>err
echo "sysctl $?"
cat err
for name in \
	kernel.ostype kernel.osrelease kernel.version kernel.arch kernel.hostname kernel.domainname \
	kernel.pid_max kernel.threads-max kernel.cap_last_cap kernel.ngroups_max kernel.overflowuid \
	kernel.overflowgid kernel.random.entropy_avail kernel.random.poolsize kernel.random.boot_id \
	kernel.random.uuid kernel.randomize_va_space kernel.sched_rr_timeslice_ms \
	kernel.panic_on_oops kernel.printk kernel.dmesg_restrict kernel.kptr_restrict kernel.tainted \
	fs.file-max fs.file-nr fs.nr_open fs.pipe-max-size fs.inotify.max_user_watches \
	fs.inotify.max_user_instances fs.inotify.max_queued_events fs.leases-enable fs.suid_dumpable \
	fs.overflowuid fs.overflowgid fs.protected_hardlinks fs.protected_symlinks \
	fs.protected_fifos fs.protected_regular vm.overcommit_memory vm.overcommit_ratio \
	vm.overcommit_kbytes vm.max_map_count vm.mmap_min_addr vm.panic_on_oom \
	vm.oom_kill_allocating_task vm.nr_hugepages vm.admin_reserve_kbytes vm.user_reserve_kbytes \
	vm.legacy_va_layout; do
	grep -q "^$name = " all && echo "$name" || echo "$name is not there"
done

# sysctl: values
sysctl -w kernel.domainname=example vm.overcommit_ratio=60 fs.pipe-max-size=65536
sysctl -n kernel.domainname vm.overcommit_ratio fs.pipe-max-size
sysctl -q -w vm.overcommit_ratio=50 kernel.domainname='(none)' fs.pipe-max-size=1048576
sysctl -w kernel.ostype=Other
echo $?
result sysctl no.such.name
sysctl -e no.such.name
sysctl -w vm.overcommit_memory=7
echo $?
printf 'kernel.domainname = from-file\n# comment\n-no.such = 1\n' >conf
sysctl -p conf
sysctl -n kernel.domainname
sysctl -b kernel.ostype
echo
sysctl -N -r '^kernel.os'
sysctl kernel/ostype
sysctl --pattern 'file-m' -N -a

# hostname; files of /proc
hostname renamed
hostname
uname -n
cat /proc/sys/kernel/hostname
hostname -F /etc/hostname
hostname
domainname 2>/dev/null
cat /proc/version | cut -d' ' -f1,2
cat /proc/loadavg | sed -E 's/[0-9]+/N/g'
cat /proc/uptime | sed -E 's/[0-9]+/N/g'
wc -l </proc/partitions
head -1 /proc/partitions
head -1 /proc/swaps
grep -E ' (mem|ttyS|/dev/ptmx|/dev/tty|/dev/console)$' /proc/devices | sort
grep -c nodev /proc/filesystems | more_than 3
for f in cpuinfo meminfo stat interrupts vmstat zoneinfo buddyinfo diskstats slabinfo filesystems devices \
	mounts swaps partitions locks consoles cmdline version tty/drivers sys; do
	test -e /proc/$f && echo "/proc/$f" || echo "no /proc/$f"
done

# Rows of /proc/stat, meminfo, cpuinfo, and the CPUs' places
awk '{print $1}' /proc/stat | sed 's/[0-9]$/N/' | grep -v softirq | sort -u
rows='Mem(Total|Free|Available)|Buffers|Cached|SwapCached|Swap(Total|Free)|Dirty|Writeback|Shmem'
rows+='|Slab|SReclaimable|SUnreclaim|CommitLimit|Committed_AS|HugePages_(Total|Free)|Hugepagesize'
grep -o -w -E "^($rows)" /proc/meminfo
rows='processor|vendor_id|cpu family|model|stepping|cpu MHz|physical id|siblings|core id|cpu cores'
rows+='|apicid|initial apicid|fpu|cpuid level|wp|flags|bugs|bogomips|clflush size|cache_alignment'
rows+='|address sizes|power management'
awk -F'\t*:' -v rows="^($rows)" '$1 ~ rows && !seen[$1]++ {print $1}' /proc/cpuinfo
grep -E '^(physical id|siblings|core id|cpu cores|apicid)' /proc/cpuinfo
cd /sys/devices/system/cpu/cpu1/topology
grep . core_cpus core_cpus_list core_id package_cpus package_cpus_list die_cpus_list \
	physical_package_id thread_siblings_list core_siblings_list
cat ../../online ../../possible ../../present ../../offline
