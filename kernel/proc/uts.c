// SPDX-License-Identifier: MIT
/*
 * The two names of a system that can be changed.
 *
 * Locks   lock [u] irq, RANK_EVENT
 */
#include "proc/uts.h"

#include <linux/capability.h>

#include "lib/string.h"
#include "proc/cred.h"
#include "sync/spinlock.h"

static struct irqlock lock = IRQLOCK_INIT(RANK_EVENT, "uts");
static char names[][UTS_NAME_SIZE] = {[UTS_NODE] = "(none)", [UTS_DOMAIN] = "(none)"}; /* [u] */

void uts_get_name(enum uts_name which, char name[UTS_NAME_SIZE])
{
	irqlock_lock(&lock);
	memcpy(name, names[which], UTS_NAME_SIZE);
	irqlock_unlock(&lock);
}

int uts_set_name(enum uts_name which, const char *name, size_t len)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len >= UTS_NAME_SIZE)
		return -EINVAL;
	irqlock_lock(&lock);
	memset(names[which], 0, UTS_NAME_SIZE);
	memcpy(names[which], name, len);
	irqlock_unlock(&lock);
	return 0;
}
