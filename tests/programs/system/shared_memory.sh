#!/bin/bash
# Segments of System V: ipcmk makes, ipcs looks, ipcrm removes; /proc/sysvipc and the limits.

# Keys and ids are others each time; numbers of segments begin at none.
plain() {
	sed -E 's/0x[0-9a-f]{8}/KEY/g; s/^(KEY +)[0-9]+/\1ID/; s/id: [0-9]+/id: ID/; s/cpid=[0-9]+/cpid=N/; s/^[0-9]+ /ID /; s/ +/ /g'
}
as_user() {
	setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
}
made() {
	ipcmk "$@" | sed 's/.*: //'
}

ipcs -m
id=$(made -M 10000)
other=$(made -M 4096 -p 0640)
ipcs -m | plain
ipcs -m -i "$other" | plain | grep -v 'time='
ipcs -m -c | plain
ipcs -m -u | plain
ipcs -m -l
ipcs -m -b -i "$id" | grep -c "$id"
ipcs -m -p | wc -l
ipcs -m -t | wc -l
ipcs -m --human | plain
lsipc -m --noheadings -o PERMS,SIZE,NATTCH,STATUS,COMMAND -y 2>&1 | sed 's/ *$//' | sort
wc -l </proc/sysvipc/shm
awk 'NR > 1 {print $3, $4, $7, $8}' /proc/sysvipc/shm
sysctl kernel.shmmax kernel.shmall kernel.shmmni kernel.shm_rmid_forced kernel.shm_next_id
ipcrm -m "$id"
ipcrm -m "$id" || echo "status $?"
ipcs -m -i "$id" | sed 's/[0-9]\+/N/' || true
key=$(ipcs -m | awk -v id="$other" '$2 == id {print $1}')
as_user ipcrm -M "$key" 2>&1 | plain
as_user ipcs -m | plain
as_user ipcmk -M 100 | plain
ipcrm -M "$key"
ipcrm -M 0x12345 || echo "status $?"
ipcrm --all=shm
ipcs -m
as_user ipcmk -M 1 -p 0600 | plain
ipcrm -v --all=shm | sed "s/\`.*/ID/"
