// SPDX-License-Identifier: MIT
/*
 * What an ELF file says about how it wants to lie in memory. Pure: bytes in, a plan or an error out.
 *
 * Every number here is the file's, and the file is anybody's: each is checked before it is added to
 * another one. As on Linux, only the fields that are used are looked at, so a file with a wrong
 * class or version still runs.
 *
 * Spec    System V ABI, chapters 4 and 5; man 5 elf
 */
#include "proc/exec_plan.h"

#include "lib/string.h"

int elf_check_head(const void *head, size_t len, struct elf_plan *out)
{
	Elf64_Ehdr h;

	if (len < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, head, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return -ENOEXEC;
	if (!arch_elf_machine_ok(h.e_machine))
		return -ENOEXEC;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || !h.e_phnum || h.e_phnum > ELF_MAX_HEADERS)
		return -ENOEXEC;
	if (h.e_phoff > INT64_MAX - ELF_MAX_HEADERS * sizeof(Elf64_Phdr))
		return -ENOEXEC;
	*out = (struct elf_plan){
		.type = h.e_type,
		.nr_headers = h.e_phnum,
		.headers_offset = h.e_phoff,
		.entry = h.e_entry,
	};
	return 0;
}

/* A PT_LOAD segment by itself. */
static int check_segment(const Elf64_Phdr *s)
{
	uint64_t shift = s->p_vaddr & PAGE_MASK;

	if (s->p_filesz > s->p_memsz)
		return -EINVAL;
	if (s->p_vaddr >= ARCH_USER_END || s->p_memsz > ARCH_USER_END - s->p_vaddr)
		return -EINVAL;
	if (s->p_filesz && (s->p_offset & PAGE_MASK) != shift)
		return -EINVAL; /* mmap could not place it */
	if (s->p_offset > INT64_MAX - s->p_filesz)
		return -EINVAL;
	return 0;
}

static void add_segment(struct elf_plan *p, const Elf64_Phdr *s)
{
	uint64_t end = s->p_vaddr + s->p_memsz, file_end = s->p_vaddr + s->p_filesz;

	p->start = MIN(p->start, ALIGN_DOWN(s->p_vaddr, PAGE_SIZE));
	p->end = MAX(p->end, ALIGN_UP(end, PAGE_SIZE));
	p->brk = MAX(p->brk, end);
	if (s->p_align > 1 && (s->p_align & (s->p_align - 1)) == 0)
		p->align = MAX(p->align, s->p_align);
	if (p->headers_offset >= s->p_offset && p->headers_offset - s->p_offset < s->p_filesz)
		p->headers_at = s->p_vaddr + (p->headers_offset - s->p_offset);
	if ((s->p_flags & PF_X) && s->p_vaddr < p->code_start)
		p->code_start = s->p_vaddr;
	if ((s->p_flags & PF_X) && file_end > p->code_end)
		p->code_end = file_end;
	p->data_start = MAX(p->data_start, s->p_vaddr);
	p->data_end = MAX(p->data_end, file_end);
}

int elf_plan_segments(struct elf_plan *p, const Elf64_Phdr *headers)
{
	bool has_load = false;

	p->start = p->code_start = UINT64_MAX;
	p->align = PAGE_SIZE;
	for (unsigned i = 0; i < p->nr_headers; i++) {
		const Elf64_Phdr *h = &headers[i];
		int err;

		if (h->p_type == PT_INTERP && !p->interp)
			p->interp = h;
		if (h->p_type == PT_GNU_STACK)
			p->stack_is_exec = h->p_flags & PF_X;
		if (h->p_type != PT_LOAD || (!h->p_memsz && !h->p_filesz))
			continue;
		err = check_segment(h);
		if (err)
			return err;
		add_segment(p, h);
		has_load = true;
	}
	/* Linux: only a program that names an interpreter is placed by its alignment */
	if (p->align > ARCH_USER_END) {
		if (p->interp)
			return -EINVAL;
		p->align = PAGE_SIZE;
	}
	return has_load ? 0 : -EINVAL;
}
