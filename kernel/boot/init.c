// SPDX-License-Identifier: MIT
/*
 * The first program: from a kernel thread to process 1.
 *
 *     a process for this thread -> the initramfs unpacked into the root -> /dev/console as
 *     descriptors 0, 1, 2 -> exec of the first program that there is -> user mode
 *
 * Which program is Linux's rule: rdinit= (or /init) from the initramfs; else init=, which must work
 * when it is given; else /sbin/init, /etc/init, /bin/init, /bin/sh. It gets the words of the command
 * line that the kernel does not know: key=value in its environment, others and what
 * follows "--" as arguments.
 *
 * Spec    Linux: kernel-parameters.rst ("init="), filesystems/ramfs-rootfs-initramfs.rst
 */
#include "boot/init.h"

#include <linux/fcntl.h>

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "boot/words.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "fs/initramfs.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "sys/trace.h"

enum { INIT_WORDS_MAX = 32 }; /* of either kind, as Linux's MAX_INIT_ARGS, MAX_INIT_ENVS */

static struct {
	const char *argv[INIT_WORDS_MAX + 2]; /* the program, words, NULL */
	const char *envp[INIT_WORDS_MAX + 2];
	unsigned nr_args, nr_envs;
	char rest[MAX_CMDLINE]; /* what follows "--", cut up */
} init = {
	.envp = {"HOME=/", "TERM=linux"},
	.nr_args = 1,
	.nr_envs = 2,
};

static void add_arg(const char *word)
{
	if (init.nr_args <= INIT_WORDS_MAX)
		init.argv[init.nr_args++] = word;
	else
		log_warning("init: too many arguments, \"%s\" left out", word);
}

/* A later word replaces an earlier one of the same key: TERM=... for example. */
static void add_env(const char *word)
{
	size_t key = (size_t)(strchr(word, '=') - word) + 1;

	for (unsigned i = 0; i < init.nr_envs; i++) {
		if (strncmp(init.envp[i], word, key) == 0) {
			init.envp[i] = word;
			return;
		}
	}
	if (init.nr_envs <= INIT_WORDS_MAX)
		init.envp[init.nr_envs++] = word;
	else
		log_warning("init: too many variables, \"%s\" left out", word);
}

static void collect_words(void)
{
	const char *word;
	char *rest = init.rest;

	for (unsigned i = 0; (word = cmdline_unknown_word(i)); i++) {
		if (strchr(word, '='))
			add_env(word);
		else
			add_arg(word);
	}
	(void)str_copy(init.rest, cmdline_init_args(), sizeof(init.rest));
	while ((word = cmdline_take_word(&rest)))
		add_arg(word);
}

/* Descriptors 0, 1 and 2. A system without a console runs without them, as on Linux. */
static void open_console(void)
{
	const struct open_how_kernel how = {.flags = O_RDWR};
	struct fdtable *files = uthread_current()->files;
	struct file *f;
	int err = path_open(AT_FDCWD, "/dev/console", &how, &f);

	if (err) {
		log_warning("init: no /dev/console (%d): the first program has no descriptors",
			err);
		return;
	}
	for (int i = 0; i < 3; i++) {
		int fd;

		if (fd_reserve(files, 0, 3, &fd))
			break;
		file_get(f);
		fd_install(files, fd, f, false);
	}
	file_put(f);
}

/* Does not return if the program starts. */
static int try_program(const char *path)
{
	const struct exec_params params = {
		.dirfd = AT_FDCWD,
		.path = path,
		.argv_kernel = init.argv,
		.envp_kernel = init.envp,
	};
	int err;

	init.argv[0] = path;
	err = proc_exec(&params);
	if (err == 0) {
		log_info("init: %s, %lu counts since entry", path,
			arch_counter_read() - arch_layout.entry_counter);
		arch_user_enter();
	}
	return err;
}

static void run_from_initramfs(void)
{
	const char *path = boot_words.rdinit ? boot_words.rdinit : "/init";
	int err;

	if (bootinfo.initrd_start == bootinfo.initrd_end)
		return;
	err = try_program(path);
	if (boot_words.rdinit || err != -ENOENT)
		log_err("init: cannot run %s (error %d)", path, err);
}

static void init_main(void *arg UNUSED)
{
	static const char *const usual[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};
	int err;

	proc_wants_trace = trace_wants;
	err = proc_adopt_init();
	if (err)
		panic("init: no process for the first program (error %d)", err);
	err = initramfs_unpack();
	if (err)
		log_err("init: the initramfs is damaged or too large (error %d)", err);
	open_console();
	collect_words();
	run_from_initramfs();
	if (boot_words.init) {
		err = try_program(boot_words.init);
		panic("init: cannot run %s (error %d)", boot_words.init, err);
	}
	for (unsigned i = 0; i < ARRAY_LEN(usual); i++) {
		err = try_program(usual[i]);
		if (err != -ENOENT)
			log_err("init: cannot run %s (error %d)", usual[i], err);
	}
	panic("init: no program to start: give an initrd with /init, or init=");
}

void init_start(void)
{
	int err = thread_spawn("init", init_main, NULL);

	if (err)
		panic("init: no thread for the first program (error %d)", err);
}

bool init_is_wanted(void)
{
	return bootinfo.initrd_start != bootinfo.initrd_end || boot_words.init ||
	       boot_words.rdinit;
}
