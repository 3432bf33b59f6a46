// SPDX-License-Identifier: MIT
/* signal(7): actions, masks, delivery, frames, sigaltstack, queues, who may kill whom. Job control: job.c. */
#include "guest.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t got, count, order[16], nr_order;
static siginfo_t info;
static ucontext_t context;

static volatile uintptr_t unmapped = 8;

static void note(int sig)
{
	got = sig;
	count++;
	if (nr_order < 16)
		order[nr_order++] = sig;
}

static void note_info(int sig, siginfo_t *si, void *uc)
{
	note(sig);
	info = *si;
	memcpy(&context, uc, offsetof(ucontext_t, __fpregs_mem));
}

static void on(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	CHECK_OK(sigaction(sig, &act, NULL));
}

static void on_info(int sig, int flags)
{
	struct sigaction act = {.sa_sigaction = note_info, .sa_flags = flags | SA_SIGINFO};

	CHECK_OK(sigaction(sig, &act, NULL));
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = set_of(sig);

	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void unblock(int sig)
{
	sigset_t set = set_of(sig);

	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

TEST(signal, handler_runs)
{
	on(SIGUSR1, note, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(got, SIGUSR1);
	CHECK_EQ(count, 1);
}

TEST(signal, default_actions)
{
	static const int terminate[] = {SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM,
		SIGUSR1, SIGUSR2, SIGPOLL, SIGPROF, SIGVTALRM, SIGSTKFLT, SIGPWR, 40};
	static const int core[] = {SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS,
		SIGTRAP, SIGXCPU, SIGXFSZ};
	static const int nothing[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};

	for (size_t i = 0; i < sizeof(terminate) / sizeof(int) + sizeof(core) / sizeof(int);
		i++) {
		int nr = sizeof(terminate) / sizeof(int),
		    sig = i < (size_t)nr ? terminate[i] : core[i - nr];
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			kill(getpid(), sig);
			_exit(0);
		}
		EXPECT_KILLED(pid, sig);
	}
	for (size_t i = 0; i < sizeof(nothing) / sizeof(int); i++)
		IN_CHILD(CHECK_OK(kill(getpid(), nothing[i])));
}

TEST(signal, ignored_is_gone)
{
	signal(SIGUSR1, SIG_IGN);
	CHECK_OK(raise(SIGUSR1));
	on(SIGUSR1, note, 0);
	CHECK_EQ(count, 0);
}

TEST(signal, ignored_but_blocked_waits)
{
	signal(SIGUSR1, SIG_IGN);
	block(SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	on(SIGUSR1, note, 0);
	unblock(SIGUSR1);
	CHECK_EQ(count, 1);
}

TEST(signal, ignoring_discards_what_is_pending)
{
	on(SIGUSR1, note, 0);
	block(SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	on(SIGUSR1, note, 0);
	unblock(SIGUSR1);
	CHECK_EQ(count, 0);
}

TEST(signal, kill_and_stop_cannot_be_caught)
{
	struct sigaction act = {.sa_handler = note};

	CHECK_ERRNO(sigaction(SIGKILL, &act, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &act, NULL), EINVAL);
	CHECK_OK(sigaction(SIGKILL, NULL, &act));
	CHECK_ERRNO(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8), EFAULT);
}

TEST(signal, kill_and_stop_cannot_be_blocked)
{
	sigset_t all, now;

	sigfillset(&all);
	CHECK_OK(sigprocmask(SIG_SETMASK, &all, NULL));
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(!sigismember(&now, SIGKILL));
	CHECK(!sigismember(&now, SIGSTOP));
	CHECK(sigismember(&now, SIGTERM));
}

TEST(signal, mask_changes)
{
	sigset_t set = set_of(SIGUSR1), old;

	CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(!sigismember(&old, SIGUSR1));
	set = set_of(SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(sigismember(&old, SIGUSR1));
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &old));
	CHECK(!sigismember(&old, SIGUSR1));
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 7, &set, NULL, 8), EINVAL);
	CHECK_OK(syscall(SYS_rt_sigprocmask, 7, NULL, &old, 8));
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8), EFAULT);
}

TEST(signal, blocked_stays_pending)
{
	sigset_t pending;

	on(SIGUSR1, note, 0);
	block(SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(count, 0);
	CHECK_OK(sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR1));
	unblock(SIGUSR1);
	CHECK_EQ(count, 1); /* a standard signal is pending once */
	CHECK_OK(sigpending(&pending));
	CHECK(!sigismember(&pending, SIGUSR1));
}

