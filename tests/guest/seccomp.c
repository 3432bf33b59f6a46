// SPDX-License-Identifier: MIT
/* seccomp(2), prctl(2): PR_SET_SECCOMP, PR_GET_SECCOMP. The harness runs as root: no_new_privs is not needed. */
#include "guest.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define NR          offsetof(struct seccomp_data, nr)
#define LOAD(where) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, where)
#define RET(value)  BPF_STMT(BPF_RET | BPF_K, value)
/* The call nr is answered by `value`, every other is allowed. */
#define ON(nr, value)                                                                          \
	{                                                                                      \
		LOAD(NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RET(value),           \
			RET(SECCOMP_RET_ALLOW)                                                 \
	}

static long seccomp(unsigned op, unsigned flags, void *args)
{
	return syscall(SYS_seccomp, op, flags, args);
}

static long add(const struct sock_filter *code, unsigned short len, unsigned flags)
{
	struct sock_fprog prog = {len, (struct sock_filter *)code};

	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void on(int nr, unsigned value)
{
	const struct sock_filter code[] = ON(nr, value);

	CHECK_OK(add(code, 4, 0));
}

/* What a program of arithmetic returns, told by the errno that getppid then fails with. */
static int result_of(const struct sock_filter *code, unsigned len)
{
	struct sock_filter all[32] = {LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), RET(SECCOMP_RET_ALLOW)};
	unsigned n = 3;

	memcpy(all + n, code, len * sizeof(*code));
	n += len;
	all[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SECCOMP_RET_DATA);
	all[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	all[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	CHECK_OK(add(all, n, 0));
	errno = 0;
	syscall(SYS_getppid);
	return errno;
}
#define RESULT(...)                                                                            \
	({                                                                                     \
		const struct sock_filter code_[] = {__VA_ARGS__};                              \
		int fd_[2], value_ = -1;                                                       \
		pid_t pid_;                                                                    \
		CHECK_OK(pipe(fd_));                                                           \
		pid_ = CHECK_OK(fork());                                                       \
		if (!pid_) {                                                                   \
			value_ = result_of(code_, sizeof(code_) / sizeof(code_[0]));           \
			CHECK_EQ(write(fd_[1], &value_, sizeof(value_)), 4);                   \
			_exit(0);                                                              \
		}                                                                              \
		EXPECT_CHILD(pid_, 0);                                                         \
		CHECK_EQ(read(fd_[0], &value_, sizeof(value_)), 4);                            \
		close(fd_[0]);                                                                 \
		close(fd_[1]);                                                                 \
		value_;                                                                        \
	})

/* ---- Not seccomp, but like it: prctl(PR_SET_SYSCALL_USER_DISPATCH) ---- */

static char selector; /* SYSCALL_DISPATCH_FILTER_* */
static siginfo_t dispatched;

static void handle_call(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	selector = SYSCALL_DISPATCH_FILTER_ALLOW; /* the way back is a call, too */
	dispatched = *si;
	SHOW("rax is the number: %d", uc->uc_mcontext.gregs[REG_RAX] == si->si_syscall);
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static int dispatch(unsigned long mode, unsigned long start, unsigned long len, void *at)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, start, len, at);
}

TEST(seccomp, user_dispatch_gives_a_call_to_its_handler)
{
	struct sigaction act = {.sa_sigaction = handle_call, .sa_flags = SA_SIGINFO};

	CHECK_OK(sigaction(SIGSYS, &act, NULL));
	CHECK_OK(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
	CHECK(syscall(SYS_getppid) != 4711);
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	CHECK_EQ(syscall(SYS_getppid), 4711);
	CHECK_EQ(dispatched.si_code, 2); /* SYS_USER_DISPATCH */
	CHECK_EQ(dispatched.si_errno, 0);
	CHECK_EQ(dispatched.si_syscall, SYS_getppid);
	CHECK_EQ(dispatched.si_arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(((unsigned char *)dispatched.si_call_addr)[-1], 0x05);
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	CHECK_EQ(syscall(5000), 4711); /* a number that is nobody's */
	/* from an address of the range it is the kernel's */
	CHECK_OK(dispatch(
		PR_SYS_DISPATCH_ON, (unsigned long)dispatched.si_call_addr, 1, &selector));
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	CHECK(syscall(SYS_getppid) != 4711);
	CHECK_EQ(getppid(), 4711); /* musl's is elsewhere */
	CHECK_OK(dispatch(PR_SYS_DISPATCH_OFF, 0, 0, NULL));
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	CHECK(syscall(SYS_getppid) != 4711);
}

TEST(seccomp, user_dispatch_refuses_nonsense)
{
	CHECK_ERRNO(dispatch(2, 0, 0, NULL), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_OFF, 1, 0, NULL), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_OFF, 0, 1, NULL), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_OFF, 0, 0, &selector), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_ON, 1, 0, &selector), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_ON, 1, -1UL, &selector), EINVAL);
	CHECK_ERRNO(dispatch(PR_SYS_DISPATCH_ON, 0, 0, (void *)-4096L), EFAULT);
	CHECK_OK(dispatch(PR_SYS_DISPATCH_ON, 0, -1UL, (void *)8)); /* all are allowed */
	CHECK_OK(getppid());
}

