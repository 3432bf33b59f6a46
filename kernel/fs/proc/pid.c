// SPDX-License-Identifier: MIT
/*
 * /proc/PID and /proc/PID/task/TID: what a process or a thread has.
 *
 * Spec    man 5 proc; the formats are Linux's, as programs parse them
 */
#include <asm/resource.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include "abi/stat.h"

#include "dev/tty/tty.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "time/clock.h"

enum { CLOCK_TICK_NS = 10000000 /* USER_HZ is 100 */, COMMAND_SIZE = 16, PATH_SIZE = 4096 };

/* ---- Whom ---- */

int proc_whom_get(const struct proc_node *n, struct proc_whom *w)
{
	struct uthread *u;

	*w = (struct proc_whom){0};
	irqlock_lock(&proc_tree_lock);
	if (n->is_task) {
		u = list_first(&n->pid->users[PID_THREAD], struct uthread, tid_link);
		if (u) {
			w->thread = u->thread;
			thread_get(w->thread);
			w->proc = u->proc;
		}
	} else {
		w->proc = list_first(&n->pid->users[PID_PROCESS], struct proc, pid_link);
	}
	if (w->proc)
		proc_get(w->proc);
	irqlock_unlock(&proc_tree_lock);
	if (!w->proc)
		return -ESRCH;
	if (!w->thread && proc_get_thread(w->proc, &w->thread))
		w->thread = NULL;
	return 0;
}

void proc_whom_put(struct proc_whom *w)
{
	if (w->thread)
		thread_put(w->thread);
	proc_put(w->proc);
}

bool proc_node_is_alive(const struct proc_node *n)
{
	bool is_alive;

	irqlock_lock(&proc_tree_lock);
	is_alive = !list_is_empty(&n->pid->users[n->is_task ? PID_THREAD : PID_PROCESS]);
	irqlock_unlock(&proc_tree_lock);
	return is_alive;
}

struct fdtable *proc_whom_files(const struct proc_whom *w)
{
	struct fdtable *files = NULL;

	irqlock_lock(&w->proc->lock);
	if (w->thread && w->thread->user->files) {
		files = w->thread->user->files;
		fdtable_get(files);
	}
	irqlock_unlock(&w->proc->lock);
	return files;
}

struct fs_context *proc_whom_fs(const struct proc_whom *w)
{
	struct fs_context *fs = NULL;

	irqlock_lock(&w->proc->lock);
	if (w->thread && w->thread->user->fs) {
		fs = w->thread->user->fs;
		fs_context_get(fs);
	}
	irqlock_unlock(&w->proc->lock);
	return fs;
}

int proc_may_look(const struct proc_whom *w)
{
	const struct cred *me = cred_current(), *it;
	bool may;

	if (w->proc == proc_current())
		return 0;
	if (!w->thread)
		return -EACCES;
	rcu_read_lock();
	it = rcu_load(w->thread->user->cred);
	may = me->fsuid == it->euid && me->fsuid == it->suid && me->fsuid == it->uid &&
	      me->fsgid == it->egid && me->fsgid == it->sgid && me->fsgid == it->gid &&
	      (it->cap_permitted & ~me->cap_permitted) == 0 && (w->proc->flags & PROC_DUMPABLE);
	rcu_read_unlock();
	return may || capable(CAP_SYS_PTRACE) ? 0 : -EACCES;
}

int proc_node_vm(const struct proc_node *n, struct vmspace **vm)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (err == 0)
		*vm = proc_get_vm(w.proc);
	proc_whom_put(&w);
	return err;
}

/* ---- States and numbers ---- */

static char state_of(const struct proc_whom *w)
{
	uint32_t flags = READ_ONCE(w->proc->flags), state;

	if ((flags & PROC_ZOMBIE) || !w->thread)
		return 'Z';
	if (flags & PROC_STOPPED)
		return 'T';
	state = READ_ONCE(w->thread->state);
	if (state == THREAD_DEAD)
		return 'X';
	return state == THREAD_READY || state == THREAD_RUNNING ? 'R' : 'S';
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "R (running)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	case 'X':
		return "X (dead)";
	default:
		return "S (sleeping)";
	}
}