TEST(signal, realtime_signals_queue_in_order)
{
	for (int i = 0; i < 3; i++) {
		on(SIGRTMIN + i, note, 0);
		block(SIGRTMIN + i);
	}
	CHECK_OK(raise(SIGRTMIN + 2));
	CHECK_OK(raise(SIGRTMIN));
	CHECK_OK(raise(SIGRTMIN + 1));
	CHECK_OK(raise(SIGRTMIN));
	sigset_t none;
	sigemptyset(&none);
	for (int i = 0; i < 3; i++) { /* handlers must not nest */
		struct sigaction act = {.sa_handler = note};
		sigfillset(&act.sa_mask);
		CHECK_OK(sigaction(SIGRTMIN + i, &act, NULL));
	}
	CHECK_OK(sigprocmask(SIG_SETMASK, &none, NULL));
	CHECK_EQ(count, 4);
	CHECK_EQ(order[0], SIGRTMIN);
	CHECK_EQ(order[1], SIGRTMIN);
	CHECK_EQ(order[2], SIGRTMIN + 1);
	CHECK_EQ(order[3], SIGRTMIN + 2);
}

static volatile int depth, most;

static void nest(int sig)
{
	if (++depth > most)
		most = depth;
	if (count++ < 3)
		raise(sig);
	depth--;
}

TEST(signal, handler_blocks_its_own_signal)
{
	struct sigaction act = {0};

	act.sa_handler = nest;
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(count, 4);
	CHECK_EQ(most, 1);
	act.sa_flags = SA_NODEFER;
	count = most = 0;
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(most, 4);
}

static sigset_t during;

static void look(int sig)
{
	sigprocmask(SIG_SETMASK, NULL, &during);
}

TEST(signal, sa_mask_blocks_during_the_handler)
{
	struct sigaction act = {0};

	act.sa_handler = look;
	act.sa_mask = set_of(SIGTERM);
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK(sigismember(&during, SIGTERM));
	CHECK(sigismember(&during, SIGUSR1));
	CHECK(!sigismember(&during, SIGUSR2));
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &during));
	CHECK(!sigismember(&during, SIGTERM));
}

TEST(signal, resethand)
{
	struct sigaction act;

	on(SIGUSR1, note, SA_RESETHAND);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(count, 1);
	CHECK_OK(sigaction(SIGUSR1, NULL, &act));
	CHECK(act.sa_handler == SIG_DFL);
}

TEST(signal, siginfo_of_kill)
{
	on_info(SIGUSR1, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(info.si_errno, 0);
}

TEST(signal, siginfo_of_tgkill)
{
	on_info(SIGUSR1, 0);
	CHECK_OK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
	CHECK_EQ(info.si_code, SI_TKILL);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, -1, 1, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), getppid(), SIGUSR1), ESRCH);
	CHECK_ERRNO(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
}

TEST(signal, sigqueue_carries_a_value)
{
	on_info(SIGRTMIN + 3, 0);
	CHECK_OK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 1234}));
	CHECK_EQ(info.si_code, SI_QUEUE);
	CHECK_EQ(info.si_value.sival_int, 1234);
	CHECK_EQ(info.si_pid, getpid());
}

TEST(signal, sigqueue_cannot_pretend_to_be_the_kernel)
{
	siginfo_t si = {.si_signo = SIGUSR1, .si_code = SI_USER};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si), EPERM);
	si.si_code = SI_TKILL;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si), EPERM);
	si.si_code = SI_QUEUE;
	CHECK_OK(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si));
	EXPECT_KILLED(pid, SIGUSR1);
}

static sigjmp_buf back;

static void fault(int sig, siginfo_t *si, void *uc)
{
	note_info(sig, si, uc);
	siglongjmp(back, 1);
}

TEST(signal, fault_info)
{
	struct sigaction act = {0};
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	act.sa_sigaction = fault;
	act.sa_flags = SA_SIGINFO;
	CHECK_OK(sigaction(SIGSEGV, &act, NULL));
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 5) = 1;
	CHECK_EQ(got, SIGSEGV);
	CHECK_EQ(info.si_code, SEGV_ACCERR);
	CHECK(info.si_addr == page + 5);
	CHECK_OK(munmap(page, 4096));
	if (!sigsetjmp(back, 1))
		*(volatile char *)page;
	CHECK_EQ(info.si_code, SEGV_MAPERR);
	CHECK(info.si_addr == page);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 14);
	CHECK_EQ(context.uc_mcontext.gregs[REG_CR2], (greg_t)page);
	CHECK_EQ(context.uc_mcontext.gregs[REG_ERR], 4);
}