static pid_t ends_by(int ignored, char chosen, void *at)
{
	pid_t pid = CHECK_OK(fork());

	if (pid)
		return pid;
	selector = chosen;
	signal(ignored, SIG_IGN);
	dispatch(PR_SYS_DISPATCH_ON, 0, 0, at);
	syscall(SYS_getppid);
	for (;;)
		;
}

TEST(seccomp, user_dispatch_kills_for_a_wrong_selector)
{
	EXPECT_KILLED(ends_by(SIGSYS, SYSCALL_DISPATCH_FILTER_BLOCK + 1, &selector), SIGSYS);
	EXPECT_KILLED(ends_by(SIGSYS, SYSCALL_DISPATCH_FILTER_BLOCK, &selector), SIGSYS);
	EXPECT_KILLED(ends_by(SIGSYS, 0, NULL), SIGSYS);
	EXPECT_KILLED(ends_by(SIGSEGV, 0, (void *)8), SIGSEGV);
}

int guest_helper(int argc, char **argv)
{
	(void)argc, (void)argv;
	return syscall(SYS_getppid) > 0 ? 0 : 1;
}

TEST(seccomp, user_dispatch_ends_with_fork_and_exec)
{
	/* allowed while the selector, which exec takes away, says so */
	CHECK_OK(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
	IN_CHILD({
		selector = SYSCALL_DISPATCH_FILTER_BLOCK;
		CHECK(syscall(SYS_getppid) > 0);
	});
	IN_CHILD(execl("/proc/self/exe", "exe", "--helper", "none", NULL), _exit(2));
}

TEST(seccomp, errno_is_answered)
{
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	on(SYS_getppid, SECCOMP_RET_ERRNO | EBUSY);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_ERRNO(syscall(SYS_getppid), EBUSY);
	on(SYS_getpgrp, SECCOMP_RET_ERRNO | 0);
	CHECK_EQ(syscall(SYS_getpgrp), 0);
	on(SYS_getsid, SECCOMP_RET_ERRNO | 0xffff); /* no more than the last errno */
	CHECK_EQ(syscall(SYS_getsid, 0), -1);
	CHECK_EQ(errno, 4095);
	on(SYS_getuid, SECCOMP_RET_TRACE | 5);
	CHECK_ERRNO(syscall(SYS_getuid), ENOSYS);
	on(SYS_geteuid, SECCOMP_RET_LOG);
	CHECK_EQ(syscall(SYS_geteuid), 0);
	CHECK(getpid() > 0);
}

TEST(seccomp, the_strictest_answer_counts)
{
	on(SYS_getppid, SECCOMP_RET_ERRNO | EBUSY);
	on(SYS_getppid, SECCOMP_RET_ERRNO | EPERM); /* of two alike, the newest */
	CHECK_ERRNO(syscall(SYS_getppid), EPERM);
	on(SYS_getppid, SECCOMP_RET_TRACE);
	CHECK_ERRNO(syscall(SYS_getppid), EPERM);
	IN_CHILD(on(SYS_getppid, SECCOMP_RET_ALLOW); CHECK_ERRNO(syscall(SYS_getppid), EPERM));
}

TEST(seccomp, children_and_programs_inherit)
{
	char *const args[] = {"/proc/self/exe", NULL};
	pid_t pid;

	on(SYS_getppid, SECCOMP_RET_ERRNO | EBUSY);
	IN_CHILD(CHECK_ERRNO(syscall(SYS_getppid), EBUSY);
		 on(SYS_getpgrp, SECCOMP_RET_ERRNO | EIO));
	CHECK(getpgrp() > 0); /* the child's own */
	pid = CHECK_OK(fork());
	if (!pid) {
		on(SYS_set_tid_address, SECCOMP_RET_KILL_PROCESS); /* among a program's first */
		execv(args[0], args);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
}

TEST(seccomp, killed_process)
{
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		signal(SIGSYS, SIG_IGN);
		on(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
		syscall(SYS_getppid);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
	pid = CHECK_OK(fork());
	if (!pid) {
		on(SYS_getppid, SECCOMP_RET_KILL_THREAD);
		syscall(SYS_getppid);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
	pid = CHECK_OK(fork());
	if (!pid) {
		on(SYS_getppid, 0x12340000); /* no known action */
		syscall(SYS_getppid);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
}

static int filter_tid; /* of the thread that ends by its filter */

static void *end_by_filter(void *action)
{
	filter_tid = gettid();
	on(SYS_getppid, *(unsigned *)action);
	syscall(SYS_getppid);
	_exit(3);
}

/* pthread_join would wait for ever: the thread does not say that it ends. */
static void wait_for_end_of_thread(void)
{
	while (!__atomic_load_n(&filter_tid, __ATOMIC_SEQ_CST) ||
		!syscall(SYS_tgkill, getpid(), filter_tid, 0))
		sched_yield();
}

TEST(seccomp, killed_thread)
{
	static unsigned action = SECCOMP_RET_KILL_THREAD;
	pthread_t t;
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		CHECK_EQ(pthread_create(&t, NULL, end_by_filter, &action), 0);
		wait_for_end_of_thread();
		CHECK(syscall(SYS_getppid) > 0); /* that thread's filter was its own */
		_exit(7);
	}
	EXPECT_CHILD(pid, 7);
	pid = CHECK_OK(fork());
	if (!pid) {
		action = SECCOMP_RET_KILL_PROCESS;
		CHECK_EQ(pthread_create(&t, NULL, end_by_filter, &action), 0);
		pause();
	}
	EXPECT_KILLED(pid, SIGSYS);
}

/* A thread as the kernel knows it: who joins waits for its word, which becomes 0 when it ends. */
static int start_bare_thread(int (*fn)(void *), unsigned *word)
{
	enum { STACK = 65536 };
	static char stack[STACK] __attribute__((aligned(16)));

	*word = 1;
	return clone(fn, stack + STACK,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
		NULL, NULL, NULL, word);
}

static void join_bare_thread(unsigned *word)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST))
		(void)syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
}

static int end_by_filter_slowly(void *arg)
{
	unsigned action = SECCOMP_RET_KILL_THREAD;

	(void)arg;
	wait_until_sleeping(getpid()); /* who joins */
	return end_by_filter(&action) != NULL;
}

static int sleep_on(void *arg)
{
	(void)arg;
	return (int)syscall(SYS_pause);
}

TEST(seccomp, killed_thread_wakes_who_joins_it)
{
	unsigned *word =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(word != MAP_FAILED);
	IN_CHILD({
		CHECK_OK(start_bare_thread(end_by_filter_slowly, word));
		join_bare_thread(word);
	});
	*word = 1;
	IN_CHILD({ /* and who waits in another process, when exec ends it */
		wait_until_sleeping(CHECK_OK(start_bare_thread(sleep_on, word)));
		(void)execl("/proc/self/exe", "seccomp", "--helper", NULL);
	});
	join_bare_thread(word);
}

static siginfo_t trapped;
static volatile int nr_trapped;

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	trapped = *si;
	nr_trapped++;
}

