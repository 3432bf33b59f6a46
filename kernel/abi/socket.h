// SPDX-License-Identifier: MIT
/*
 * The part of the socket ABI that the UAPI headers leave to libraries: families, types, flags of
 * messages, and the structures of sendmsg. Linux x86-64 and AArch64; man 2 socket, man 2 recv,
 * man 3 cmsg.
 */
#pragma once

#include <asm/socket.h>

#include "lib/base.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_MAX = 46 };

enum {
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	SOCK_RAW = 3,
	SOCK_RDM = 4,
	SOCK_SEQPACKET = 5,
	SOCK_DCCP = 6,
	SOCK_PACKET = 10,
	SOCK_MAX = 11,
	SOCK_TYPE_MASK = 0xf,
	SOCK_CLOEXEC = 02000000,
	SOCK_NONBLOCK = 00004000,
};

enum {
	MSG_OOB = 0x1,
	MSG_PEEK = 0x2,
	MSG_DONTROUTE = 0x4,
	MSG_CTRUNC = 0x8,
	MSG_TRUNC = 0x20,
	MSG_DONTWAIT = 0x40,
	MSG_EOR = 0x80,
	MSG_WAITALL = 0x100,
	MSG_ERRQUEUE = 0x2000,
	MSG_NOSIGNAL = 0x4000,
	MSG_MORE = 0x8000,
	MSG_WAITFORONE = 0x10000,
	MSG_CMSG_CLOEXEC = 0x40000000,
};

enum { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
enum {
	SOCKET_ADDR_MAX = 128,    /* sizeof(struct sockaddr_storage) */
	SCM_MAX_FD = 253,         /* man 7 unix, SCM_RIGHTS */
	SOMAXCONN_DEFAULT = 4096, /* man 2 listen */
};

struct user_msghdr {
	uint64_t name;
	int32_t name_len;
	uint32_t pad_1;
	uint64_t iov;
	uint64_t iov_len;
	uint64_t control;
	uint64_t control_len;
	uint32_t flags;
	uint32_t pad_2;
};
static_assert(sizeof(struct user_msghdr) == 56, "struct msghdr of LP64");

struct user_mmsghdr {
	struct user_msghdr hdr;
	uint32_t len;
	uint32_t pad;
};
static_assert(sizeof(struct user_mmsghdr) == 64, "struct mmsghdr of LP64");

/* Data follows, aligned to 8 bytes; so does the next header. */
struct user_cmsghdr {
	uint64_t len; /* with this header */
	int32_t level;
	int32_t type;
};
static_assert(sizeof(struct user_cmsghdr) == 16, "struct cmsghdr of LP64");

struct user_ucred {
	int32_t pid;
	uint32_t uid, gid;
};
