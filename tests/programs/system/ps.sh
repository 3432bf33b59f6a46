#!/bin/bash
# within: 180
# ps over a family of processes that is the same everywhere: columns, selections, orders, trees, threads.
source /tests/system/words.bash
cat >family.sh <<'END'
#!/bin/bash
exec -a old-name sleep 1000 &
(trap '' USR1 USR2; trap : HUP; exec -a deaf sleep 1000) &
nice -n 7 sleep 1001 &
setsid sleep 1002 &
chrt -f 3 sleep 1003 &
chrt -i 0 sleep 1004 &
setpriv --reuid=1000 --regid=1000 --clear-groups sleep 1005 &
sleep 1006 &
sleep 0.5
kill -STOP $!
(:) &
wait %9
exec sleep 1007
END
chmod +x family.sh
./family.sh & top=$!
disown $top # the shell says nothing of its end
until_true pgrep -f "^sleep 1007"
family="$(pgrep -d, -x sleep)"
# ps with these words, which are shown too; without the tools that look.
show() {
	echo "== ps $*" | sed -E 's/ [0-9]+(,[0-9]+)*( |$)/ N\2/g'
	ps "$@" 2>&1 | grep -v -e ^sed -e '^ps -o' | sed 's/ *$//'
}
echo "$family" | tr , '\n' | wc -l
# Columns. Times and counts are not compared, but that they are there
for columns in \
	args,ni,pri,cls,rtprio,stat comm,user,uid,ruser,euid,group,gid,egroup,supgid \
	fname,ucomm,ucmd,nlwp pending,blocked,ignored,caught tty,tpgid \
	args,s,state,policy,sched,nice,opri,intpri,priority args,cputime,bsdtime,time,etimes,times \
	args,maj_flt,oom,oomadj args,machine,unit,slice,ouid \
	args,fuid,fuser,suid,suser,sgid,sgroup,fgid,rgid,rgroup args,numa,thcount,lxc,environ \
	args,sig,sigmask,sigcatch,sigignore; do
	show -p "$family" --sort args -o "$columns" | sed -E 's/\b00:00:0[0-9]/TIME/g; s/\b0:0[0-9]/TIME/g'
done 2>&1 | sed -E 's/ELAPSED.*/ELAPSED/' |
	sed -E 's/(sleep 100[0-9]|deaf 1000|old-name 1000) +([0-9]+|TIME)(  *[0-9]+|  *TIME)*$/\1 NUMBERS/'

for columns in vsz rss sz size vsize trs drs %mem %cpu c cp esp eip start_time lstart stime start \
	bsdstart etime session nwchan mntns; do
	echo "$columns: $(ps -p $$ -o "$columns=" | wc -l) $(ps -p $$ -o "$columns=" |
		sed -E 's/[0-9]+/N/g; s/^ +//; s/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]+ +/DAY /')"
done

# Selections, orders, trees
show -o args= --ppid $top --sort=-args
show -o args= --sid "$(ps -o sid= -p $top | tr -d ' ')" --sort args
show -o comm= -u user
show -o comm= -U 1000
show -o comm= -G 1000
show -o comm= -C sleep
show -o args= -p $top
show -o args= -p $top --ppid $top --forest
show -o comm=,args= --sort pid f -g "$(ps -o pgid= -p $top | tr -d ' ')"

# Its own formats
ps aux | head -1
ps axj | head -1
ps alx | head -1
ps -eLf | head -1
ps -ely | head -1
ps axms | head -1
ps ax -Z 2>&1 | head -1
ps -eo pid,ppid,pgid,sid,tty,stat,args | head -1
ps axv | head -1
ps axX | head -1
ps -e -o pid= | awk '$1 == 1 {print "init is there"} $1 == 2 {print "two is there"}' | head -1

# What is not there
ps -p 99999 -o pid=
echo "nothing $?"
ps -o nosuchcolumn 2>&1 | head -2
ps -q "$top" -o args=
ps L | wc -l
kill -9 ${family//,/ }
echo end