TEST(seccomp, trap)
{
	struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	pid_t pid;

	CHECK_OK(sigaction(SIGSYS, &act, NULL));
	on(SYS_getppid, SECCOMP_RET_TRAP | 77);
	CHECK_EQ(syscall(SYS_getppid), SYS_getppid); /* the register as it was */
	CHECK_EQ(nr_trapped, 1);
	CHECK_EQ(trapped.si_signo, SIGSYS);
	CHECK_EQ(trapped.si_code, 1); /* SYS_SECCOMP */
	CHECK_EQ(trapped.si_errno, 77);
	CHECK_EQ(trapped.si_syscall, SYS_getppid);
	CHECK_EQ(trapped.si_arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(memcmp((char *)trapped.si_call_addr - 2, "\x0f\x05", 2), 0);
	pid = CHECK_OK(fork());
	if (!pid) {
		signal(SIGSYS, SIG_IGN);
		syscall(SYS_getppid);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
}

TEST(seccomp, strict)
{
	pid_t pid = CHECK_OK(fork());
	char c = 'x';
	int fd[2];

	if (!pid) {
		CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		syscall(SYS_exit, 5);
	}
	EXPECT_CHILD(pid, 5);
	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_OK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
		if (write(fd[1], &c, 1) == 1 && read(fd[0], &c, 1) == 1)
			syscall(SYS_getpid);
		syscall(SYS_exit, 5);
	}
	EXPECT_KILLED(pid, SIGKILL);
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_OK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
		prctl(PR_GET_SECCOMP);
		syscall(SYS_exit, 5);
	}
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(seccomp, arguments)
{
	struct sock_filter code[] = ON(SYS_getppid, SECCOMP_RET_ERRNO | EBUSY);
	struct sock_filter *many = calloc(4097, sizeof(*many));
	struct sock_fprog bad = {4, (void *)8};

	CHECK_ERRNO(seccomp(9, 0, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 0, code), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, NULL), EFAULT);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL), EFAULT);
	CHECK_ERRNO(
		seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, NULL), EFAULT);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 1 << 9, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &bad), EFAULT);
	CHECK_ERRNO(add(code, 0, 0), EINVAL);
	CHECK_ERRNO(add(many, 4097, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 3), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL), EFAULT);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(add(code, 4, 0), EACCES);
		 CHECK_ERRNO(add(code, 0, 0), EINVAL);
		 CHECK_ERRNO(add((void *)8, 4, 0), EACCES);
		 CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); CHECK_OK(add(code, 4, 0));
		 CHECK_ERRNO(syscall(SYS_getppid), EBUSY));
	on(SYS_getppid, SECCOMP_RET_ALLOW);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
}

