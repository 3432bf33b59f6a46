#!/bin/bash
# within: 180
# Who has what open: lsof, fuser, lsfd, lslocks, fincore; and what is mounted where.
source /tests/system/words.bash
mkdir d m
mount -t tmpfs -o size=2m,nr_inodes=100,mode=750,nosuid,nodev files m
exec 5>m/open 6<m
exec 7< <(exec sleep 100 5>&- 6<&-)
sleep 1000 >m/held & holder=$!
(cd m && exec sleep 1001) & inside=$!
cp /bin/sleep m/program
mount -o remount,exec m
m/program 1002 & running=$!
for one in 'sleep 1000' 'sleep 1001' m/program; do
	until_true pgrep -f "^$one"
done

# lsof: by descriptor, process, file, folder, command, user, kind
lsof -w -a -p $$ -d 5 -Fftan0 | tr '\0' ' ' | sed -E 's/^p[0-9]+/pN/'
lsof -w -p $holder -a -d 1 | sed 1d | awk '{print $1, $3, $4, $5, $7, $9}'
lsof -w -t m/held | grep -qx $holder && echo by file
lsof -w +D m -Fn | grep ^n | sort -u
lsof -w -t +f -- m | wc -l
lsof -w -c program -a -d txt -Fn | grep ^n
lsof -w -a -d cwd -p $inside -Fn | grep ^n
lsof -w -u user | wc -l # its status is an accident: lsof does not clear what it looks at for it
lsof -w -p $$ -a -d 7 -Ft | grep ^t
lsof -w -i 2>&1 | wc -l
lsof -w -U | wc -l
lsof -w -a -p $$ -d 0-2 -Ff | grep ^f
lsof -w -p $$ | awk 'NR > 1 {print $4, $5}' | sed 's/[0-9]*[rwu]*$//' | sort -u | head -20

# fuser: it says of a network that is not there that it cannot open it
no_network() {
	grep -v -e 'network socket' -e /proc/net
}
fuser m/held 2>/dev/null | tr -s ' ' '\n' | grep -cx $holder
fuser -v m/open >users 2>&1
awk '/ [fF]\.\.\.\. / {print $(NF - 3), $NF}' users
fuser -m m >users 2>/dev/null
wc -w <users
fuser m/program 2>&1 | no_network | sed -E 's/ +[0-9]+/ N/'
fuser m/nothing 2>&1 | no_network
echo "${PIPESTATUS[0]}"
result fuser -s m/held 2>/dev/null
fuser -k -TERM m/held >/dev/null 2>&1
wait $holder 2>/dev/null
echo "killed $?"
fuser -l 2>&1 | no_network | head -1 | cut -c1-12

# Unix sockets by kind and by name (fuser asks a network for that)
export TERM=screen LC_ALL=C.UTF-8
tmux -L sockets -f /dev/null new-session -d 'sleep 1003'
until_true pgrep -f '^sleep 1003'
lsof -w -a -U -c tmux -F tPn | sed 's/ type=/\n&/' | grep -v '^[pf]' | sort
lsof -w -t /tmp/tmux-0/sockets | wc -l
tmux -L sockets kill-server

# lsfd
lsfd -p $$ -n -o ASSOC,MODE,TYPE,NAME 2>&1 | sed -E 's/\[[0-9]+\]/[N]/; s/ +/ /g' |
	grep -E '^ ?(5|6|7|exe|cwd)'

# lslocks and flock
exec 8>m/locked
flock -x 8
lslocks -n -o COMMAND,TYPE,MODE,PATH 2>&1 | sort
lslocks -n -o START,END,BLOCKER,SIZE 2>&1
flock -n m/locked true
echo "flock $?"
flock -w 0.2 -E 9 m/locked true
echo "$?"
flock -u 8
flock -n m/locked echo free
(flock -s 9; flock -n -s m/shared echo both) 9>m/shared
umount m
echo "busy $?"
kill $inside $running
wait $inside $running 2>/dev/null

# findmnt
findmnt -n -o TARGET,SOURCE,FSTYPE,OPTIONS m | sed 's/,inode64//'
findmnt -n -o PROPAGATION,VFS-OPTIONS,FSROOT,AVAIL,SIZE,USE%,MAJ:MIN m |
	sed -E 's/[0-9]+:[0-9]+/N:N/; s/ +/ /g'
findmnt -n -t proc -o TARGET
findmnt -T m/open -n -o TARGET
findmnt -l -n -o TARGET | sort | grep -v '^/tmp$' | uniq
findmnt -J -o TARGET,FSTYPE m
findmnt -P -o TARGET m
findmnt -D -n -o SOURCE,FSTYPE,SIZE m | tr -s ' '

# mount: bind, shared, private, moved
mount | grep -c ' type tmpfs'
mount -t tmpfs | grep files | sed 's/,inode64//'
mount -v -t tmpfs n d
mount -o bind,ro m d && touch d/x
mount --make-shared m
findmnt -n -o PROPAGATION m
mount --make-rprivate m
umount d
umount -v d
mount --move m d && ls d | sort | tr '\n' ' '
mountpoint -d d | sed -E 's/[0-9]+:[0-9]+/N:N/'
mount --move d m

# df, stat, du, fincore
df m | tail -1 | tr -s ' ' | cut -d' ' -f1,2,6
df -i m | tail -1 | tr -s ' ' | cut -d' ' -f1,2,6
df -T m | tail -1 | awk '{print $2}'
df -h --output=source,fstype,size,target m | tail -1 | tr -s ' '
df -a | awk '$NF == "/proc" {print $1, $2}'
df /nothing
stat -f -c '%T %s %S %b %c %l' m
stat -f -c '%T' /proc /sys /dev /dev/pts /tmp /
stat -c '%F %a %U %G %s %t %T' /dev/null /proc/self/fd/5 /proc/1 /sys m
stat -c %h m
du -s m | awk '{print $2, ($1 > 0)}'
du --inodes -s m
fincore -n -b m/program 2>&1 | awk '{print NF, $NF}'

# What has to fail
exec 5>&- 6<&- 8>&-
umount m
umount -l m 2>/dev/null
mountpoint -q m
echo "mountpoint $?"
umount m
umount /nothing
mount -t tmpfs -o size=nonsense x m
mount -o remount /nothing
mount -t madeup x m
mount /m
echo end
