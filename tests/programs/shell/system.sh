#!/bin/bash
# smoke:
# mask: ^\d+:\s.*init$
# What util-linux and procps show and do: mounts, namespaces' absence or not, locks, limits, priorities, sessions.
mkdir m; mount -t tmpfs -o size=1m,mode=700 none m && stat -c '%a' m; mountpoint m; findmnt -n -o TARGET,FSTYPE m; df -k m | awk 'NR==2 {print $2}'
head -c 2M /dev/zero >m/big; echo "full $?"; stat -c %s m/big; mount -o remount,ro m; touch m/x; umount m; mountpoint m
mkdir b; mount --bind /etc b && head -1 b/passwd; umount b; umount b; mount -t madeupfs none m; mount | grep -c proc
flock lock -c 'flock -n lock2 -c "echo two locks"; flock -n lock -c never || echo busy'
nice -n 5 nice; nice -n 5 sh -c 'ps -o ni= -p $$' | tr -d ' '; chrt -p $$ | sed 's/[0-9]*.s cur/pid cur/'; taskset -c 0 nproc; prlimit --nofile=100:200 sh -c 'ulimit -n; ulimit -Hn'
setsid sh -c 'ps -o sid= -p $$ | tr -d " " | grep -qx $$ && echo own session'; ps -e -o comm= | grep -cx init; ps -o pid= -p 1; pgrep -x init; pidof nothing; echo $?
(exec -a renamed sleep 5) & sleep 0.2; tr '\0' ' ' </proc/$!/cmdline; echo; cat /proc/$!/comm; pkill -f 'renamed 5'; wait $!; echo $?
hostname torus; hostname; uname -s -m; env -i A=1 env; env -i sh -c 'echo ${PATH:+path}'; id; id user; whoami; groups; logname; tty
setpriv --reuid=1000 --regid=1000 --clear-groups sh -c 'id -u; touch /etc/no; cat /etc/passwd | wc -l; kill -0 1'; su -s /bin/sh user -c 'id -un' 2>&1 | head -1
getopt -o ab: --long alpha,beta: -- -a --beta x y; logger -s -t tag message 2>&1 | sed 's/^<.*>.*tag/tag/' | head -1; mcookie | wc -c; uuidgen | tr -d '\n' | wc -c; ncal -b 1 2023 | tail -2; rename.ul a b nothing; whereis -b sh | cut -d' ' -f2; free | awk 'NR==1 {print $1}'; uptime | grep -c 'load average'; cat /proc/uptime | wc -w; vmstat 2>&1 | head -1; sysctl kernel.ostype; sysctl -n kernel.pid_max >/dev/null && echo pid_max; dmesg 2>&1 | wc -l | awk '{print $1 > 0}'; fallocate -l 100000 f && stat -c %s f; fallocate -p -o 4096 -l 8192 f && stat -c %s f; chroot / /bin/echo chrooted; stdbuf -oL echo stdbuf; nohup echo nohup; cat nohup.out 2>/dev/null; script -qc 'tty | grep -o pts; stty size' /dev/null </dev/null; pwdx $$ | cut -d: -f2; pmap $$ | tail -1 | awk '{print $1}'; top -b -n1 | head -1 | cut -c1-5; w -h 2>&1 | wc -l; kill -l 9; kill -l | head -2; times | wc -l; watch -h >/dev/null 2>&1; echo end
