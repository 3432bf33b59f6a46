// SPDX-License-Identifier: MIT
/*
 * Children: which one has news for its parent. ops/wait.c waits by this.
 */
#pragma once

#include "proc/proc.h"

enum wait_type { WAIT_FOR_ANY, WAIT_FOR_PID, WAIT_FOR_GROUP, WAIT_FOR_PIDFD };

struct wait_what {
	enum wait_type type;
	int nr;          /* PID, GROUP */
	struct pid *pid; /* PIDFD */
	int options;     /* W* of <linux/wait.h> */
};

struct wait_news {
	int pid, uid;
	int why;    /* CLD_* */
	int code;   /* the exit status or the signal */
	int status; /* wait4's word */
	struct proc_times times;
};

/*
 * Takes news of one child of the current process (leaves it with WNOWAIT); a zombie goes by that.
 * Returns 1 and *out, 0: there are children, without news; -ECHILD: none could ever have any.
 */
MUST_CHECK int proc_wait_try(const struct wait_what *what, struct wait_news *out);
