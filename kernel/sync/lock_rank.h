// SPDX-License-Identifier: MIT
/*
 * The lock order. This enum is the document: outer locks first. A CPU or thread that holds a lock
 * may take only one of a higher rank, or another of the same rank where the line says how.
 * Debug kernels check it at every acquisition (sync/lock_check.c) and panic with the held list.
 */
#pragma once

enum lock_rank {
	/* sleeping locks (mutex, rwlock): a thread holds them; never from an interrupt */
	RANK_TEST_OUTER =
		1,        /* sleep  tests only                                              */
	RANK_WORK,        /* sleep  worker pools: creating and ending workers               */
	RANK_RING,        /* sleep  one ring: its requests, and all that they do          */
	RANK_AIO,         /* sleep  one context of native AIO: its ring, and what waits     */
	RANK_EXEC,        /* sleep  one process's exec, against other changes of its identity */
	RANK_FILE_POS,    /* sleep  the position of one open file                           */
	RANK_PROC_TEXT,   /* sleep  the text of one open file in /proc                      */
	RANK_FS_CONFIG,   /* sleep  what one fsopen descriptor is to mount                 */
	RANK_MOUNT,       /* sleep  the tree of mounts                                      */
	RANK_RENAME,      /* sleep  one filesystem's renames across directories             */
	RANK_INODE,       /* sleep  one inode: contents, attributes; parents before children */
	RANK_EPOLL_NEST,  /* sleep  which epoll set watches which                          */
	RANK_EPOLL,       /* sleep  one epoll set; a nested one after the outer             */
	RANK_UNIX_FLIGHT, /* sleep  files that unix sockets carry, and their collector     */
	RANK_UNIX_SOCKET, /* sleep  one unix socket; two by address                         */
	RANK_UNIX_NAMES,  /* sleep  to whom names of unix sockets belong                   */
	RANK_TTY,         /* sleep  one terminal's settings and line                        */
	RANK_PIPE,        /* sleep  one pipe; two by address                                */
	RANK_VMSPACE, /* sleep  the regions of an address space; parent, then child: everything
			      *        above may be held while user memory is copied           */
	RANK_SYSV,        /* sleep  the table of one kind of System V's objects             */
	RANK_PAGE_SOURCE, /* sleep  who maps one page source                                */
	RANK_PAGECACHE,   /* sleep  the pages of one file                                   */
	RANK_TEST_INNER,  /* sleep  tests only                                              */

	/* spinning locks: nothing may sleep below this line */
	RANK_SPIN,        /* -      marks the border, never used by a lock                  */
	RANK_TEST_SPIN,   /* spin   tests only                                              */
	RANK_SLAB_CACHES, /* spin   the list of slab caches; asks other CPUs while held     */
	RANK_UNIX_BLOCKED, /* spin   which unix socket waits for whose room                 */
	RANK_UNIX_LIST,   /* spin   the list of unix sockets                                */
	RANK_PAGE_TABLE,  /* spin   one address space's page tables                         */
	RANK_PAGE_TABLE_SPLIT, /* spin  splitting a large page of a shared table               */
	RANK_PAGE_PINS,    /* spin   how often pages of programs are pinned                  */
	RANK_RING_THREADS, /* spin   the submission threads of all rings                     */
	RANK_RING_THREAD,  /* spin   one of them: who makes it, who joins, is it over        */
	RANK_RING_MAP,     /* spin   what can be mapped of one ring                          */
	RANK_IRQ_DESC,     /* irq    one interrupt descriptor                                */
	RANK_IRQ_VECTORS,  /* irq    which interrupt arrives where                           */
	RANK_IRQ_CHIP,   /* irq    registers that are reached by an index: I/O APIC, CMOS    */
	RANK_WATCHDOG,   /* irq                                                            */
	RANK_WORK_QUEUE, /* irq    the items of one worker pool                            */
	RANK_TTY_LINE, /* irq    one terminal's buffers and settings; signals are sent under it */
	RANK_PROC_TREE,   /* irq    process ids; who is whose child, group, session         */
	RANK_PROC,        /* irq    one process: its threads and signals; parent, then child */
	RANK_USERS,       /* irq    the table of user ids                                   */
	RANK_FUTEX,       /* irq    one bucket of futex waiters; two by address             */
	RANK_FUTEX_PI,    /* irq    who waits for a lock that which thread has              */
	RANK_FD,          /* irq    one descriptor table                                    */
	RANK_FILE,        /* irq    one open file's flags and owner                         */
	RANK_CHARDEV,     /* irq    the list of character devices                           */
	RANK_FILE_LOCKS,  /* irq    what programs have locked, in all files                 */
	RANK_FS_CONTEXTS, /* irq    the list of all of them                                 */
	RANK_FS_CONTEXT,  /* irq    root and working directory                              */
	RANK_DENTRY,      /* irq    the hash and tree of names                              */
	RANK_EVENT,       /* irq    what one eventfd, timerfd or the like counts            */
	RANK_TEST_IRQ,    /* irq    tests only                                              */
	RANK_MUTEX,       /* irq    owner and waiters of one mutex or rwlock; along a
			      *        priority-inheritance chain: see sync/mutex.c            */
	RANK_WAITQ,       /* irq    the waiters of one queue                                */
	RANK_TIMER,       /* irq    one CPU's timers                                        */
	RANK_THREAD,      /* irq    one thread's scheduling state; before its run queue     */
	RANK_RUNQ,        /* irq    two run queues: lower CPU number first                  */
	RANK_THREADS,     /* irq    the list of all threads                                 */
	RANK_KMAP,        /* irq    the ranges of the kernel's own mappings                 */
	RANK_SLAB,        /* irq    the slabs of one cache                                  */
	RANK_PGTABLE,     /* irq    the kernel's page tables; table pages come from a zone  */
	RANK_ZONE,        /* irq    one zone of the page allocator                          */
	RANK_RANDOM,      /* irq    the key of the random bytes                             */
	RANK_LOG,         /* irq    the log's ring; anything may log                        */
	RANK_CONSOLE,     /* irq    the serial port; last of all                            */
};

#define LOCK_RANK_IS_SLEEPING(rank) ((rank) < RANK_SPIN)
