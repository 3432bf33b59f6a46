// SPDX-License-Identifier: MIT
/*
 * Loading an ELF program and its interpreter into a new address space.
 *
 *     elf_prepare   reads the headers and opens the interpreter: the old program still lives
 *     elf_map       maps the segments, the stack, the vDSO into the new address space
 *     elf_finish    in it: zeroes the tails of the last file pages, writes the stack
 *
 * From top to bottom: the stack, a gap as large as it may grow, what mmap gives out (the
 * interpreter first), and for a position-independent program that names an interpreter a place of
 * its own at two thirds, so that its heap has room. Each is moved by some random pages, unless
 * the personality says ADDR_NO_RANDOMIZE.
 *
 * Spec    System V ABI, AMD64 supplement 3.4.1 (initial stack, auxiliary vector); man 3 getauxval;
 *         Linux: Documentation/x86/x86_64/mm, the amounts of randomness of a default configuration
 */
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/resource.h>

#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/exec_priv.h"
#include "security/random.h"
#include "time/vdso.h"

enum {
	RANDOM_PAGES_STACK = 1 << 22,
	RANDOM_PAGES_BRK = (32 << 20) >> PAGE_SHIFT,
	RANDOM_BYTES_SP = 8192,
	AT_RANDOM_SIZE = 16,
	STACK_ROOM = 128 << 10, /* Linux: mapped below the arguments at once */
	STACK_GUARD_GAP = 256 << PAGE_SHIFT,
	SP_ALIGN = 16,
	AUXV_MAX = 48,
	CLOCK_TICKS = 100, /* USER_HZ */
};
#define RANDOM_PAGES_MMAP (1ul << 28)
#define STACK_GAP_MIN     (128 * MIB)
#define STACK_GAP_MAX     (ARCH_USER_END / 6 * 5)
/* Linux: ELF_ET_DYN_BASE */
#define PROGRAM_BASE ALIGN_DOWN(ARCH_USER_END / 3 * 2, PAGE_SIZE)

#define MAY_ALL (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* ---- Reading ---- */

static int read_headers(struct elf_file *f)
{
	struct elf_plan *p = &f->plan;
	size_t size = p->nr_headers * sizeof(Elf64_Phdr);
	int err;

	if (p->headers_offset <= f->head_len && size <= f->head_len - p->headers_offset &&
		IS_ALIGNED(p->headers_offset, _Alignof(Elf64_Phdr))) {
		f->headers = (Elf64_Phdr *)(f->head + p->headers_offset);
		return 0;
	}
	f->headers = mem_alloc(size, 0);
	if (!f->headers)
		return -ENOMEM;
	f->owns_headers = true;
	err = exec_read(f->file, f->headers, size, p->headers_offset);
	return err == -ENOMEM ? err : err ? -ENOEXEC : 0;
}

void elf_file_fini(struct elf_file *f)
{
	if (f->owns_headers)
		mem_free(f->headers);
	if (f->file)
		file_put(f->file);
}

/* PT_INTERP's text: memory of its own. */
static int read_interp_name(struct elf_file *f, const Elf64_Phdr *h, char **out)
{
	char *name;
	int err = -EINVAL;

	if (h->p_filesz > PATH_MAX || h->p_filesz < 2)
		return -ENOEXEC;
	name = mem_alloc(h->p_filesz, 0);
	if (!name)
		return -ENOMEM;
	if (h->p_offset <= INT64_MAX - PATH_MAX)
		err = exec_read(f->file, name, h->p_filesz, h->p_offset);
	if (!err && name[h->p_filesz - 1] != '\0')
		err = -ENOEXEC;
	if (err) {
		mem_free(name);
		return err;
	}
	*out = name;
	return 0;
}

