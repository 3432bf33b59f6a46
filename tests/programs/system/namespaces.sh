#!/bin/bash
# Mount namespaces by unshare, nsenter, lsns; what needs other namespaces says so as on a Linux without them.
source /tests/system/words.bash

# What is mounted inside is not seen outside
mkdir m
unshare -m sh -c 'mount -t tmpfs inner m; touch m/seen; ls m; findmnt -n -o FSTYPE m'
ls m
result findmnt m

# Propagation
unshare -m --propagation unchanged findmnt -n -o PROPAGATION /
unshare -m findmnt -n -o PROPAGATION /
unshare -m --propagation slave findmnt -n -o PROPAGATION /

# Of another process: nsenter, lsns
unshare -m sleep 1000 &
until_true sh -c "readlink /proc/$!/exe | grep sleep"
readlink /proc/$!/ns/mnt | sed 's/[0-9]*\]/N]/'
test "$(readlink /proc/$!/ns/mnt)" != "$(readlink /proc/$$/ns/mnt)" && echo different
nsenter -t $! -m sh -c 'pwd; mount -t tmpfs there /tmp/m; touch /tmp/m/inside; ls /tmp/m'
ls m
nsenter -t $! -m ls /tmp/m
nsenter --mount=/proc/$!/ns/mnt ls /tmp/m
nsenter -t $! -m -w pwd
lsns -t mnt -n -o COMMAND | grep -x 'sleep 1000'
ls /proc/$!/root/tmp/m 2>&1
kill $!

# As files, and what is refused
ls -l /proc/self/ns | awk '$9 == "mnt" {print $1, $9, $10}'
stat -L -c '%F %a' /proc/self/ns/mnt
stat -f -L -c %T /proc/self/ns/mnt
result cat /proc/self/ns/mnt
exec 5</proc/self/ns/mnt
nsenter --mount=/dev/fd/5 echo same
readlink /proc/self/fd/5 | sed 's/[0-9]*\]/N]/'
result nsenter -m/etc/passwd true
result as_user unshare -m true
result nsenter -t 99999 -m true

# A root of its own; a namespace that is kept by a mount
result unshare -m -R / true
mkdir -p root/bin root/proc
cp /bin/busybox root/bin/ 2>/dev/null && unshare -m -R "$PWD/root" /bin/busybox ls /
mount --bind m m
mount --make-private m
touch ns
mount --make-private -t tmpfs x m
touch m/ns
unshare --mount=m/ns true
echo $?
nsenter --mount=m/ns findmnt -n -o TARGET /
findmnt -n -o FSTYPE m/ns
umount m/ns
result pivot_root . m
switch_root --help | head -1 | cut -c1-5
lsns --version | cut -d' ' -f1
