// SPDX-License-Identifier: MIT
/*
 * Control messages: open files and credentials that travel with bytes.
 */
#pragma once

#include "abi/socket.h"
#include "lib/base.h"
#include "uaccess/uaccess.h"

struct file;
struct user;

/* Open files on their way, a reference each. */
struct control_files {
	unsigned nr;
	struct control_files *next; /* control.c: to be put later */
	struct user *user; /* the family's: who counts them on their way; NULL: nobody */
	struct file *files[];
};

/* Of sendmsg, checked. */
struct control_send {
	struct control_files *files; /* NULL: none; a family that sends them makes it NULL */
	bool has_cred;
	struct user_ucred cred;
};

/* Of recvmsg: the program's buffer, and how far it is filled. */
struct control_recv {
	uptr at;
	size_t left;
	size_t used;
	bool close_on_exec; /* MSG_CMSG_CLOEXEC */
	bool is_cut;        /* something did not fit: MSG_CTRUNC */
};

/*
 * Reads and checks the program's control messages of level SOL_SOCKET; others are the family's.
 * Returns  0; -EINVAL, -EFAULT, -EBADF, -EPERM (credentials of others), -ETOOMANYREFS, -ENOBUFS,
 *          -ENOMEM
 */
MUST_CHECK int control_read(struct control_send *c, uptr buf, size_t len);
void control_fini(struct control_send *c);
/* Puts the files, here or, if this is the end of a file that is put so, when that is over. NULL: none. */
void control_files_put(struct control_files *f);
/* Another set of references to the same files. -ENOMEM. */
MUST_CHECK int control_files_copy(const struct control_files *f, struct control_files **out);

/* Writes one message; what does not fit is cut. */
void control_write(struct control_recv *c, int level, int type, const void *data, size_t len);
/* Gives the current process descriptors for the files, as many as fit. Takes over the set. */
void control_write_files(struct control_recv *c, struct control_files *f);