TEST(seccomp, actions_are_known)
{
	static const unsigned known[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		SECCOMP_RET_ALLOW};
	unsigned odd[] = {SECCOMP_RET_ERRNO | 1, 0x12340000};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CHECK_OK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, (void *)&known[i]));
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &odd[0]), EOPNOTSUPP);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &odd[1]), EOPNOTSUPP);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &odd[1]), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, NULL), EFAULT);
}

/* In a child: what is valid may end it. */
static bool is_valid(unsigned short code, unsigned k)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_ST, 0), BPF_STMT(code, k), RET(SECCOMP_RET_ALLOW)};
	pid_t pid = CHECK_OK(fork());
	int status;

	if (!pid) {
		bool is_last = BPF_CLASS(code) == BPF_RET;

		if (add(f + is_last, is_last ? 1 : 3, 0))
			_exit(errno);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status))
		CHECK_EQ(WEXITSTATUS(status), EINVAL);
	return WIFSIGNALED(status) || !WEXITSTATUS(status);
}

TEST_WITHIN(seccomp, every_instruction, 60)
{
	char line[300];

	for (unsigned class = 0; class < 8; class ++) {
		size_t n = 0;

		for (unsigned code = class; code < 0x200; code += 8)
			if (is_valid(code, 0) || is_valid(code, 4))
				n += (size_t)snprintf(line + n, sizeof(line) - n, " %x", code);
		line[n] = 0;
		SHOW("class %u:%s", class, line);
	}
	CHECK(!is_valid(BPF_LD | BPF_W | BPF_ABS, 2));
	CHECK(is_valid(BPF_LD | BPF_W | BPF_ABS, 60));
	CHECK(!is_valid(BPF_LD | BPF_W | BPF_ABS, 64));
	CHECK(!is_valid(BPF_ALU | BPF_DIV | BPF_K, 0));
	CHECK(!is_valid(BPF_ALU | BPF_LSH | BPF_K, 32));
	CHECK(is_valid(BPF_ALU | BPF_LSH | BPF_K, 31));
	CHECK(!is_valid(BPF_ALU | BPF_RSH | BPF_K, 32));
	CHECK(!is_valid(BPF_LD | BPF_MEM, 16));
	CHECK(!is_valid(BPF_ST, 16));
	CHECK(is_valid(BPF_ST, 15));
	CHECK(is_valid(BPF_LD | BPF_MEM, 0));
	CHECK(!is_valid(BPF_LD | BPF_MEM, 1)); /* never stored */
	CHECK(is_valid(BPF_JMP | BPF_JA, 0));
	CHECK(!is_valid(BPF_JMP | BPF_JA, 1));
	CHECK(!is_valid(BPF_JMP | BPF_JA, -1));
}