static const char *comm_of(const struct proc_whom *w)
{
	const struct thread *t = w->thread ? w->thread : w->proc->leader;

	return t && t->user ? t->user->comm : "?";
}

struct identity {
	int pid, tid, parent, group, session, tty_nr, tty_group, tracer, threads;
};

static void get_identity(
	const struct proc_whom *w, const struct proc_node *n, struct identity *id)
{
	struct proc *p = w->proc;

	*id = (struct identity){.tid = n->pid->nr};
	irqlock_lock(&proc_tree_lock);
	id->pid = p->pid->nr;
	id->parent = p->parent_nr;
	id->group = p->group ? p->group->nr : 0;
	id->session = p->session ? p->session->nr : 0;
	id->tty_group = -1;
	if (p->tty) {
		id->tty_nr = (int)p->tty->dev;
		id->tty_group = p->tty->foreground ? p->tty->foreground->nr : -1;
	}
	irqlock_unlock(&proc_tree_lock);
	id->threads = (int)READ_ONCE(p->nr_threads);
}

struct memory {
	uint64_t mapped, resident, peak_mapped, peak_resident, locked; /* pages */
	uint64_t text, data, stack, file;                              /* pages, of regions */
	vaddr_t start_code, end_code, start_stack, start_data, end_data, brk_start;
	vaddr_t arg_start, arg_end, env_start, env_end;
};

static uint64_t pages_of(const struct region *r)
{
	return (r->end - r->start) >> PAGE_SHIFT;
}

