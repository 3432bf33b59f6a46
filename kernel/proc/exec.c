// SPDX-License-Identifier: MIT
/*
 * exec: a process becomes another program.
 *
 *     1. the arguments are copied into the kernel
 *     2. the file is opened; while it is a script, its interpreter takes its place
 *     3. credentials, headers, the interpreter, a new address space with everything mapped
 *     4. the other threads are ended; the caller becomes the first thread
 *     ---- the point of no return ----
 *     5. new memory, new credentials, handlers to default, close-on-exec; the stack is written
 *
 * Until 5 the old program gets the error and goes on, less the threads that ended in 4. A file that
 * looks like a program and cannot be mapped kills the process, as on Linux, where the old program
 * is gone by then.
 *
 * The file that runs cannot be opened for writing (-ETXTBSY), nor run while it is: the open file
 * in proc->exe holds that.
 *
 * Locks   proc->lock [p] for what others look at; proc_tree_lock for the thread's number.
 * Spec    man 2 execve, execveat; man 7 credentials
 */
#include <linux/binfmts.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/personality.h>
#include <linux/resource.h>
#include <linux/stat.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "ipc/aio.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/exec_priv.h"
#include "proc/fiber.h"
#include "proc/ptimer.h"
#include "proc/ring_work.h"
#include "proc/rseq.h"
#include "sched/sched.h"

enum {
	SCRIPT_DEPTH_MAX = 5, /* man 2 execve: interpreters that are scripts */
	MAY_EXEC = 1,
	MAY_READ = 4,
	FD_NAME_MAX = sizeof("/dev/fd/") + 11,
	STACK_SECURE =
		8 << 20, /* Linux: _STK_LIM, for a program with more rights than its caller */
};

/* ---- Files ---- */