TEST(seccomp, jumps_and_ends)
{
	const struct sock_filter no_end[] = {
		RET(SECCOMP_RET_ALLOW), BPF_STMT(BPF_MISC | BPF_TAX, 0)};
	const struct sock_filter far[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RET(SECCOMP_RET_ALLOW)};
	/* M[0] is stored on one of two ways only */
	const struct sock_filter half[] = {LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 0), RET(SECCOMP_RET_ALLOW)};
	const struct sock_filter both[] = {LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), BPF_STMT(BPF_ST, 0),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 0), RET(SECCOMP_RET_ALLOW)};

	CHECK_ERRNO(add(no_end, 2, 0), EINVAL);
	CHECK_ERRNO(add(far, 2, 0), EINVAL);
	CHECK_ERRNO(add(half, 5, 0), EINVAL);
	CHECK_OK(add(both, 7, 0));
}

#define A(op, k) BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define X(op)    BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define IMM(k)   BPF_STMT(BPF_LD | BPF_IMM, k)
#define XIMM(k)  BPF_STMT(BPF_LDX | BPF_IMM, k)

TEST(seccomp, arithmetic)
{
	CHECK_EQ(RESULT(IMM(40), A(BPF_ADD, 2)), 42);
	CHECK_EQ(RESULT(IMM(40), A(BPF_SUB, 2)), 38);
	CHECK_EQ(RESULT(IMM(40), A(BPF_MUL, 2)), 80);
	CHECK_EQ(RESULT(IMM(40), A(BPF_DIV, 3)), 13);
	CHECK_EQ(RESULT(IMM(-6), A(BPF_DIV, 0x10000000)), 15); /* unsigned */
	CHECK_EQ(RESULT(IMM(40), XIMM(7), X(BPF_ADD)), 47);
	CHECK_EQ(RESULT(IMM(40), XIMM(7), X(BPF_SUB)), 33);
	CHECK_EQ(RESULT(IMM(40), XIMM(7), X(BPF_MUL)), 280);
	CHECK_EQ(RESULT(IMM(40), XIMM(7), X(BPF_DIV)), 5);
	CHECK_EQ(RESULT(IMM(12), A(BPF_AND, 10)), 8);
	CHECK_EQ(RESULT(IMM(12), A(BPF_OR, 3)), 15);
	CHECK_EQ(RESULT(IMM(12), A(BPF_XOR, 10)), 6);
	CHECK_EQ(RESULT(IMM(12), A(BPF_LSH, 3)), 96);
	CHECK_EQ(RESULT(IMM(0x80000000), A(BPF_RSH, 28)), 8);
	CHECK_EQ(RESULT(IMM(12), XIMM(35), X(BPF_LSH)), 96);
	CHECK_EQ(RESULT(IMM(-3), BPF_STMT(BPF_ALU | BPF_NEG, 0)), 3);
	CHECK_EQ(RESULT(IMM(9), BPF_STMT(BPF_ST, 3), IMM(1), BPF_STMT(BPF_LD | BPF_MEM, 3)), 9);
	CHECK_EQ(RESULT(XIMM(9), BPF_STMT(BPF_STX, 3), BPF_STMT(BPF_LD | BPF_MEM, 3)), 9);
	CHECK_EQ(RESULT(IMM(9), BPF_STMT(BPF_MISC | BPF_TAX, 0), IMM(1),
			 BPF_STMT(BPF_MISC | BPF_TXA, 0)),
		9);
	CHECK_EQ(RESULT(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)), 64);
	CHECK_EQ(
		RESULT(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0)),
		64);
	CHECK_EQ(RESULT(IMM(5), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 5, 0, 1), IMM(1)), 5);
	CHECK_EQ(RESULT(IMM(5), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 5, 0, 1), IMM(1)), 1);
	CHECK_EQ(RESULT(IMM(-1), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 5, 0, 1), IMM(1)), 1);
	CHECK_EQ(RESULT(IMM(6), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1), IMM(1)), 1);
	CHECK_EQ(RESULT(IMM(6), XIMM(9), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1), IMM(1)),
		6);
	CHECK_EQ(RESULT(LOAD(NR)), SYS_getppid);
	CHECK_EQ(RESULT(LOAD(4), A(BPF_RSH, 28)), AUDIT_ARCH_X86_64 >> 28);
}

