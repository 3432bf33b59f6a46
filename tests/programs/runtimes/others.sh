#!/bin/bash
# within: 300
# Ruby, PHP, Erlang, Guile: threads, processes, collectors, schedulers.
ruby --disable-gems -e '
	r, w = IO.pipe
	pid = fork { r.close; w.write "from the child"; exit! 7 }
	w.close; puts r.read; Process.wait pid; puts $?.exitstatus
	puts (1..20).map { |i| Thread.new { Thread.pass; i * i } }.sum(&:value)
	q = Queue.new; t = Thread.new { q.pop }; q << :x; p t.value
	Signal.trap("USR1") { puts "usr1" }; Process.kill("USR1", $$); sleep 0.05
	a = nil; 300000.times { |i| a = "s#{i}" }; GC.start; puts a
	puts `echo shell; exit 3`, $?.exitstatus
	def f(n) f(n + 1) end
	begin; f 0; rescue SystemStackError => e; puts e.class; end
	begin; require "io/wait"; p IO.select([r], nil, nil, 0) ? 1 : 0; end
	Process.kill("KILL", spawn("sleep 100")); Process.wait; puts $?.termsig'
echo "status $?"
php8.2 -r '
	echo PHP_OS, "\n"; $p = proc_open(["cat"], [["pipe","r"],["pipe","w"]], $pipes); fwrite($pipes[0], "abc"); fclose($pipes[0]);
	echo stream_get_contents($pipes[1]), proc_close($p), "\n"; $a = []; for ($i = 0; $i < 300000; $i++) $a[$i % 1000] = "s$i"; echo count($a), "\n";
	$s = stream_socket_server("unix:///tmp/p.sock"); $c = stream_socket_client("unix:///tmp/p.sock"); fwrite($c, "line\n"); echo fgets(stream_socket_accept($s));
	$f = fopen("l", "w"); echo flock($f, LOCK_EX) ? "locked\n" : "no\n"; echo function_exists("opcache_get_status") ? "" : "", md5("x"), "\n";'
echo "status $?"
erl -noshell +S 4:4 -eval '
	Self = self(), N = 20000,
	Ps = [spawn(fun() -> receive {P, V} -> P ! {self(), V * 2} end end) || _ <- lists:seq(1, N)],
	[P ! {Self, I} || {P, I} <- lists:zip(Ps, lists:seq(1, N))],
	io:format("~p~n", [lists:sum([receive {P, V} -> V end || P <- Ps])]),
	io:format("~s", [os:cmd("echo from a port")]),
	{ok, L} = gen_tcp:listen(0, [{ifaddr, {local, "/tmp/e.sock"}}, binary, {active, false}]),
	spawn(fun() -> {ok, C} = gen_tcp:accept(L), gen_tcp:send(C, "over local"), gen_tcp:close(C) end),
	{ok, D} = gen_tcp:connect({local, "/tmp/e.sock"}, 0, [binary, {active, false}]),
	io:format("~p~n", [gen_tcp:recv(D, 10)]),
	timer:sleep(20), io:format("~p~n", [lists:sum([length(lists:seq(1, I)) || I <- lists:seq(1, 1000)])]), halt(6).'
echo "status $?"
guile-3.0 --no-auto-compile -c '
	(use-modules (ice-9 threads) (ice-9 popen) (ice-9 rdelim))
	(display (apply + (par-map (lambda (x) (* x x)) (iota 100)))) (newline)
	(let* ((p (open-input-pipe "echo piped; exit 2")) (l (read-line p))) (display l) (display (status:exit-val (close-pipe p))) (newline))
	(let loop ((i 0) (l (list))) (if (< i 300000) (loop (+ i 1) (if (zero? (modulo i 1000)) (list) (cons i l))) (begin (display (length l)) (newline))))
	(let ((pid (primitive-fork))) (if (zero? pid) (primitive-_exit 9) (begin (display (status:exit-val (cdr (waitpid pid)))) (newline))))' 2>/dev/null
echo "status $?"