int exec_open_file(int dirfd, const char *name, int at_flags, struct file **out)
{
	unsigned lookup = LOOKUP_FOLLOW;
	struct path path;
	struct file *f;
	int err;

	if (at_flags & AT_SYMLINK_NOFOLLOW)
		lookup &= ~(unsigned)LOOKUP_FOLLOW;
	if (at_flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup(dirfd, name, lookup, &path);
	if (err)
		return err;
	err = S_ISLNK(path.dentry->inode->mode) ? -ELOOP : -EACCES;
	if (!S_ISREG(path.dentry->inode->mode) || (path.mnt->flags & MS_NOEXEC) ||
		(path.mnt->super->flags & SUPER_NO_EXEC))
		goto put_path;
	err = inode_permission(path.dentry->inode, MAY_EXEC);
	if (err)
		goto put_path;
	err = file_open(&f, path.mnt, path.dentry, O_RDONLY);
	if (err)
		goto put_path;
	err = inode_deny_write(f->inode);
	if (err) {
		file_put(f);
		goto put_path;
	}
	f->mode |= FILE_RUNS; /* its last file_put allows writing again */
	*out = f;
put_path:
	path_put(&path);
	return err;
}

int64_t exec_read_head(struct file *f, void *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		int64_t pos = (int64_t)done, n;
		struct iter it;

		iter_init_kernel(&it, (char *)to + done, len - done);
		n = f->ops->read ? f->ops->read(f, &it, &pos) : -EINVAL;
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int exec_read(struct file *f, void *to, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		int64_t pos = (int64_t)(offset + done), n;
		struct iter it;

		iter_init_kernel(&it, (char *)to + done, len - done);
		n = f->ops->read(f, &it, &pos);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* ---- Scripts ---- */

static int read_head(struct exec *x)
{
	int64_t n = exec_read_head(x->program.file, x->program.head, sizeof(x->program.head));

	if (n < 0)
		return (int)n;
	x->program.head_len = (size_t)n;
	return 0;
}

/* The script's interpreter becomes the file; argv[0] becomes its name, the argument, the script's name. */
static int enter_script(struct exec *x, const struct script_line *line)
{
	const char *script = x->script_name ? x->script_name : x->name;
	char *name;
	int err;

	if (x->is_unreachable)
		return -ENOENT; /* the interpreter could not open it: man 2 execveat, BUGS */
	name = mem_alloc(line->name_len + 1, 0);
	if (!name)
		return -ENOMEM;
	memcpy(name, line->name, line->name_len);
	name[line->name_len] = '\0';
	exec_args_drop_first(&x->args);
	err = exec_args_push(&x->args, script, strlen(script));
	if (!err && line->arg_len)
		err = exec_args_push(&x->args, line->arg, line->arg_len);
	if (!err)
		err = exec_args_push(&x->args, name, line->name_len);
	mem_free(x->script_name);
	x->script_name = name;
	if (err)
		return err;
	file_put(x->program.file);
	x->program.file = NULL;
	return exec_open_file(AT_FDCWD, name, 0, &x->program.file);
}

/* Opens the file and goes on to the program behind it. */
static int find_program(struct exec *x)
{
	const struct exec_params *params = x->params;
	int err =
		exec_open_file(params->dirfd, params->path, params->at_flags, &x->program.file);

	for (int depth = 0; !err; depth++) {
		struct script_line line;

		if (depth > SCRIPT_DEPTH_MAX)
			return -ELOOP;
		err = read_head(x);
		if (err)
			return err;
		if (script_parse(x->program.head, x->program.head_len, &line))
			return elf_check_head(
				x->program.head, x->program.head_len, &x->program.plan);
		err = enter_script(x, &line);
	}
	return err;
}

/* ---- The way in ---- */

/* What the program is told it was called as. man 2 execveat: /dev/fd/N for a descriptor. */
static int make_name(struct exec *x)
{
	const char *path = x->params->path;
	size_t size = strlen(path) + FD_NAME_MAX + 1;
	bool is_cloexec = false;

	x->name = mem_alloc(size, 0);
	if (!x->name)
		return -ENOMEM;
	if (x->params->dirfd == AT_FDCWD || path[0] == '/') {
		memcpy(x->name, path, strlen(path) + 1);
		return 0;
	}
	(void)snformat(x->name, size, path[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d",
		x->params->dirfd, path);
	if (fd_get_cloexec(uthread_current()->files, x->params->dirfd, &is_cloexec) == 0)
		x->is_unreachable = is_cloexec;
	return 0;
}

static struct exec *exec_create(const struct exec_params *params)
{
	struct exec *x = mem_alloc(sizeof(*x), 0);

	if (!x)
		return NULL;
	x->params = params;
	x->program.file = NULL;
	x->program.owns_headers = false;
	x->interp = NULL;
	x->name = x->script_name = NULL;
	x->is_unreachable = x->is_secure = x->hides_memory = false;
	x->vm = NULL;
	x->cred = NULL;
	x->is_random = !(uthread_current()->personality & ADDR_NO_RANDOMIZE);
	x->stack_limit = proc_rlimit(RLIMIT_STACK);
	exec_args_init(&x->args);
	return x;
}

static void exec_destroy(struct exec *x)
{
	exec_args_fini(&x->args);
	elf_file_fini(&x->program);
	if (x->interp) {
		elf_file_fini(x->interp);
		mem_free(x->interp);
	}
	if (x->cred)
		cred_drop(x->cred);
	if (x->vm)
		vmspace_put(x->vm);
	mem_free(x->script_name);
	mem_free(x->name);
	mem_free(x);
}

/* 1 to 3. An error here is the old program's. */
static int prepare(struct exec *x)
{
	int err = make_name(x);

	if (!err)
		err = exec_args_read(&x->args, x->params, x->name);
	if (!err)
		err = find_program(x);
	if (!err)
		err = exec_cred_prepare(x);
	if (!err)
		err = elf_prepare(x);
	if (!err)
		err = vmspace_create(&x->vm);
	if (err)
		return err;
	/* to run is not to read: what must not be read must not be dumped either */
	x->hides_memory = inode_permission(x->program.file->inode, MAY_READ) ||
			  (x->interp && inode_permission(x->interp->file->inode, MAY_READ));
	if (x->is_secure)
		x->stack_limit = MIN(x->stack_limit, (uint64_t)STACK_SECURE);
	return 0;
}

/* Descriptors and actions shared with other processes become our own. */
static int unshare(struct uthread *u)
{
	int err = signals_exec_prepare(u->proc);

	return err ? err : uthread_unshare_files(u);
}

/* Alone in the process: the number of the process becomes the thread's. */
static void become_leader(struct uthread *u)
{
	struct proc *p = u->proc;

	if (u->tid_nr == u->pid_nr)
		return;
	irqlock_lock(&proc_tree_lock);
	irqlock_lock(&p->lock);
	pid_detach_locked(u->tid, &u->tid_link);
	u->tid = p->pid;
	u->tid_nr = p->pid->nr;
	pid_attach_locked(u->tid, PID_THREAD, &u->tid_link);
	irqlock_unlock(&p->lock);
	irqlock_unlock(&proc_tree_lock);
}

/* ---- The point of no return ---- */

static void change_memory(struct exec *x, struct uthread *u)
{
	struct proc *p = u->proc;
	struct vmspace *old;
	struct file *old_exe;

	if (u->ring_task)
		ring_hooks->leave(u);
	fibers_end(p); /* they use the old memory */
	aio_end(p);
	if (arch_current()->vm)
		uthread_leave_memory(u);
	irqlock_lock(&p->lock);
	old = p->vm;
	old_exe = p->exe;
	p->vm = x->vm;
	p->exe = x->program.file;
	p->flags |= PROC_EXECED;
	p->flags &= ~(uint32_t)PROC_FORK_NO_EXEC;
	irqlock_unlock(&p->lock);
	vmspace_use(x->vm);
	x->vm = NULL; /* both are the process's now */
	x->program.file = NULL;
	proc_release_vfork_parent(u);
	if (old) {
		p->times.max_resident_kib = MAX(p->times.max_resident_kib, proc_peak_kib(old));
		vmspace_put(old);
	}
	if (old_exe)
		file_put(old_exe);
}

static void set_comm(struct uthread *u, const char *name)
{
	const char *slash = strrchr(name, '/');

	memset(u->comm, 0, sizeof(u->comm));
	(void)str_copy(u->comm, slash ? slash + 1 : name, sizeof(u->comm)); /* cut is right */
}

static void change_identity(struct exec *x, struct uthread *u)
{
	const struct cred *c;

	if (x->cred) {
		cred_commit(x->cred);
		x->cred = NULL;
	}
	c = u->cred;
	proc_set_flag(u->proc, PROC_DUMPABLE,
		!x->hides_memory && c->euid == c->uid && c->egid == c->gid);
	if (x->is_secure) {
		u->parent_death_signal = 0;
		if (u->proc->rlimits[RLIMIT_STACK].soft > STACK_SECURE)
			u->proc->rlimits[RLIMIT_STACK].soft = STACK_SECURE;
	}
	set_comm(u, x->name);
	u->personality &= ~(uint32_t)READ_IMPLIES_EXEC;
	u->set_child_tid = u->clear_child_tid = UPTR_NULL;
	u->exit_status = 0;
}

static void reset_registers(void)
{
	struct thread *me = arch_current();

	arch_user_reset();
	preempt_disable(); /* the registers and the area change together */
	arch_fpu_init(me->fpu);
	arch_fpu_restore(me->fpu);
	preempt_enable();
}

/* 5. The old program is gone; an error kills. */
static int commit(struct exec *x, struct uthread *u)
{
	struct vmspace *vm = x->vm;
	vaddr_t sp;
	int err;

	change_memory(x, u);
	signals_exec(u->proc);
	ptimers_exec(u->proc);
	rseq_exec();
	atomic_and(&u->call_work, (uint8_t)~CALL_DISPATCHED);
	change_identity(x, u);
	reset_registers();
	x->vm = vm; /* elf_finish looks at it; the reference is the process's */
	err = elf_finish(x, &sp);
	x->vm = NULL;
	fdtable_close_on_exec(u->files);
	if (!err)
		arch_user_frame_init(arch_user_frame(u->thread), x->entry, sp);
	return err;
}

int proc_exec(const struct exec_params *params)
{
	struct uthread *u = uthread_current();
	struct exec *x;
	int err;

	/* man 2 execve: EAGAIN; set*uid itself cannot fail for that, programs do not look */
	if (UNLIKELY(u->is_over_nproc) && cred_is_over_nproc(u->cred))
		return -EAGAIN;
	u->is_over_nproc = false;
	x = exec_create(params);
	if (!x)
		return -ENOMEM;
	err = prepare(x);
	if (err)
		goto destroy;
	err = elf_map(x);
	if (err)
		goto kill;
	err = proc_end_other_threads();
	if (!err)
		err = unshare(u);
	if (err)
		goto destroy;
	become_leader(u);
	err = commit(x, u);
	if (!err)
		goto destroy;
kill:
	signal_force_kill(SIGSEGV);
destroy:
	exec_destroy(x);
	return err;
}
