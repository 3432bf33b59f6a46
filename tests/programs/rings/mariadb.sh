#!/bin/sh
# within: 900
# A database server whose InnoDB reads and writes by a ring: filled, ended, started again, looked at.
D=$PWD/data
mariadb-install-db --no-defaults --user=root --datadir="$D" --auth-root-authentication-method=normal --skip-test-db >install.log 2>&1 ||
	{ tail -20 install.log; exit 1; }

serve() {
	mariadbd --no-defaults --user=root --datadir="$D" --socket="$PWD/sock" --skip-networking --innodb-buffer-pool-size=24M \
		--innodb-flush-method=fsync >server.log 2>&1 &
	server=$!
	i=0
	until ask 'select 1' >/dev/null 2>&1; do
		i=$((i + 1))
		[ $i -lt 300 ] || { tail -20 server.log; exit 1; }
		sleep 1
	done
	grep -o 'Using io_uring' server.log
}
ask() { # SQL [DATABASE]
	mariadb --no-defaults --socket="$PWD/sock" -u root -N -e "$@"
}
stop() {
	ask shutdown
	wait $server
	echo "server: $?"
}

serve
ask 'create database d'
ask 'create table t (id int primary key auto_increment, word varchar(200), n bigint, key (n)) engine=innodb' d
ask "insert into t (word, n) select repeat(md5(seq), 6), seq * 7919 % 10007 from seq_1_to_20000" d
ask 'begin; update t set word = upper(word) where n % 3 = 0; rollback' d
ask 'begin; delete from t where n % 5 = 0; update t set n = n + 1 where n > 5000; commit' d
ask 'select count(*), sum(n), min(id), max(id) from t; select crc32(group_concat(word order by id)) from (select * from t order by n, id limit 500) as x' d
stop
serve
ask 'select count(*), sum(n), min(id), max(id) from t; select id, n, left(word, 8) from t where n between 100 and 130 order by n, id; check table t' d
ask 'alter table t add column more int default 3, drop key n, add key (word(20)); select count(*) from t where word like "a%"; checksum table t' d
stop