TEST(signal, noncanonical_address_has_no_si_addr)
{
	struct sigaction act = {0};

	act.sa_sigaction = fault;
	act.sa_flags = SA_SIGINFO;
	CHECK_OK(sigaction(SIGSEGV, &act, NULL));
	if (!sigsetjmp(back, 1))
		*(volatile char *)(unmapped << 60);
	CHECK_EQ(got, SIGSEGV);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK(info.si_addr == NULL);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 13);
}

TEST(signal, divide_error)
{
	static volatile int zero;
	struct sigaction act = {0};

	act.sa_sigaction = fault;
	act.sa_flags = SA_SIGINFO;
	CHECK_OK(sigaction(SIGFPE, &act, NULL));
	CHECK_OK(sigaction(SIGILL, &act, NULL));
	CHECK_OK(sigaction(SIGTRAP, &act, NULL));
	if (!sigsetjmp(back, 1))
		__asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; div %0"
				 :
				 : "r"(zero)
				 : "eax", "edx");
	CHECK_EQ(got, SIGFPE);
	CHECK_EQ(info.si_code, FPE_INTDIV);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	CHECK_EQ(got, SIGILL);
	CHECK_EQ(info.si_code, ILL_ILLOPN);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("int3");
	CHECK_EQ(got, SIGTRAP);
	CHECK_EQ(info.si_code, SI_KERNEL);
}

TEST(signal, privileged_instruction_kills_by_segv)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		__asm__ volatile("cli");
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

TEST(signal, blocked_fault_kills)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		on(SIGSEGV, note, 0);
		block(SIGSEGV);
		*(volatile char *)unmapped = 0;
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		signal(SIGSEGV, SIG_IGN);
		*(volatile char *)unmapped = 0;
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

static void skip(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	u->uc_mcontext.gregs[REG_RIP] += 2; /* over ud2 */
	u->uc_mcontext.gregs[REG_RBX] = 77;
}

TEST(signal, handler_may_change_the_context)
{
	struct sigaction act = {0};
	long value = 1;

	act.sa_sigaction = skip;
	act.sa_flags = SA_SIGINFO;
	CHECK_OK(sigaction(SIGILL, &act, NULL));
	__asm__ volatile("mov $5, %%rbx; ud2; mov %%rbx, %0" : "=r"(value) : : "rbx");
	CHECK_EQ(value, 77);
}

TEST(signal, registers_survive_a_handler)
{
	long a, b, c, d;
	double x = 1.5, y;

	on(SIGUSR1, note, 0);
	__asm__ volatile("mov $0x1111, %%r12; mov $0x2222, %%r13; mov $0x3333, %%r14; mov "
			 "$0x4444, %%rbx;"
			 "movsd %[x], %%xmm7;"
			 "syscall;"
			 "mov %%r12, %[a]; mov %%r13, %[b]; mov %%r14, %[c]; mov %%rbx, %[d]; "
			 "movsd %%xmm7, %[y]"
			 : [a] "=m"(a), [b] "=m"(b), [c] "=m"(c), [d] "=m"(d), [y] "=m"(y)
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1), [x] "m"(x)
			 : "rcx", "r11", "r12", "r13", "r14", "rbx", "xmm7", "memory");
	CHECK_EQ(count, 1);
	CHECK_EQ(a, 0x1111);
	CHECK_EQ(b, 0x2222);
	CHECK_EQ(c, 0x3333);
	CHECK_EQ(d, 0x4444);
	CHECK(y == 1.5);
}

static char altstack[65536], *inside;
static stack_t ss = {.ss_sp = altstack, .ss_size = sizeof(altstack)};

static void where(int sig)
{
	char here;
	stack_t now;

	inside = &here;
	sigaltstack(NULL, &now);
	count = now.ss_flags;
	got = sigaltstack(&ss, NULL) < 0 ? errno : 0;
}

TEST(signal, altstack)
{
	stack_t old;
	struct sigaction act = {.sa_flags = SA_ONSTACK};

	CHECK_OK(sigaltstack(NULL, &old));
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	CHECK_OK(sigaltstack(&ss, NULL));
	act.sa_handler = where;
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK(inside >= altstack && inside < altstack + sizeof(altstack));
	CHECK_EQ(count, SS_ONSTACK);
	CHECK_EQ(got, EPERM);
	CHECK_OK(sigaltstack(NULL, &old));
	CHECK_EQ(old.ss_flags, 0);
	ss.ss_size = 1000;
	CHECK_ERRNO(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = 99;
	CHECK_ERRNO(syscall(SYS_sigaltstack, &ss, NULL), EINVAL);
}

static void done(int sig)
{
	_exit(9);
}

static int deeper(int n)
{
	volatile char pad[4096];

	pad[0] = n;
	return n < 0 ? 0 : deeper(n + 1) + pad[0];
}

TEST(signal, stack_overflow_is_handled_on_the_altstack)
{
	struct sigaction act = {.sa_flags = SA_ONSTACK};
	pid_t pid;

	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(sigaltstack(&ss, NULL));
		act.sa_handler = done;
		CHECK_OK(sigaction(SIGSEGV, &act, NULL));
		_exit(deeper(0));
	}
	EXPECT_CHILD(pid, 9);
}

