// SPDX-License-Identifier: MIT
/*
 * The command-line words that belong to no other folder. mem= acts; the others are recognised and
 * kept, and act once there are filesystems, programs and a network.
 *
 * Spec    Linux: kernel-parameters.rst
 */
#include "boot/words.h"

#include "lib/cmdline.h"
#include "lib/parse.h"

struct boot_words boot_words = {.is_read_only = true}; /* Linux: the root is mounted read-only first */

static int set_mem(const char *value)
{
	return parse_size(value, &boot_words.mem_limit);
}

/* A word whose value is kept as it stands, and must not be empty. */
#define TEXT_WORD(field)                                                                       \
	static int set_##field(const char *value)                                              \
	{                                                                                      \
		if (!*value)                                                                   \
			return -EINVAL;                                                        \
		boot_words.field = value;                                                      \
		return 0;                                                                      \
	}

TEXT_WORD(root)
TEXT_WORD(rootfstype)
TEXT_WORD(rootflags)
TEXT_WORD(init)
TEXT_WORD(rdinit)
TEXT_WORD(ip)

static int set_ro(const char *value)
{
	if (*value)
		return -EINVAL;
	boot_words.is_read_only = true;
	return 0;
}

static int set_rw(const char *value)
{
	if (*value)
		return -EINVAL;
	boot_words.is_read_only = false;
	return 0;
}

/* early.c has looked for it before any of this ran. */
static int set_nokaslr(const char *value)
{
	return *value ? -EINVAL : 0;
}

CMDLINE_WORD(mem, "mem", set_mem, "SIZE: use only memory below this address");
CMDLINE_WORD(nokaslr, "nokaslr", set_nokaslr, "the kernel runs where it was linked");
CMDLINE_WORD(root, "root", set_root, "the root filesystem (kept, does not act yet)");
CMDLINE_WORD(rootfstype, "rootfstype", set_rootfstype, "its type (kept, does not act yet)");
CMDLINE_WORD(rootflags, "rootflags", set_rootflags, "its mount options (kept, does not act yet)");
CMDLINE_WORD(init, "init", set_init, "PATH: the first program");
CMDLINE_WORD(rdinit, "rdinit", set_rdinit, "PATH: the first program of an initrd");
CMDLINE_WORD(ip, "ip", set_ip, "network configuration (kept, does not act yet)");
CMDLINE_WORD(ro, "ro", set_ro, "mount the root read-only (kept, does not act yet)");
CMDLINE_WORD(rw, "rw", set_rw, "mount the root writable (kept, does not act yet)");
