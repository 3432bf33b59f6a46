// SPDX-License-Identifier: MIT
/*
 * What the command line says about the system to be started. Set by cmdline_parse, then immutable.
 */
#pragma once

#include "lib/base.h"

struct boot_words {
	uint64_t mem_limit;   /* mem=, bytes; 0: all */
	const char *root;     /* root=; the words from here on are kept for the code to come */
	const char *rootfstype;
	const char *rootflags;
	bool is_read_only;    /* ro, rw */
	const char *init;     /* init= */
	const char *rdinit;   /* rdinit= */
	const char *ip;	      /* ip= */
};
extern struct boot_words boot_words;
