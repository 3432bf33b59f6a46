// SPDX-License-Identifier: MIT
/*
 * System calls about the system: its names, its memory and load, its log, random bytes, its end.
 */
#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "arch/arch.h"
#include "debug/log.h"
#include "dev/tty/serial.h"
#include "dev/tty/tty.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/pagecache.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "proc/uts.h"
#include "sched/load.h"
#include "security/random.h"
#include "sys/syscall.h"
#include "time/clock.h"
#include "time/timer.h"
#include "uaccess/uaccess.h"

#define LAST_WORDS_LIMIT (5 * NS_PER_SEC)

/* ---- uname ---- */

SYSCALL1(uname, uptr, buf)
{
	struct new_utsname u = {
		.sysname = UTS_SYSNAME, .release = UTS_RELEASE, .version = UTS_VERSION};

	(void)str_copy(u.machine, arch_platform(), sizeof(u.machine));
	if ((uthread_current()->personality & PER_MASK) == PER_LINUX32)
		(void)str_copy(u.machine, "i686", sizeof(u.machine)); /* man 1 linux32 */
	uts_get_name(UTS_NODE, u.nodename);
	uts_get_name(UTS_DOMAIN, u.domainname);
	return user_put(buf, u);
}

static int64_t set_name(enum uts_name which, uptr from, int len)
{
	char name[UTS_NAME_SIZE];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len >= UTS_NAME_SIZE)
		return -EINVAL;
	if (user_read(name, from, (size_t)len))
		return -EFAULT;
	return uts_set_name(which, name, (size_t)len);
}

SYSCALL2(sethostname, uptr, name, int, len)
{
	return set_name(UTS_NODE, name, len);
}

SYSCALL2(setdomainname, uptr, name, int, len)
{
	return set_name(UTS_DOMAIN, name, len);
}

/* ---- sysinfo ---- */

SYSCALL1(sysinfo, uptr, buf)
{
	enum { LOAD_SHIFT = SI_LOAD_SHIFT };
	struct sysinfo info = {0};
	struct load_averages load;
	struct page_stats pages;

	load_get(&load);
	page_get_stats(&pages);
	info.uptime = (long)(clock_monotonic_ns() / NS_PER_SEC);
	for (unsigned i = 0; i < ARRAY_LEN(info.loads); i++)
		info.loads[i] = ((unsigned long)load.centi[i] << LOAD_SHIFT) / 100;
	info.totalram = pages.total << PAGE_SHIFT;
	info.freeram = pages.free << PAGE_SHIFT;
	info.sharedram = pagecache_total_pages() << PAGE_SHIFT;
	info.procs = (unsigned short)MIN(thread_count(), (unsigned)UINT16_MAX);
	info.mem_unit = 1;
	return user_put(buf, info);
}

/* ---- Random bytes ---- */

SYSCALL3(getrandom, uptr, buf, size_t, len, unsigned, flags)
{
	uint8_t piece[256];
	size_t done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
		return -EINVAL;
	len = MIN(len, (size_t)INT32_MAX);
	while (done < len) {
		size_t n = MIN(sizeof(piece), len - done), copied;

		random_bytes(piece, n);
		copied = user_write_some(uptr_add(buf, done), piece, n);
		done += copied;
		if (copied < n || signal_is_pending())
			break;
	}
	memset(piece, 0, sizeof(piece));
	return done || !len ? (int64_t)done : -EFAULT;
}

/* ---- The log: syslog(2) ---- */

enum syslog_action { /* man 2 syslog */
	LOG_CLOSE = 0,
	LOG_OPEN = 1,
	LOG_READ = 2,
	LOG_READ_ALL = 3,
	LOG_READ_CLEAR = 4,
	LOG_CLEAR = 5,
	LOG_CONSOLE_OFF = 6,
	LOG_CONSOLE_ON = 7,
	LOG_CONSOLE_LEVEL = 8,
	LOG_SIZE_UNREAD = 9,
	LOG_SIZE_BUFFER = 10,
};

enum { LOG_PIECE = 1024, LOG_LEVEL_MIN = 1, LOG_LEVEL_MAX = 8, LOG_LEVEL_ALL = 7 };