TEST(seccomp, divide_by_zero_kills)
{
	const struct sock_filter code[] = {LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), RET(SECCOMP_RET_ALLOW),
		X(BPF_DIV), RET(SECCOMP_RET_ALLOW)};
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		CHECK_OK(add(code, 5, 0));
		syscall(SYS_getppid);
		_exit(1);
	}
	EXPECT_KILLED(pid, SIGSYS);
}

TEST(seccomp, arguments_are_seen_whole)
{
	const struct sock_filter code[] = {LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 5), LOAD(16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1234, 0, 3), LOAD(20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x5678, 0, 1),
		RET(SECCOMP_RET_ERRNO | EXDEV), RET(SECCOMP_RET_ALLOW)};

	CHECK_OK(add(code, 8, 0));
	CHECK_ERRNO(syscall(SYS_close, 0x567800001234), EXDEV);
	CHECK_ERRNO(syscall(SYS_close, 0x1234), EBADF);
}

TEST(seccomp, filters_are_limited_in_length)
{
	struct sock_filter *code = calloc(4096, sizeof(*code));
	int nr = 0;

	for (int i = 0; i < 4096; i++)
		code[i] = (struct sock_filter)RET(SECCOMP_RET_ALLOW);
	while (!add(code, 4096, 0))
		nr++;
	CHECK_EQ(errno, ENOMEM);
	CHECK(nr >= 3 && nr <= 8); /* how long they are is the kernel's to say */
}

static int ready[2], go_on[2];

static void *ask_later(void *own_filter)
{
	char c;

	if (own_filter)
		on(SYS_getpgrp, SECCOMP_RET_ALLOW);
	CHECK_EQ(write(ready[1], "r", 1), 1);
	CHECK_EQ(read(go_on[0], &c, 1), 1);
	errno = 0;
	syscall(SYS_getppid);
	return (void *)(long)(errno * 10 + prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

TEST(seccomp, all_threads_at_once)
{
	const struct sock_filter code[] = ON(SYS_getppid, SECCOMP_RET_ERRNO | EBUSY);
	void *result;
	pthread_t t;
	char c;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go_on));
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	on(SYS_getsid, SECCOMP_RET_ALLOW);
	CHECK_EQ(pthread_create(&t, NULL, ask_later, NULL), 0);
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_OK(add(code, 4, SECCOMP_FILTER_FLAG_TSYNC));
	CHECK_EQ(write(go_on[1], "g", 1), 1);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK_EQ((long)result, EBUSY * 10 + 1);
}

TEST(seccomp, a_thread_of_its_own_way_is_named)
{
	const struct sock_filter code[] = ON(SYS_getsid, SECCOMP_RET_ERRNO | EBUSY);
	void *result;
	pthread_t t;
	char c;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go_on));
	CHECK_EQ(pthread_create(&t, NULL, ask_later, ready), 0);
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_EQ(add(code, 4, SECCOMP_FILTER_FLAG_TSYNC), getpid() + 1);
	CHECK_ERRNO(add(code, 4, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
		ESRCH);
	CHECK_OK(syscall(SYS_getsid, 0));
	CHECK_EQ(write(go_on[1], "g", 1), 1);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK_EQ((long)result, 0);
}

TEST(seccomp, a_restarted_call_is_seen_again)
{
	struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART};
	int fd[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	on(SYS_pause, SECCOMP_RET_ERRNO | EBUSY);
	pid = CHECK_OK(fork());
	if (!pid) {
		struct timespec t = {0, 50000000};

		wait_until_sleeping(getppid());
		kill(getppid(), SIGUSR1);
		nanosleep(&t, NULL);
		CHECK_EQ(write(fd[1], "w", 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_EQ(nr_trapped, 1);
	EXPECT_CHILD(pid, 0);
}

TEST(seccomp, status_shows_it)
{
	char text[8192], *line;
	int fd;

	on(SYS_getppid, SECCOMP_RET_ALLOW);
	on(SYS_getppid, SECCOMP_RET_ALLOW);
	fd = CHECK_OK(open("/proc/self/status", O_RDONLY));
	text[CHECK_OK(read(fd, text, sizeof(text) - 1))] = 0;
	line = strstr(text, "\nSeccomp:");
	CHECK(line);
	CHECK_EQ(strncmp(line, "\nSeccomp:\t2\nSeccomp_filters:\t2\n", 31), 0);
}