TEST(signal, sigsuspend_waits_with_another_mask)
{
	sigset_t none;
	pid_t pid;

	on(SIGUSR1, note, 0);
	block(SIGUSR1);
	pid = send_when_asleep(SIGUSR1);
	sigemptyset(&none);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &none));
	CHECK(sigismember(&none, SIGUSR1));
	EXPECT_CHILD(pid, 0);
}

TEST(signal, sigwaitinfo_takes_a_pending_signal)
{
	sigset_t set = set_of(SIGUSR1);
	siginfo_t si;

	block(SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(sigwaitinfo(&set, &si), SIGUSR1);
	CHECK_EQ(si.si_signo, SIGUSR1);
	CHECK_ERRNO(sigtimedwait(&set, &si, &(struct timespec){0, 1000000}), EAGAIN);
	CHECK_ERRNO(sigtimedwait(&set, &si, &(struct timespec){0, -1}), EINVAL);
}

TEST(signal, sigtimedwait_is_ended_by_another_signal)
{
	sigset_t set = set_of(SIGUSR1);
	pid_t pid;

	on(SIGUSR2, note, SA_RESTART);
	block(SIGUSR1);
	pid = send_when_asleep(SIGUSR2);
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8), EINTR);
	CHECK_EQ(got, SIGUSR2);
	EXPECT_CHILD(pid, 0);
}

TEST(signal, pause_returns_after_a_handler)
{
	pid_t pid;

	on(SIGUSR1, note, SA_RESTART);
	pid = send_when_asleep(SIGUSR1);
	CHECK_ERRNO(pause(), EINTR);
	EXPECT_CHILD(pid, 0);
}

TEST(signal, nanosleep_tells_what_is_left)
{
	struct timespec left = {0, 0};
	pid_t pid;

	on(SIGUSR1, note, SA_RESTART); /* nanosleep is never restarted after a handler */
	pid = send_when_asleep(SIGUSR1);
	CHECK_ERRNO(nanosleep(&(struct timespec){10, 0}, &left), EINTR);
	CHECK(left.tv_sec >= 5 && left.tv_sec < 10);
	EXPECT_CHILD(pid, 0);
}

TEST(signal, ignored_signals_do_not_interrupt)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		CHECK_OK(nanosleep(&(struct timespec){0, 100000000}, NULL));
		_exit(0);
	}
	wait_until_sleeping(pid);
	for (int i = 0; i < 3; i++) {
		sleep_ms(10);
		if (i)
			kill(pid, SIGWINCH);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(signal, stop_and_continue_do_not_end_a_sleep)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(nanosleep(&(struct timespec){0, 200000000}, NULL));
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGSTOP);
	sleep_ms(20);
	kill(pid, SIGCONT);
	EXPECT_CHILD(pid, 0);
}

TEST(signal, kill_errors)
{
	pid_t pid = CHECK_OK(fork());
	siginfo_t si;

	if (pid == 0)
		_exit(0);
	CHECK_ERRNO(kill(pid, 65), EINVAL);
	CHECK_ERRNO(kill(pid, -1), EINVAL);
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	CHECK_OK(kill(pid, 0));       /* a zombie is there */
	CHECK_OK(kill(pid, SIGKILL)); /* and does not mind */
	EXPECT_CHILD(pid, 0);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
	CHECK_ERRNO(kill(-pid, 0), ESRCH);
	CHECK_ERRNO(kill(INT_MIN, 0), ESRCH);
}