/* How many bytes the lines from seq on are; for LOG_READ_ALL's "the last len bytes". */
static size_t log_length(uint64_t seq, char *piece)
{
	size_t sum = 0, n;

	while ((n = log_read(&seq, piece, LOG_PIECE)))
		sum += n;
	return sum;
}

static int64_t read_log(uptr buf, int len, bool clear)
{
	uint64_t first, next, seq;
	size_t skip, n, done = 0;
	char *piece;

	if (len < 0 || uptr_is_null(buf))
		return -EINVAL;
	piece = mem_alloc(LOG_PIECE, 0);
	if (!piece)
		return -ENOMEM;
	log_get_range(&first, &next);
	seq = MAX(first, log_get_cleared());
	skip = log_length(seq, piece);
	skip -= MIN(skip, (size_t)len);
	while (done < (size_t)len && (n = log_read(&seq, piece, LOG_PIECE))) {
		size_t from = MIN(skip, n);

		skip -= from;
		n = MIN(n - from, (size_t)len - done);
		if (user_write(uptr_add(buf, done), piece + from, n)) {
			mem_free(piece);
			return -EFAULT;
		}
		done += n;
	}
	mem_free(piece);
	if (clear)
		log_clear();
	return (int64_t)done;
}

SYSCALL3(syslog, int, action, uptr, buf, int, len)
{
	if (action != LOG_READ_ALL && action != LOG_SIZE_BUFFER && !capable(CAP_SYSLOG) &&
		!capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (action) {
	case LOG_CLOSE:
	case LOG_OPEN:
		return 0;
	case LOG_READ_ALL:
	case LOG_READ_CLEAR:
		return read_log(buf, len, action == LOG_READ_CLEAR);
	case LOG_CLEAR:
		log_clear();
		return 0;
	case LOG_CONSOLE_OFF:
		log_set_console_level(LOG_LEVEL_MIN - 1);
		return 0;
	case LOG_CONSOLE_ON:
		log_set_console_level(LOG_LEVEL_ALL);
		return 0;
	case LOG_CONSOLE_LEVEL:
		if (len < LOG_LEVEL_MIN || len > LOG_LEVEL_MAX)
			return -EINVAL;
		log_set_console_level(len - 1); /* what is below it is shown */
		return 0;
	case LOG_SIZE_BUFFER:
		return (int64_t)log_buffer_size();
	default:
		return -EINVAL;
	}
}

/* ---- The end ---- */

/* What programs wrote and the kernel logged is seen before the machine goes: another thread may print it still. */
static void say_last(const char *what)
{
	uint64_t end = clock_deadline_ns(LAST_WORDS_LIMIT);

	serial_drain();
	log_notice("reboot: %s", what);
	while (!log_is_printed() && clock_monotonic_ns() < end)
		(void)!sleep_ns(NS_PER_MS);
}

/* man 2 reboot, RESTART2: a word for the firmware, which here is only logged; of a long one its beginning. */
static int say_command(uptr arg)
{
	char command[256] = "";
	int len = user_read_string(command, arg, sizeof(command));

	if (len == -EFAULT)
		return len;
	command[sizeof(command) - 1] = 0;
	log_notice("reboot: command '%s'", command);
	return 0;
}

SYSCALL4(reboot, int, magic, int, magic2, unsigned, cmd, uptr, arg)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if ((unsigned)magic != LINUX_REBOOT_MAGIC1 ||
		(magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
			magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0; /* there is no keyboard whose Ctrl-Alt-Del it could be */
	case LINUX_REBOOT_CMD_RESTART2:
		if (say_command(arg))
			return -EFAULT;
		FALLTHROUGH;
	case LINUX_REBOOT_CMD_RESTART:
		say_last("restarting");
		arch_restart();
		break;
	case LINUX_REBOOT_CMD_POWER_OFF:
		say_last("power off");
		arch_power_off();
		break;
	case LINUX_REBOOT_CMD_HALT:
		say_last("halted");
		break;
	default:
		return -EINVAL;
	}
	arch_cpu_stop();
}

/* ---- The terminal is gone ---- */

SYSCALL0(vhangup)
{
	struct tty *tty;

	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty = tty_of_current();
	if (tty) {
		tty_hang_up_session(tty);
		tty_hang_up(tty);
		tty_put(tty);
	}
	return 0;
}
