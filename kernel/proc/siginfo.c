// SPDX-License-Identifier: MIT
/*
 * The layouts of siginfo_t.
 *
 * Codes up to 0 say how a signal was sent. Those above are the signal's own, if it has some; a
 * code that it does not have, and any of a signal that has none, is one of F_SETSIG's, by which
 * every signal may say what SIGIO says. Linux: signal_sent.signalfd_knows_the_fields_of_each_code.
 *
 * Spec    man 2 sigaction, "The siginfo_t argument to a SA_SIGINFO handler"; asm/siginfo.h
 */
#include "proc/siginfo.h"

#include <linux/signal.h>

#include "proc/signal.h"

/* The codes that a signal has for itself: 1 to `last`. */
static const struct {
	uint8_t last, layout;
} own_codes[SIGNALS + 1] = {
	[SIGILL] = {NSIGILL, SIGINFO_FAULT},
	[SIGFPE] = {NSIGFPE, SIGINFO_FAULT},
	[SIGSEGV] = {NSIGSEGV, SIGINFO_FAULT},
	[SIGBUS] = {NSIGBUS, SIGINFO_FAULT},
	[SIGTRAP] = {NSIGTRAP, SIGINFO_FAULT},
	[SIGCHLD] = {NSIGCHLD, SIGINFO_CHILD},
	[SIGIO] = {NSIGPOLL, SIGINFO_POLL},
	[SIGSYS] = {NSIGSYS, SIGINFO_CALL},
};

static int last_own_code(int sig)
{
	return sig >= 1 && sig <= SIGNALS ? own_codes[sig].last : 0;
}

enum siginfo_layout siginfo_layout(int sig, int code)
{
	if (code == SI_TIMER)
		return SIGINFO_TIMER;
	if (code == SI_SIGIO)
		return SIGINFO_POLL;
	if (code < SI_USER)
		return SIGINFO_RT;
	if (code == SI_USER || code >= SI_KERNEL)
		return SIGINFO_KILL;
	if (code <= last_own_code(sig))
		return own_codes[sig].layout;
	return code <= NSIGPOLL ? SIGINFO_POLL : SIGINFO_KILL;
}

bool siginfo_is_known(int sig, int code)
{
	int last = last_own_code(sig);

	if (code > SI_USER)
		return code <= (last ? last : NSIGPOLL) || code == SI_KERNEL;
	return code >= SI_DETHREAD || code == SI_ASYNCNL;
}