static int open_interp(struct exec *x, const Elf64_Phdr *h)
{
	struct elf_file *f;
	char *name;
	int64_t n;
	int err = read_interp_name(&x->program, h, &name);

	if (err)
		return err;
	f = mem_alloc(sizeof(*f), 0);
	if (!f) {
		mem_free(name);
		return -ENOMEM;
	}
	f->owns_headers = false;
	f->file = NULL;
	/* Linux: the empty name is the current folder here, and that is no file to execute */
	err = name[0] ? exec_open_file(AT_FDCWD, name, 0, &f->file) : -EACCES;
	mem_free(name);
	x->interp = f;
	if (err)
		return err;
	n = exec_read_head(f->file, f->head, sizeof(f->head));
	if (n < 0)
		return (int)n;
	f->head_len = (size_t)n;
	if (f->head_len < sizeof(Elf64_Ehdr))
		return -EIO;
	if (elf_check_head(f->head, f->head_len, &f->plan))
		return -ELIBBAD;
	err = read_headers(f);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

int elf_prepare(struct exec *x)
{
	struct elf_file *f = &x->program;
	int err;

	if (!f->file->ops->map)
		return -ENOEXEC;
	err = read_headers(f);
	if (err)
		return err;
	for (unsigned i = 0; i < f->plan.nr_headers; i++) {
		if (f->headers[i].p_type == PT_INTERP)
			return open_interp(x, &f->headers[i]);
	}
	return 0;
}

/* ---- Mapping ---- */

static uint32_t segment_flags(const Elf64_Phdr *h)
{
	uint32_t flags = MAY_ALL;

	if (h->p_flags & PF_R)
		flags |= VM_READ;
	if (h->p_flags & PF_W)
		flags |= VM_WRITE;
	if (h->p_flags & PF_X)
		flags |= VM_EXEC;
	return flags;
}

/* The pages that come from the file. */
static int map_file_part(struct exec *x, struct elf_file *f, const Elf64_Phdr *h)
{
	struct map_req req = {
		.addr = ALIGN_DOWN(h->p_vaddr + f->bias, PAGE_SIZE),
		.size = ALIGN_UP((h->p_vaddr & PAGE_MASK) + h->p_filesz, PAGE_SIZE),
		.flags = segment_flags(h),
		.map_flags = MAP_FIXED | MAP_PRIVATE,
		.offset_pages = h->p_offset >> PAGE_SHIFT,
	};
	vaddr_t at;
	int err = f->file->ops->map(f->file, &req.flags, &req.source);

	return err ? err : vmspace_map(x->vm, &req, &at);
}

/* The pages after the file's part. */
static int map_zero_part(struct exec *x, struct elf_file *f, const Elf64_Phdr *h)
{
	vaddr_t start = h->p_vaddr + f->bias + h->p_filesz;
	vaddr_t end = ALIGN_UP(h->p_vaddr + f->bias + h->p_memsz, PAGE_SIZE);
	struct map_req req = {
		.flags = segment_flags(h),
		.map_flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
	};
	vaddr_t at;

	start = h->p_filesz ? ALIGN_UP(start, PAGE_SIZE) : ALIGN_DOWN(start, PAGE_SIZE);
	if (start >= end)
		return 0;
	req.addr = start;
	req.size = end - start;
	return vmspace_map(x->vm, &req, &at);
}

static bool is_load(const Elf64_Phdr *h)
{
	return h->p_type == PT_LOAD && h->p_memsz;
}

static int map_segments(struct exec *x, struct elf_file *f)
{
	for (unsigned i = 0; i < f->plan.nr_headers; i++) {
		const Elf64_Phdr *h = &f->headers[i];
		int err = 0;

		if (!is_load(h))
			continue;
		if (h->p_filesz)
			err = map_file_part(x, f, h);
		if (!err)
			err = map_zero_part(x, f, h);
		if (err)
			return err;
	}
	return 0;
}

/* ---- Places ---- */

static uint64_t random_pages(const struct exec *x, uint64_t pages)
{
	return x->is_random ? (random_u64() % pages) << PAGE_SHIFT : 0;
}

/* Where the stack ends and where mmap begins to look. */
static void choose_layout(struct exec *x)
{
	uint64_t slack = STACK_GUARD_GAP;
	uint64_t gap = x->stack_limit;

	if (x->is_random)
		slack += (uint64_t)RANDOM_PAGES_STACK << PAGE_SHIFT;
	gap = gap > STACK_GAP_MAX - slack ? STACK_GAP_MAX : gap + slack;
	gap = MAX(gap, STACK_GAP_MIN);
	x->stack_top = ARCH_USER_END - random_pages(x, RANDOM_PAGES_STACK);
	x->vm->stack_top = x->stack_top;
	x->vm->mmap_top =
		ALIGN_DOWN(ARCH_USER_END - gap, PAGE_SIZE) - random_pages(x, RANDOM_PAGES_MMAP);
}

/* `top`: nothing is mapped below it yet. */
static int place(struct exec *x, struct elf_file *f, vaddr_t *top)
{
	struct elf_plan *p = &f->plan;
	uint64_t size = p->end - p->start;
	vaddr_t at;

	f->bias = 0;
	if (p->type == ET_EXEC)
		return 0;
	if (f == &x->program && p->interp) {
		at = PROGRAM_BASE + random_pages(x, RANDOM_PAGES_MMAP);
	} else {
		if (size > *top - PAGE_SIZE)
			return -ENOMEM;
		at = *top - size;
		*top = ALIGN_DOWN(at, p->align);
	}
	f->bias = ALIGN_DOWN(at, p->align) - p->start;
	return 0;
}

static bool overlaps(vaddr_t a, vaddr_t a_end, vaddr_t b, vaddr_t b_end)
{
	return a < b_end && b < a_end;
}

/* Neither file may cover the other or reach the stack: MAP_FIXED would replace pages. */
static int check_places(const struct exec *x)
{
	const struct elf_file *f = &x->program, *i = x->interp;
	vaddr_t stack = x->stack_top - STACK_ROOM - exec_args_bytes(&x->args);

	for (; f; f = f == i ? NULL : i) {
		vaddr_t end = f->plan.end + f->bias;

		if (end > stack || end < f->plan.start + f->bias)
			return -ENOMEM;
	}
	f = &x->program;
	if (i && overlaps(f->plan.start + f->bias, f->plan.end + f->bias,
			 i->plan.start + i->bias, i->plan.end + i->bias))
		return -ENOMEM;
	return 0;
}

static int map_stack(struct exec *x)
{
	/* strings, pointers, auxv; and room to begin with */
	size_t pointers = (exec_args_argc(&x->args) + x->args.nr_envp) * sizeof(uint64_t);
	size_t size = ALIGN_UP(exec_args_bytes(&x->args) + pointers, PAGE_SIZE) + STACK_ROOM;
	struct map_req req = {
		.addr = x->stack_top - size,
		.size = size,
		.flags = VM_READ | VM_WRITE | VM_GROWSDOWN | MAY_ALL,
		.map_flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
		.label = "[stack]",
	};
	vaddr_t at;

	if (x->program.plan.stack_is_exec)
		req.flags |= VM_EXEC;
	return vmspace_map(x->vm, &req, &at);
}

/* The heap begins after the program, or, when the program is a loader run by hand (static-pie
 * among them), where a program would be: its own end is too near to what mmap gives out. */
static void place_heap(struct exec *x)
{
	struct elf_file *f = &x->program;
	vaddr_t brk = f->plan.brk + f->bias;

	if (f->plan.type == ET_DYN && !f->plan.interp && x->is_random)
		brk = PROGRAM_BASE;
	brk = ALIGN_UP(brk, PAGE_SIZE) + random_pages(x, RANDOM_PAGES_BRK);
	x->vm->brk_start = x->vm->brk = brk;
}

int elf_map(struct exec *x)
{
	struct elf_file *f = &x->program;
	vaddr_t top;
	int err;

	choose_layout(x);
	top = x->vm->mmap_top;
	err = elf_plan_segments(&f->plan, f->headers);
	if (!err && x->interp)
		err = elf_plan_segments(&x->interp->plan, x->interp->headers);
	if (!err)
		err = place(x, f, &top);
	if (!err && x->interp)
		err = place(x, x->interp, &top);
	if (!err)
		err = check_places(x);
	if (!err)
		err = map_segments(x, f);
	if (!err && x->interp)
		err = map_segments(x, x->interp);
	if (!err)
		err = map_stack(x);
	if (err)
		return err;
	place_heap(x);
	x->vm->code_start = f->plan.code_start + f->bias;
	x->vm->code_end = f->plan.code_end + f->bias;
	x->vm->data_start = f->plan.data_start + f->bias;
	x->vm->data_end = f->plan.data_end + f->bias;
	f = x->interp ? x->interp : f;
	x->entry = f->plan.entry + f->bias;
	return x->entry < ARCH_USER_END ? vdso_map(x->vm) : -EINVAL;
}

/* ---- In the new address space ---- */

/*
 * The file's last page has the file's bytes after the segment's end: they become zero. Linux: a
 * segment that cannot be written keeps them, and so does one behind the file's end; but for an
 * interpreter both are the end.
 */
static int zero_tails(const struct elf_file *f, bool is_interp)
{
	for (unsigned i = 0; i < f->plan.nr_headers; i++) {
		const Elf64_Phdr *h = &f->headers[i];
		vaddr_t end = h->p_vaddr + f->bias + h->p_filesz;
		size_t tail = ALIGN_UP(end, PAGE_SIZE) - end;

		if (!is_load(h) || h->p_memsz == h->p_filesz || !h->p_filesz || !tail)
			continue;
		if (user_zero(UPTR(end), tail) && is_interp)
			return -EFAULT;
	}
	return 0;
}

struct auxv {
	uint64_t *at;
	unsigned nr;
};

static void aux(struct auxv *v, uint64_t type, uint64_t value)
{
	assert(v->nr + 2 <= AUXV_MAX);
	v->at[v->nr++] = type;
	v->at[v->nr++] = value;
}

/* All entries but AT_NULL, in Linux's order. */
static void fill_auxv(
	const struct exec *x, struct auxv *v, vaddr_t random, vaddr_t platform, vaddr_t name)
{
	const struct elf_file *f = &x->program;
	const struct elf_plan *p = &f->plan;
	const struct cred *c = x->cred ? x->cred : cred_current();

	if (x->vm->vdso)
		aux(v, AT_SYSINFO_EHDR, x->vm->vdso);
	aux(v, AT_MINSIGSTKSZ, arch_signal_frame_size());
	aux(v, AT_HWCAP, arch_hwcap(0));
	aux(v, AT_PAGESZ, PAGE_SIZE);
	aux(v, AT_CLKTCK, CLOCK_TICKS);
	aux(v, AT_PHDR, p->headers_at ? p->headers_at + f->bias : 0);
	aux(v, AT_PHENT, sizeof(Elf64_Phdr));
	aux(v, AT_PHNUM, p->nr_headers);
	aux(v, AT_BASE, x->interp ? x->interp->bias : 0);
	aux(v, AT_FLAGS, 0);
	aux(v, AT_ENTRY, p->entry + f->bias);
	aux(v, AT_UID, c->uid);
	aux(v, AT_EUID, c->euid);
	aux(v, AT_GID, c->gid);
	aux(v, AT_EGID, c->egid);
	aux(v, AT_SECURE, x->is_secure);
	aux(v, AT_RANDOM, random);
	aux(v, AT_HWCAP2, arch_hwcap(1));
	aux(v, AT_EXECFN, name);
	aux(v, AT_PLATFORM, platform);
}

/*
 * From high to low: 8 zero bytes, the strings, the platform's name, 16 random bytes, then, aligned,
 * auxv, envp, argv, argc, where the stack pointer points.
 */
int elf_finish(struct exec *x, vaddr_t *sp_out)
{
	const char *text = arch_platform();
	unsigned argc = exec_args_argc(&x->args), envc = x->args.nr_envp;
	size_t words = 1 + argc + 1 + envc + 1; /* before auxv */
	vaddr_t strings = x->stack_top - sizeof(uint64_t) - exec_args_bytes(&x->args);
	vaddr_t sp = strings, platform, random, name;
	uint8_t bytes[AT_RANDOM_SIZE];
	struct auxv v = {0};
	uint64_t *table;
	int err;

	err = zero_tails(&x->program, false);
	if (!err && x->interp)
		err = zero_tails(x->interp, true);
	if (err)
		return err;
	if (x->is_random)
		sp -= random_u64() % RANDOM_BYTES_SP;
	platform = ALIGN_DOWN(sp, SP_ALIGN) - (strlen(text) + 1);
	random = platform - sizeof(bytes);
	random_bytes(bytes, sizeof(bytes));
	if (user_write(UPTR(platform), text, strlen(text) + 1) ||
		user_write(UPTR(random), bytes, sizeof(bytes)))
		return -EFAULT;

	table = mem_alloc((words + AUXV_MAX) * sizeof(table[0]), 0);
	if (!table)
		return -ENOMEM;
	table[0] = argc;
	err = exec_args_write(&x->args, strings, table + 1, &name);
	if (err)
		goto free_table;
	v.at = table + words;
	fill_auxv(x, &v, random, platform, name);
	aux(&v, AT_NULL, 0);
	memset(x->vm->auxv, 0, sizeof(x->vm->auxv));
	memcpy(x->vm->auxv, v.at, v.nr * sizeof(v.at[0]));
	sp = ALIGN_DOWN(random - (words + v.nr) * sizeof(table[0]), SP_ALIGN);
	if (user_write(UPTR(sp), table, (words + v.nr) * sizeof(table[0])))
		err = -EFAULT;
	x->vm->arg_start = strings;
	x->vm->env_start = x->vm->arg_end = envc ? table[1 + argc + 1] : name;
	x->vm->env_end = name;
	*sp_out = sp;
free_table:
	mem_free(table);
	return err;
}
