// SPDX-License-Identifier: MIT
/*
 * The vDSO's code. It runs in programs: compiled and linked by itself (vdso.mk), with no access
 * to anything of the kernel but the data page below its image.
 *
 * A clock is a multiplication away from the TSC, as in the kernel (time/clock.h). Clocks that
 * count something else (CPU time, alarms, atomic time) are the kernel's: the call is made.
 *
 * Spec    man 7 vdso (x86-64: names and version), man 2 clock_gettime; Intel SDM vol.2 LSL
 */
#include "time/vdso_data.h"

#include <asm/unistd.h>
#include <linux/time.h>

#define NS_PER_SEC 1000000000ul

enum {
	SEL_CPU_NUMBER =
		0x20 | 3, /* descriptors.c: a segment whose limit is the CPU's number */
	/* linux/time.h: clocks that are the monotonic one, and the real-time one */
	MONOTONIC_CLOCKS = 1 << CLOCK_MONOTONIC | 1 << CLOCK_MONOTONIC_RAW |
			   1 << CLOCK_MONOTONIC_COARSE | 1 << CLOCK_BOOTTIME,
	REALTIME_CLOCKS = 1 << CLOCK_REALTIME | 1 << CLOCK_REALTIME_COARSE,
	NR_CLOCKS = 32, /* bits in the two above */
};
enum { PAGE = 4096 };

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* of this image */

#define DATA ((const volatile struct vdso_data *)((uintptr_t)__ehdr_start - PAGE))

static inline long call2(long nr, long a, long b)
{
	__asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b) : "rcx", "r11", "memory");
	return nr;
}

static inline uint64_t monotonic_ns(uint64_t mult)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)((unsigned __int128)(((uint64_t)high << 32 | low) - DATA->start) *
				  mult >>
			  32);
}

int __vdso_clock_gettime(int clock, struct timespec *ts);
int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	uint64_t ns, mult = DATA->mult;
	uint32_t bit = (unsigned)clock < NR_CLOCKS ? 1u << clock : 0;

	if (__builtin_expect(!(bit & (MONOTONIC_CLOCKS | REALTIME_CLOCKS)) || !mult, 0))
		return (int)call2(__NR_clock_gettime, clock, (long)ts);
	ns = monotonic_ns(mult);
	if (bit & REALTIME_CLOCKS)
		ns += (uint64_t)DATA->realtime_offset;
	ts->tv_sec = (long)(ns / NS_PER_SEC);
	ts->tv_nsec = (long)(ns % NS_PER_SEC);
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	uint64_t ns, mult = DATA->mult;

	if (__builtin_expect(tz || !tv || !mult, 0))
		return (int)call2(__NR_gettimeofday, (long)tv, (long)tz);
	ns = monotonic_ns(mult) + (uint64_t)DATA->realtime_offset;
	tv->tv_sec = (long)(ns / NS_PER_SEC);
	tv->tv_usec = (long)(ns % NS_PER_SEC / 1000);
	return 0;
}

long __vdso_time(long *t);
long __vdso_time(long *t)
{
	uint64_t mult = DATA->mult;
	long now;

	if (__builtin_expect(!mult, 0))
		return call2(__NR_time, (long)t, 0);
	now = (long)((monotonic_ns(mult) + (uint64_t)DATA->realtime_offset) / NS_PER_SEC);
	if (t)
		*t = now;
	return now;
}

/* Resolutions are constants of the kernel's; few programs ask, and none twice. */
int __vdso_clock_getres(int clock, struct timespec *ts);
int __vdso_clock_getres(int clock, struct timespec *ts)
{
	return (int)call2(__NR_clock_getres, clock, (long)ts);
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);
long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	unsigned number;

	(void)unused;
	__asm__ volatile("lsl %1, %0" : "=r"(number) : "r"(SEL_CPU_NUMBER) : "cc");
	if (cpu)
		*cpu = number;
	if (node)
		*node = 0;
	return 0;
}

#define ALSO(name) __attribute__((weak, alias("__vdso_" #name)))
int clock_gettime(int clock, struct timespec *ts) ALSO(clock_gettime);
int gettimeofday(struct timeval *tv, struct timezone *tz) ALSO(gettimeofday);
long time(long *t) ALSO(time);
int clock_getres(int clock, struct timespec *ts) ALSO(clock_getres);
long getcpu(unsigned *cpu, unsigned *node, void *unused) ALSO(getcpu);
