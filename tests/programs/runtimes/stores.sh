#!/bin/bash
# within: 300
# sqlite with several processes on one file, with and without its log; redis over a unix socket with a forked save.
for mode in delete wal; do
	sqlite3 $mode.db "pragma journal_mode=$mode; create table t (a integer, b text);"
	for i in 1 2 3 4; do
		(for k in $(seq 20); do echo "insert into t values ($k, 'by $i');"; done | sqlite3 -cmd '.timeout 100000' $mode.db) &
	done
	wait
	sqlite3 $mode.db "select count(*), sum(a) from t; pragma integrity_check;"
	sqlite3 $mode.db "begin exclusive; delete from t;" "rollback;" "select count(*) from t; vacuum;"
	rm -f begun
	(echo "begin exclusive;"; echo ".shell touch begun"; sleep 2; echo "commit;") | sqlite3 $mode.db &
	for i in $(seq 300); do [ -f begun ] && break; sleep 0.1; done
	sqlite3 $mode.db "insert into t values (0, 'no');"
	echo "status $?"
	wait
done
redis-server --port 0 --unixsocket /tmp/r.sock --daemonize no --save '' --dir /tmp --io-threads 2 > log &
for i in $(seq 300); do [ -S /tmp/r.sock ] && break; sleep 0.1; done
r() { redis-cli -s /tmp/r.sock "$@"; }
r set key value; r get key
r eval 'for i = 1, 5000 do redis.call("rpush", "list", i) end return redis.call("llen", "list")' 0
(r blpop waited 10 > got) & sleep 0.3; r rpush waited item; wait $!; cat got
r bgsave; for i in $(seq 300); do [ -f dump.rdb ] && break; sleep 0.1; done
r del list; r debug sleep 0 > /dev/null; r expire key 1; sleep 1.5; r get key
for i in 1 2 3; do (seq 300 | sed "s/.*/incr counter/" | r > /dev/null) & done; wait %3 %4 %5 2>/dev/null; sleep 1
r get counter
r shutdown nosave
wait %1 2>/dev/null; echo "status $?"