static void get_memory(struct proc *p, struct memory *m)
{
	struct vmspace *vm = proc_get_vm(p);
	struct region r;

	*m = (struct memory){0};
	if (!vm)
		return;
	m->mapped = vm->nr_mapped;
	m->resident = vm->nr_resident;
	m->peak_mapped = MAX(vm->peak_mapped, m->mapped);
	m->peak_resident = MAX(vm->peak_resident, m->resident);
	m->locked = vm->nr_locked;
	m->start_code = vm->code_start;
	m->end_code = vm->code_end;
	m->start_stack = vm->stack_top;
	m->start_data = vm->data_start;
	m->end_data = vm->data_end;
	m->brk_start = vm->brk_start;
	m->arg_start = vm->arg_start;
	m->arg_end = vm->arg_end;
	m->env_start = vm->env_start;
	m->env_end = vm->env_end;
	for (vaddr_t at = 0; vmspace_next_region(vm, at, &r); at = r.end) {
		if (r.flags & VM_GROWSDOWN)
			m->stack += pages_of(&r);
		else if ((r.flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
			m->data += pages_of(&r);
		else if (r.flags & VM_EXEC)
			m->text += pages_of(&r);
		if (r.source)
			m->file += pages_of(&r);
		vmspace_region_done(&r);
	}
	vmspace_put(vm);
}

static uint64_t ticks(uint64_t ns)
{
	return ns / CLOCK_TICK_NS;
}

static uint64_t kib(uint64_t pages)
{
	return pages << (PAGE_SHIFT - 10);
}

struct times {
	struct proc_times own, children;
};

static void get_times(const struct proc_whom *w, const struct proc_node *n, struct times *t)
{
	if (n->is_task && w->thread) {
		t->own = (struct proc_times){0};
		uthread_add_times(w->thread, &t->own);
	} else {
		proc_get_times(w->proc, &t->own);
	}
	t->children = w->proc->child_times;
}

struct signal_sets {
	uint64_t pending, shared, blocked, ignored, caught;
	unsigned nr_queued;
};

static void get_signals(const struct proc_whom *w, struct signal_sets *s)
{
	struct proc *p = w->proc;

	*s = (struct signal_sets){0};
	irqlock_lock(&p->lock);
	s->shared = p->signals.pending.set;
	s->nr_queued =
		w->thread ? (unsigned)w->thread->user->cred->user->count[USER_SIGNALS] : 0;
	if (w->thread) {
		s->pending = w->thread->user->pending.set;
		s->blocked = w->thread->user->sigmask;
	}
	if (p->signals.actions) {
		s->ignored = p->signals.actions->ignored;
		s->caught = p->signals.actions->custom & ~s->ignored;
		for (unsigned i = 0; i < SIGNALS; i++)
			if ((s->caught & SIGBIT(i + 1)) &&
				p->signals.actions->action[i].handler == (uintptr_t)SIG_DFL)
				s->caught &= ~SIGBIT(i + 1);
	}
	irqlock_unlock(&p->lock);
}

/* ---- stat ---- */

static int nice_of(const struct thread *t)
{
	return t ? t->base.nice : 0;
}

static int show_stat(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct identity id;
	struct memory m;
	struct times t;
	struct signal_sets s;
	bool may_look;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	get_identity(&w, n, &id);
	get_memory(w.proc, &m);
	get_times(&w, n, &t);
	get_signals(&w, &s);
	may_look = proc_may_look(&w) == 0;
	text_add(out, "%d (%s) %c %d %d %d %d %d %u ", id.tid, comm_of(&w), state_of(&w),
		id.parent, id.group, id.session, id.tty_nr, id.tty_group,
		0x400000u /* PF_RANDOMIZE */);
	text_add(out, "%lu %lu %lu %lu %lu %lu %ld %ld ", t.own.min_faults,
		t.children.min_faults, t.own.maj_faults, t.children.maj_faults,
		ticks(t.own.user_ns), ticks(t.own.system_ns),
		(int64_t)ticks(t.children.user_ns), (int64_t)ticks(t.children.system_ns));
	text_add(out, "%d %d %d 0 %lu %lu %ld %lu ", 20 + nice_of(w.thread), nice_of(w.thread),
		id.threads, ticks(w.proc->start_ns), m.mapped << PAGE_SHIFT,
		(int64_t)m.resident, UINT64_MAX);
	text_add(out, "%lu %lu %lu 0 0 ", may_look ? m.start_code : 1,
		may_look ? m.end_code : 1, may_look ? m.start_stack : 0);
	text_add(out, "%lu %lu %lu %lu 0 0 0 ", s.pending & INT32_MAX, s.blocked & INT32_MAX,
		s.ignored & INT32_MAX, s.caught & INT32_MAX);
	text_add(out, "%d %u 0 %u 0 0 0 ", w.proc->exit_signal, w.thread ? w.thread->cpu : 0,
		w.thread ? (unsigned)w.thread->user->policy : 0);
	if (may_look)
		text_add(out, "%lu %lu %lu %lu %lu %lu %lu %d\n", m.start_data, m.end_data,
			m.brk_start, m.arg_start, m.arg_end, m.env_start, m.env_end,
			w.proc->exit_status);
	else
		text_add(out, "0 0 0 0 0 0 0 0\n");
	proc_whom_put(&w);
	return 0;
}

static int show_statm(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct memory m;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	get_memory(w.proc, &m);
	text_add(out, "%lu %lu %lu %lu 0 %lu 0\n", m.mapped, m.resident,
		MIN(m.file, m.resident), m.text, m.data + m.stack);
	proc_whom_put(&w);
	return 0;
}

/* ---- status ---- */

static void show_cred(struct text *out, const struct cred *c)
{
	text_add(out, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
	text_add(out, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
}

static void show_groups(struct text *out, const struct cred *c)
{
	text_add(out, "Groups:\t");
	for (unsigned i = 0; i < c->nr_groups; i++)
		text_add(out, "%u ", c->groups[i]);
	text_add(out, "\n");
}

static void show_caps(struct text *out, const struct cred *c)
{
	text_add(out,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%"
		"016lx\n",
		c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding,
		c->cap_ambient);
}

static void show_memory(struct text *out, const struct memory *m)
{
	text_add(out, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
		kib(m->peak_mapped), kib(m->mapped), kib(m->locked), 0);
	text_add(out,
		"VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu "
		"kB\nRssShmem:\t%8u kB\n",
		kib(m->peak_resident), kib(m->resident),
		kib(m->resident - MIN(m->file, m->resident)), kib(MIN(m->file, m->resident)),
		0);
	text_add(out,
		"VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8u "
		"kB\nVmPTE:\t%8u kB\nVmSwap:\t%8u kB\n",
		kib(m->data), kib(m->stack), kib(m->text), 0, 0, 0);
}

static void show_affinity(struct text *out, const struct thread *t)
{
	text_add(out, "Cpus_allowed:\t");
	text_add_mask(out, &t->affinity, cpu_count());
	text_add(out, "\nCpus_allowed_list:\t");
	text_add_list(out, &t->affinity, cpu_count());
	text_add(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static unsigned umask_of(const struct proc_whom *w)
{
	struct fs_context *fs = proc_whom_fs(w);
	unsigned mask = fs ? fs->umask : 0;

	if (fs)
		fs_context_put(fs);
	return mask;
}

static unsigned table_size_of(const struct proc_whom *w)
{
	struct fdtable *files = proc_whom_files(w);
	unsigned size = 0;

	if (!files)
		return 0;
	rcu_read_lock();
	size = rcu_load(files->array)->size;
	rcu_read_unlock();
	fdtable_put(files);
	return size;
}

static int show_status(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct identity id;
	struct memory m;
	struct times t;
	struct signal_sets s;
	const struct cred *cred = NULL;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	get_identity(&w, n, &id);
	get_memory(w.proc, &m);
	get_times(&w, n, &t);
	get_signals(&w, &s);
	if (w.thread) {
		rcu_read_lock();
		cred = rcu_load(w.thread->user->cred);
		cred_get(cred);
		rcu_read_unlock();
	}
	text_add(out, "Name:\t");
	text_add_escaped(out, comm_of(&w), "\n\\");
	text_add(out,
		"\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%"
		"d\nTracerPid:\t0\n",
		umask_of(&w), state_name(state_of(&w)), id.pid, id.tid, id.parent);
	if (cred)
		show_cred(out, cred);
	text_add(out, "FDSize:\t%u\n", table_size_of(&w));
	if (cred)
		show_groups(out, cred);
	text_add(out, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", id.pid, id.tid,
		id.group, id.session);
	if (m.mapped)
		show_memory(out, &m);
	text_add(out,
		"Threads:\t%d\nSigQ:\t%u/"
		"%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%"
		"016lx\nSigCgt:\t%016lx\n",
		id.threads, s.nr_queued, w.proc->rlimits[RLIMIT_SIGPENDING].soft, s.pending,
		s.shared, s.blocked, s.ignored, s.caught);
	if (cred) {
		show_caps(out, cred);
		cred_put(cred);
	}
	if (w.thread) {
		text_add(out, "NoNewPrivs:\t%d\nSeccomp:\t0\n", w.thread->user->no_new_privs);
		show_affinity(out, w.thread);
	}
	text_add(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		t.own.voluntary, t.own.involuntary);
	proc_whom_put(&w);
	return 0;
}

/* ---- Words of its memory ---- */

static int show_memory_bytes(struct text *out, struct vmspace *vm, vaddr_t at, vaddr_t end)
{
	char piece[256];

	while (at < end) {
		size_t n = vmspace_access(
			vm, at, piece, MIN(sizeof(piece), end - at), false, true);

		if (n == 0)
			break;
		text_add_bytes(out, piece, n);
		at += n;
	}
	return 0;
}

/* A program that overwrote the end of its arguments has a title there: it goes on into the environment. */
static int show_cmdline(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct vmspace *vm;
	size_t len;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	vm = proc_get_vm(w.proc);
	proc_whom_put(&w);
	if (!vm)
		return 0;
	show_memory_bytes(out, vm, vm->arg_start, vm->arg_end);
	if (out->len && out->buf[out->len - 1] != '\0') {
		show_memory_bytes(out, vm, vm->env_start, vm->env_end);
		len = strnlen(out->buf, out->len);
		out->len = MIN(len + 1, out->len);
	}
	vmspace_put(vm);
	return 0;
}

static int show_environ(struct text *out, const struct proc_node *n)
{
	struct vmspace *vm;
	int err = proc_node_vm(n, &vm);

	if (err || !vm)
		return err;
	show_memory_bytes(out, vm, vm->env_start, vm->env_end);
	vmspace_put(vm);
	return 0;
}

static int show_auxv(struct text *out, const struct proc_node *n)
{
	struct vmspace *vm;
	int err = proc_node_vm(n, &vm);
	unsigned words = 0;

	if (err || !vm)
		return err;
	while (words + 2 < ARRAY_LEN(vm->auxv) && vm->auxv[words])
		words += 2;
	text_add_bytes(out, (const char *)vm->auxv, (words + 2) * sizeof(vm->auxv[0]));
	vmspace_put(vm);
	return 0;
}

/* ---- Small ones ---- */

static int show_comm(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%s\n", comm_of(&w));
	proc_whom_put(&w);
	return 0;
}

static int write_comm(const struct proc_node *n, char *text, size_t len UNUSED)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	if (w.proc != proc_current())
		err = -EINVAL;
	else if (w.thread)
		(void)str_copy(w.thread->user->comm, text, COMMAND_SIZE);
	proc_whom_put(&w);
	return err;
}

static int show_limits(struct text *out, const struct proc_node *n)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct rlimit_pair limits[RLIMITS];
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	irqlock_lock(&w.proc->lock);
	memcpy(limits, w.proc->rlimits, sizeof(limits));
	irqlock_unlock(&w.proc->lock);
	proc_whom_put(&w);
	text_add(
		out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMITS; i++) {
		char soft[21] = "unlimited", hard[21] = "unlimited";

		if (limits[i].soft != RLIM_INFINITY)
			snformat(soft, sizeof(soft), "%lu", limits[i].soft);
		if (limits[i].hard != RLIM_INFINITY)
			snformat(hard, sizeof(hard), "%lu", limits[i].hard);
		text_add(out, "%-25s %-20s %-20s %-10s\n", rows[i].name, soft, hard,
			rows[i].unit);
	}
	return 0;
}

enum { OOM_ADJ_MIN = -1000, OOM_ADJ_MAX = 1000 };

static int show_oom_score_adj(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%d\n", w.proc->oom_score_adj);
	proc_whom_put(&w);
	return 0;
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len && char_is_space(text[len - 1]))
		text[--len] = '\0';
}

static int write_oom_score_adj(const struct proc_node *n, char *text, size_t len UNUSED)
{
	struct proc_whom w;
	int64_t value;
	int err;

	trim(text);
	if (parse_s64(text, 10, &value) || value < OOM_ADJ_MIN || value > OOM_ADJ_MAX)
		return -EINVAL;
	err = proc_whom_get(n, &w);
	if (err)
		return err;
	irqlock_lock(&w.proc->lock);
	if (value < w.proc->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		err = -EACCES;
	else
		w.proc->oom_score_adj = (int)value;
	irqlock_unlock(&w.proc->lock);
	proc_whom_put(&w);
	return err;
}

/* How much the out-of-memory killer would like it: share of memory in thousandths, and the wish. */
static int show_oom_score(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct memory m;
	struct page_stats pages;
	int64_t score;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	get_memory(w.proc, &m);
	page_get_stats(&pages);
	score = (int64_t)(m.resident * 1000 / MAX(pages.total, 1ul)) + w.proc->oom_score_adj;
	text_add(out, "%ld\n", MAX(score, (int64_t)0) * 2 / 3);
	proc_whom_put(&w);
	return 0;
}

static int show_personality(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%08x\n", w.thread ? w.thread->user->personality : 0);
	proc_whom_put(&w);
	return 0;
}

static int show_schedstat(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%lu 0 %lu\n", w.thread ? w.thread->cpu_ns : 0,
		w.thread ? w.thread->nr_switches : 0);
	proc_whom_put(&w);
	return 0;
}

static int show_timerslack(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%lu\n", w.thread ? w.thread->user->timer_slack_ns : 0);
	proc_whom_put(&w);
	return 0;
}

static int show_wchan(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "0");
	return 0;
}

/* ---- Links: exe, cwd, root ---- */

static int path_of(const struct proc_node *n, struct path *out)
{
	struct proc_whom w;
	const char *what = n->entry->name;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (err == 0 && strcmp(what, "exe") == 0) {
		irqlock_lock(&w.proc->lock);
		if (w.proc->exe) {
			*out = (struct path){w.proc->exe->mount, w.proc->exe->dentry};
			path_get(out);
		} else {
			err = -ENOENT;
		}
		irqlock_unlock(&w.proc->lock);
	} else if (err == 0) {
		struct fs_context *fs = proc_whom_fs(&w);

		if (!fs)
			err = -ENOENT;
		else if (strcmp(what, "cwd") == 0)
			fs_context_get_cwd(fs, out);
		else
			fs_context_get_root(fs, out);
		if (fs)
			fs_context_put(fs);
	}
	proc_whom_put(&w);
	return err;
}

static int readlink_path(const struct proc_node *n, char *buf, size_t size)
{
	char *text, *whole;
	struct path p;
	int err = path_of(n, &p);

	if (err)
		return err;
	whole = mem_alloc(PATH_SIZE, 0);
	err = whole ? path_text(&p, whole, PATH_SIZE, &text) : -ENOMEM;
	if (err == 0) {
		size_t len = MIN(strlen(text), size - 1);

		memcpy(buf, text, len);
		buf[len] = '\0';
		err = (int)len;
	}
	mem_free(whole);
	path_put(&p);
	return err;
}

static int jump_path(const struct proc_node *n, struct mount **mnt, struct dentry **d)
{
	struct path p;
	int err = path_of(n, &p);

	if (err)
		return err;
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

/* ---- Folders of processes and threads ---- */

static int parse_number(const char *name, size_t len, int *nr)
{
	int64_t v = 0;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		if (!char_is_digit(name[i]))
			return -ENOENT;
		v = v * 10 + (name[i] - '0');
	}
	*nr = (int)v;
	return 0;
}

/* The pid of this number if it is in use as a process (or a thread of `of`), with a reference. */
static struct pid *used_pid(int nr, struct proc *of)
{
	struct uthread *u;
	struct pid *pid;

	irqlock_lock(&proc_tree_lock);
	pid = pid_lookup_locked(nr);
	if (pid && of) {
		u = list_first(&pid->users[PID_THREAD], struct uthread, tid_link);
		if (!u || u->proc != of)
			pid = NULL;
	} else if (pid && list_is_empty(&pid->users[PID_PROCESS]) &&
		   list_is_empty(&pid->users[PID_THREAD])) {
		pid = NULL;
	}
	if (pid)
		pid_get(pid);
	irqlock_unlock(&proc_tree_lock);
	return pid;
}

static int root_lookup(
	const struct proc_node *dir UNUSED, const char *name, size_t len, struct proc_node *out)
{
	int nr, err = parse_number(name, len, &nr);

	if (err)
		return err;
	out->pid = used_pid(nr, NULL);
	out->entry = &proc_pid_dir;
	if (!out->pid)
		return -ENOENT;
	irqlock_lock(&proc_tree_lock);
	out->is_task =
		list_is_empty(&out->pid->users[PID_PROCESS]); /* a thread by its own number */
	irqlock_unlock(&proc_tree_lock);
	return 0;
}

static int root_next(const struct proc_node *dir UNUSED, uint64_t *cursor, char *name,
	size_t size, struct proc_node *out)
{
	for (int nr = (int)MAX(*cursor, 1ul); nr < pid_get_max(); nr++) {
		struct pid *pid = used_pid(nr, NULL);
		bool is_process;

		if (!pid)
			continue;
		irqlock_lock(&proc_tree_lock);
		is_process = !list_is_empty(&pid->users[PID_PROCESS]);
		irqlock_unlock(&proc_tree_lock);
		if (!is_process) {
			pid_put(pid);
			continue;
		}
		*cursor = (uint64_t)nr + 1;
		snformat(name, size, "%d", nr);
		out->pid = pid;
		out->entry = &proc_pid_dir;
		return 0;
	}
	return -ENOENT;
}

const struct proc_dir_ops proc_root_dir_ops = {.lookup = root_lookup, .next = root_next};

static int task_lookup(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	struct proc_whom w;
	int nr, err = parse_number(name, len, &nr);

	if (err == 0)
		err = proc_whom_get(dir, &w);
	if (err)
		return -ENOENT;
	out->pid = used_pid(nr, w.proc);
	out->entry = &proc_task_dir;
	out->is_task = true;
	proc_whom_put(&w);
	return out->pid ? 0 : -ENOENT;
}

/* The thread with the smallest number from *cursor on. */
static int task_next(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
	struct proc_node *out)
{
	struct pid *best = NULL;
	struct proc_whom w;
	int err = proc_whom_get(dir, &w);

	if (err)
		return -ENOENT;
	irqlock_lock(&proc_tree_lock);
	irqlock_lock(&w.proc->lock);
	list_for_each (u, &w.proc->threads, struct uthread, proc_link)
		if (u->tid && (uint64_t)u->tid->nr >= *cursor &&
			(!best || u->tid->nr < best->nr))
			best = u->tid;
	if (best)
		pid_get(best);
	irqlock_unlock(&w.proc->lock);
	irqlock_unlock(&proc_tree_lock);
	proc_whom_put(&w);
	if (!best)
		return -ENOENT;
	*cursor = (uint64_t)best->nr + 1;
	snformat(name, size, "%d", best->nr);
	out->pid = best;
	out->entry = &proc_task_dir;
	out->is_task = true;
	return 0;
}

static const struct proc_dir_ops task_ops = {.lookup = task_lookup, .next = task_next};

/* ---- The tables ---- */

#define TEXT(name_, mode_, show_)                                                              \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | (mode_), .show = show_                        \
	}
#define LINK(name_)                                                                            \
	{                                                                                      \
		.name = name_, .mode = S_IFLNK | 0777, .readlink = readlink_path,              \
		.jump = jump_path                                                              \
	}

#define COMMON_ENTRIES                                                                         \
	TEXT("stat", 0444, show_stat), TEXT("status", 0444, show_status),                      \
		TEXT("statm", 0444, show_statm), TEXT("cmdline", 0444, show_cmdline),          \
		TEXT("environ", 0400, show_environ), TEXT("auxv", 0400, show_auxv),            \
		TEXT("limits", 0444, show_limits),                                             \
		{.name = "comm",                                                               \
			.mode = S_IFREG | 0644,                                                \
			.show = show_comm,                                                     \
			.write = write_comm},                                                  \
		TEXT("personality", 0400, show_personality),                                   \
		TEXT("schedstat", 0444, show_schedstat), TEXT("wchan", 0444, show_wchan),      \
		TEXT("maps", 0444, proc_show_maps), TEXT("smaps", 0444, proc_show_smaps),      \
		TEXT("smaps_rollup", 0444, proc_show_smaps_rollup),                            \
		TEXT("mounts", 0444, proc_show_mounts),                                        \
		TEXT("mountinfo", 0444, proc_show_mountinfo),                                  \
		TEXT("oom_score", 0444, show_oom_score),                                       \
		{.name = "oom_score_adj",                                                      \
			.mode = S_IFREG | 0644,                                                \
			.show = show_oom_score_adj,                                            \
			.write = write_oom_score_adj},                                         \
		{.name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_ops},                \
		{.name = "pagemap", .mode = S_IFREG | 0400, .fops = &proc_pagemap_ops},        \
		{.name = "fd", .mode = S_IFDIR | 0500, .dir = &proc_fd_ops},                   \
		{.name = "fdinfo", .mode = S_IFDIR | 0555, .dir = &proc_fdinfo_ops},           \
		LINK("exe"), LINK("cwd"), LINK("root")

static const struct proc_entry task_entries[] = {COMMON_ENTRIES, {0}};
const struct proc_entry proc_task_dir = {.mode = S_IFDIR | 0555, .children = task_entries};

static const struct proc_entry pid_entries[] = {
	COMMON_ENTRIES,
	TEXT("mountstats", 0400, proc_show_mountstats),
	TEXT("timerslack_ns", 0644, show_timerslack),
	{.name = "task", .mode = S_IFDIR | 0555, .dir = &task_ops},
	{0},
};
const struct proc_entry proc_pid_dir = {.mode = S_IFDIR | 0555, .children = pid_entries};
