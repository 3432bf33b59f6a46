// SPDX-License-Identifier: MIT
/*
 * /proc/PID/stat, statm and status: the state of a process in numbers and in words.
 *
 * What is shown is gathered first (struct shown), each part under its own lock: identity, memory,
 * times, signals.
 *
 * Spec    man 5 proc; the formats are Linux's, as programs parse them
 */
#include <asm/resource.h>

#include "dev/tty/tty.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "mm/page_source.h"
#include "mm/vmspace.h"
#include "mm/vmstats.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "security/callfilter.h"

enum { CLOCK_TICK_NS = 10000000 /* USER_HZ is 100 */ };

/* Flags of stat that programs look at: man 5 proc; `F` of man 1 ps */
enum { PF_FORKNOEXEC = 0x40, PF_RANDOMIZE = 0x400000 };

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
	uint64_t text, data, stack;                                    /* pages, of regions */
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
	struct region_walk w;
	const struct region *r;

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
	region_walk_start(&w, vm, 0, NULL);
	while ((r = region_walk_next(&w)) != NULL) {
		if (r->flags & VM_GROWSDOWN)
			m->stack += pages_of(r);
		else if ((r->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
			m->data += pages_of(r);
		else if (r->flags & VM_EXEC)
			m->text += pages_of(r);
	}
	region_walk_end(&w);
	vmspace_put(vm);
}

/* Present pages that belong to files; to those whose pages are in memory only; those of page tables. */
struct file_pages {
	uint64_t file, shmem, tables;
};

static void get_file_pages(struct proc *p, struct file_pages *f)
{
	struct vmspace *vm = proc_get_vm(p);
	struct vm_region_stats stats[REGION_BATCH];
	struct region_walk w;
	const struct region *r;

	*f = (struct file_pages){0};
	if (!vm)
		return;
	region_walk_start(&w, vm, 0, stats);
	w.skips_anonymous = true;
	while ((r = region_walk_next(&w)) != NULL) {
		const struct vm_region_stats *s = region_walk_stats(&w);

		if (r->source)
			*(r->source->ops->sync ? &f->file : &f->shmem) +=
				(s->resident - s->anonymous) >> PAGE_SHIFT;
	}
	region_walk_end(&w);
	f->tables = vmspace_count_tables(vm);
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

struct shown {
	struct proc_whom whom; /* with references: shown_done */
	struct identity id;
	struct memory memory;
	struct times times;
	struct signal_sets signals;
};

static int gather(const struct proc_node *n, struct shown *s)
{
	int err = proc_whom_get(n, &s->whom);

	if (err)
		return err;
	get_identity(&s->whom, n, &s->id);
	get_memory(s->whom.proc, &s->memory);
	get_times(&s->whom, n, &s->times);
	get_signals(&s->whom, &s->signals);
	return 0;
}

static void shown_done(struct shown *s)
{
	proc_whom_put(&s->whom);
}

/* ---- stat ---- */

static int nice_of(const struct thread *t)
{
	return t ? t->base.nice : 0;
}

static bool is_realtime(const struct thread *t)
{
	return t && (t->base.policy == SCHED_CLASS_FIFO || t->base.policy == SCHED_CLASS_RR);
}

/* Linux: 0..39 by niceness, real-time threads below zero. */
static int shown_priority(const struct thread *t)
{
	int rt = t ? MAX(is_realtime(t) ? t->base.priority : 0, (int)READ_ONCE(t->lent)) : 0;

	return rt ? -1 - rt : 20 + nice_of(t);
}

/* Fields 3 to 25: what everybody may know. */
static void show_stat_public(struct text *out, const struct shown *s)
{
	const struct identity *id = &s->id;
	const struct times *t = &s->times;
	const struct thread *thread = s->whom.thread;
	bool has_execed = !(READ_ONCE(s->whom.proc->flags) & PROC_FORK_NO_EXEC);

	text_add(out, "%c %d %d %d %d %d %d ", state_of(&s->whom), id->parent, id->group,
		id->session, id->tty_nr, id->tty_group,
		PF_RANDOMIZE | (has_execed ? 0 : PF_FORKNOEXEC));
	text_add(out, "%lu %lu %lu %lu %lu %lu %ld %ld ", t->own.min_faults,
		t->children.min_faults, t->own.maj_faults, t->children.maj_faults,
		ticks(t->own.user_ns), ticks(t->own.system_ns),
		(int64_t)ticks(t->children.user_ns), (int64_t)ticks(t->children.system_ns));
	text_add(out, "%d %d %d 0 %lu %lu %ld %lu ", shown_priority(thread), nice_of(thread),
		id->threads, ticks(s->whom.proc->start_ns), s->memory.mapped << PAGE_SHIFT,
		(int64_t)s->memory.resident, UINT64_MAX);
}

static void show_stat_signals(struct text *out, const struct shown *s)
{
	const struct signal_sets *set = &s->signals;
	const struct thread *thread = s->whom.thread;

	text_add(out, "%lu %lu %lu %lu 0 0 0 ", set->pending & INT32_MAX,
		set->blocked & INT32_MAX, set->ignored & INT32_MAX, set->caught & INT32_MAX);
	text_add(out, "%d %u %d %u 0 0 0 ", s->whom.proc->exit_signal, thread ? thread->cpu : 0,
		is_realtime(thread) ? thread->base.priority : 0,
		thread ? (unsigned)thread->user->policy : 0);
}

int proc_show_stat(struct text *out, const struct proc_node *n)
{
	struct shown s;
	const struct memory *m = &s.memory;
	bool may_look;
	int err = gather(n, &s);

	if (err)
		return err;
	may_look = proc_may_look(&s.whom) == 0;
	text_add(out, "%d (%s) ", s.id.tid, proc_whom_comm(&s.whom));
	show_stat_public(out, &s);
	text_add(out, "%lu %lu %lu 0 0 ", may_look ? m->start_code : 1,
		may_look ? m->end_code : 1, may_look ? m->start_stack : 0);
	show_stat_signals(out, &s);
	if (may_look)
		text_add(out, "%lu %lu %lu %lu %lu %lu %lu %d\n", m->start_data, m->end_data,
			m->brk_start, m->arg_start, m->arg_end, m->env_start, m->env_end,
			s.whom.proc->exit_status);
	else
		text_add(out, "0 0 0 0 0 0 0 0\n");
	shown_done(&s);
	return 0;
}

int proc_show_statm(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct memory m;
	struct file_pages f;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	get_memory(w.proc, &m);
	get_file_pages(w.proc, &f);
	text_add(out, "%lu %lu %lu %lu 0 %lu 0\n", m.mapped, m.resident, f.file + f.shmem,
		m.text, m.data + m.stack);
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

/* Filters that a thread once had stay as long as it does: no lock. */
static void show_seccomp(struct text *out, const struct uthread *u)
{
	const struct call_filter *f = READ_ONCE(u->filters);

	text_add(out, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n", u->no_new_privs,
		READ_ONCE(u->seccomp_mode), f ? f->nr_filters : 0);
}

static void show_memory(struct text *out, const struct shown *s)
{
	const struct memory *m = &s->memory;
	uint64_t program = (m->end_code - m->start_code + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct file_pages f;

	get_file_pages(s->whom.proc, &f);
	text_add(out, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
		kib(m->peak_mapped), kib(m->mapped), kib(m->locked), 0);
	text_add(out,
		"VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu "
		"kB\nRssShmem:\t%8lu kB\n",
		kib(m->peak_resident), kib(m->resident),
		kib(m->resident - MIN(f.file + f.shmem, m->resident)), kib(f.file),
		kib(f.shmem));
	text_add(out,
		"VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu "
		"kB\nVmPTE:\t%8lu kB\nVmSwap:\t%8u kB\n",
		kib(m->data), kib(m->stack), kib(program), kib(m->text - MIN(program, m->text)),
		kib(f.tables), 0);
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

/* With a reference; NULL for a zombie. */
static const struct cred *cred_of(const struct proc_whom *w)
{
	const struct cred *c;

	if (!w->thread)
		return NULL;
	rcu_read_lock();
	c = rcu_load(w->thread->user->cred);
	cred_get(c);
	rcu_read_unlock();
	return c;
}

static void show_signals(struct text *out, const struct shown *s)
{
	const struct signal_sets *set = &s->signals;

	text_add(out, "Threads:\t%d\nSigQ:\t%u/%lu\n", s->id.threads, set->nr_queued,
		s->whom.proc->rlimits[RLIMIT_SIGPENDING].soft);
	text_add(out,
		"SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\n"
		"SigCgt:\t%016lx\n",
		set->pending, set->shared, set->blocked, set->ignored, set->caught);
}

static void show_names(struct text *out, const struct shown *s)
{
	text_add(out, "Name:\t");
	text_add_escaped(out, proc_whom_comm(&s->whom), "\n\\");
	text_add(out,
		"\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n"
		"TracerPid:\t0\n",
		umask_of(&s->whom), state_name(state_of(&s->whom)), s->id.pid, s->id.tid,
		s->id.parent);
}

int proc_show_status(struct text *out, const struct proc_node *n)
{
	const struct cred *cred;
	const struct thread *thread;
	struct shown s;
	int err = gather(n, &s);

	if (err)
		return err;
	thread = s.whom.thread;
	cred = cred_of(&s.whom);
	show_names(out, &s);
	if (cred)
		show_cred(out, cred);
	text_add(out, "FDSize:\t%u\n", table_size_of(&s.whom));
	if (cred)
		show_groups(out, cred);
	text_add(out, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", s.id.pid, s.id.tid,
		s.id.group, s.id.session);
	if (s.memory.mapped)
		show_memory(out, &s);
	show_signals(out, &s);
	if (cred) {
		show_caps(out, cred);
		cred_put(cred);
	}
	if (thread) {
		show_seccomp(out, thread->user);
		show_affinity(out, thread);
	}
	text_add(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		s.times.own.voluntary, s.times.own.involuntary);
	shown_done(&s);
	return 0;
}
