// SPDX-License-Identifier: MIT
/*
 * What the walk of hostile calls calls: every number of the table, some beside it, and the numbers
 * that it passes over.
 */
#include "hostile.h"

const struct call hostile_calls[] = {
#define SYSCALL(name, letters) {__NR_##name, letters, #name},
#include "../../../kernel/abi/syscalls.def"
#undef SYSCALL
	{335, "*", "335"}, /* in the gap before 424, and beyond the last */
	{423, "*", "423"},
	{460, "*", "460"},
	{512, "*", "512"}, /* x32's own */
	{547, "*", "547"},
	{100000, "*", "100000"},
	{-1, "*", "-1"},
	{INT_MIN, "*", "INT_MIN"},
	{0x40000000, "dbu", "x32 read"},
	{0x40000009, "puPMdx", "x32 mmap"},
};
const size_t nr_hostile_calls = sizeof(hostile_calls) / sizeof(*hostile_calls);

/* What root does to the whole machine or to processes that are not its own. */
static const int machine_wide[] = {
	__NR_reboot,
	__NR_kexec_load,
	__NR_kexec_file_load,
	__NR_settimeofday,
	__NR_clock_settime,
	__NR_clock_adjtime,
	__NR_adjtimex,
	__NR_sethostname,
	__NR_setdomainname,
	__NR_swapon,
	__NR_swapoff,
	__NR_vhangup,
	__NR_acct,
	__NR_syslog,
	__NR_setrlimit,
	__NR_prlimit64,
	__NR_kill,
	__NR_tkill,
	__NR_tgkill,
	__NR_rt_sigqueueinfo,
	__NR_rt_tgsigqueueinfo,
	__NR_pidfd_send_signal,
	__NR_sched_setscheduler,
	__NR_sched_setparam,
	__NR_sched_setattr,
	__NR_sched_setaffinity,
	__NR_setpriority,
	__NR_ptrace,
	__NR_process_vm_writev,
	__NR_process_madvise,
	__NR_process_mrelease,
	__NR_bpf,
	__NR_mknod,
	__NR_mknodat,
	__NR_iopl,
	__NR_ioperm,
	__NR_quotactl,
	__NR_quotactl_fd,

	__NR_pidfd_getfd,
};

/* These end the thread or its walk too often if they come at every turn. */
static const int final[] = {
	__NR_exit,
	__NR_exit_group,
	__NR_rt_sigreturn,
	__NR_execve,
	__NR_execveat,
	__NR_pause,
	__NR_seccomp,
	__NR_landlock_restrict_self,
	__NR_munmap,
	__NR_rt_sigsuspend,
	__NR_close_range,
	__NR_arch_prctl,
	__NR_mprotect,
	__NR_pkey_mprotect,
	__NR_mremap,
};

static bool is_among(int nr, const int *set, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i] == nr)
			return true;
	return false;
}

bool is_machine_wide(int nr)
{
	return is_among(nr, machine_wide, sizeof(machine_wide) / sizeof(*machine_wide));
}

bool is_final(int nr)
{
	return is_among(nr, final, sizeof(final) / sizeof(*final));
}

long call_raw(long nr, const uint64_t a[6], bool forks)
{
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4],
			      r9 __asm__("r9") = a[5];
	register uint64_t r12 __asm__("r12") = forks;
	long result;

	__asm__ volatile(
		"syscall\n"
		"	test %%rax, %%rax\n"
		"	jnz 1f\n"
		"	test %%r12, %%r12\n"
		"	jz 1f\n"
		"	mov $60, %%eax\n" /* exit */
		"	xor %%edi, %%edi\n"
		"	syscall\n"
		"	ud2\n"
		"1:"
		: "=a"(result)
		: "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9), "r"(r12)
		: "rcx", "r11", "memory");
	return result;
}