TEST(signal, kill_permissions)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(setresuid(1000, 1001, 1002));
		pause();
		_exit(0);
	}
	wait_until_sleeping(pid);
	IN_CHILD(CHECK_OK(setresuid(2000, 2000, 2000)); CHECK_ERRNO(kill(pid, 0), EPERM));
	IN_CHILD(CHECK_OK(setresuid(1001, 1001, 1001)); CHECK_ERRNO(kill(pid, 0), EPERM));
	IN_CHILD(CHECK_OK(setresuid(1000, 2000, 2000)); CHECK_OK(kill(pid, 0)));
	IN_CHILD(CHECK_OK(setresuid(1002, 1002, 1002)); CHECK_OK(kill(pid, 0)));
	IN_CHILD(CHECK_OK(setresuid(3000, 3000, 3000)); CHECK_ERRNO(kill(1, 0), EPERM));
	kill(pid, SIGKILL);
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(signal, kill_of_a_group)
{
	pid_t a = CHECK_OK(fork()), b;

	if (a == 0) {
		setpgid(0, 0);
		pause();
	}
	setpgid(a, a);
	b = CHECK_OK(fork());
	if (b == 0)
		pause();
	CHECK_OK(setpgid(b, a));
	CHECK_OK(kill(-a, SIGTERM));
	EXPECT_KILLED(a, SIGTERM);
	EXPECT_KILLED(b, SIGTERM);
}

TEST(signal, actions_and_mask_over_fork)
{
	on(SIGUSR1, note, 0);
	block(SIGUSR2);
	CHECK_OK(raise(SIGUSR2));
	IN_CHILD(sigset_t set; CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &set));
		 CHECK(sigismember(&set, SIGUSR2)); CHECK_OK(sigpending(&set));
		 CHECK(!sigismember(&set, SIGUSR2)); raise(SIGUSR1); CHECK_EQ(count, 1));
}

TEST(signal, sigpending_limit)
{
	struct rlimit limit = {5, 5};
	union sigval value = {0};
	int queued = 0;

	CHECK_OK(setresuid(4321, 4321, 4321));
	CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &limit));
	block(SIGRTMIN);
	while (queued < 20 && sigqueue(getpid(), SIGRTMIN, value) == 0)
		queued++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(queued, 5);
	CHECK_OK(kill(getpid(), SIGRTMIN)); /* kill always gets through */
}

TEST(signal, alarm_and_itimer)
{
	struct itimerval timer = {{0, 0}, {0, 20000}}, left;
	sigset_t none;
	int64_t start;
	unsigned seconds;

	on(SIGALRM, note, 0);
	do { /* what is left is rounded, half a second up */
		start = now_ms();
		CHECK_EQ(alarm(100), 0);
		seconds = alarm(0);
	} while (now_ms() - start > 400);
	CHECK_EQ(seconds, 100);
	block(SIGALRM); /* it comes in sigsuspend, or the wait would have no end */
	sigemptyset(&none);
	CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
	CHECK_OK(getitimer(ITIMER_REAL, &left));
	CHECK(left.it_value.tv_usec <= 20000);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_OK(getitimer(ITIMER_REAL, &left));
	CHECK_EQ(left.it_value.tv_sec, 0);
	CHECK_EQ(left.it_value.tv_usec, 0);
	CHECK_ERRNO(setitimer(3, &timer, NULL), EINVAL);
	timer.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);
}

TEST(signal, interval_timer_repeats)
{
	struct itimerval timer = {{0, 5000}, {0, 5000}};

	on(SIGALRM, note, SA_RESTART);
	CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
	while (count < 5)
		pause();
}

TEST(signal, virtual_timer_counts_cpu_time)
{
	struct itimerval timer = {{0, 0}, {0, 20000}};

	on(SIGVTALRM, note, 0);
	CHECK_OK(setitimer(ITIMER_VIRTUAL, &timer, NULL));
	for (volatile long i = 0; !count && i < 4000000000L; i++) {
	}
	CHECK_EQ(got, SIGVTALRM);
}

TEST(signal, sigreturn_by_hand_with_garbage_kills)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		__asm__ volatile("mov $8, %%rsp; mov %0, %%eax; syscall"
				 :
				 : "i"(SYS_rt_sigreturn)
				 : "memory");
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

TEST(signal, no_room_for_the_frame_kills)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		on(SIGUSR1, note, 0);
		__asm__ volatile(
			"mov %0, %%rsp; mov %1, %%eax; mov %2, %%edi; mov %3, %%esi; syscall"
			:
			: "r"(64L), "i"(SYS_kill), "r"((int)getpid()), "i"(SIGUSR1)
			: "memory", "rax", "rdi", "rsi");
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

TEST(signal, many_signals_between_two_processes)
{
	static volatile int left = 500;
	pid_t me = getpid(), pid;

	block(SIGUSR1);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		sigset_t set = set_of(SIGUSR1);

		for (int i = 0; i < left; i++) {
			CHECK_OK(kill(me, SIGUSR1));
			CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
		}
		_exit(0);
	}
	for (int i = 0; i < left; i++) {
		sigset_t set = set_of(SIGUSR1);

		CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
		CHECK_OK(kill(pid, SIGUSR1));
	}
	EXPECT_CHILD(pid, 0);
}
