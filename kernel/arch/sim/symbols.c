// SPDX-License-Identifier: MIT
/*
 * From addresses to names in the simulated machine: the program's own ELF symbol table. Stands
 * in for debug/symbols.c, whose table is made for kernel images. The program is linked at fixed
 * addresses, so a symbol's value is its address.
 *
 * Read at the first question, which a report asks; nothing is decided by it.
 */
#include "debug/panic.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const Elf64_Sym *symbols;
static size_t nr_symbols;
static const char *names;

static void load(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const Elf64_Ehdr *elf;
	const Elf64_Shdr *sections;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return;
	elf = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (elf == MAP_FAILED)
		return;
	sections = (const Elf64_Shdr *)((const char *)elf + elf->e_shoff);
	for (unsigned i = 0; i < elf->e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		symbols = (const Elf64_Sym *)((const char *)elf + sections[i].sh_offset);
		nr_symbols = sections[i].sh_size / sizeof(*symbols);
		names = (const char *)elf + sections[sections[i].sh_link].sh_offset;
	}
}

void symbol_describe(vaddr_t addr, char *buf, size_t size)
{
	const Elf64_Sym *best = NULL;

	if (!symbols)
		load();
	for (size_t i = 0; i < nr_symbols; i++) {
		const Elf64_Sym *s = &symbols[i];

		if (ELF64_ST_TYPE(s->st_info) == STT_FUNC &&
			addr - s->st_value < MAX(s->st_size, 1ul))
			best = s;
	}
	if (best)
		snprintf(buf, size, "%s+%#lx", names + best->st_name, addr - best->st_value);
	else
		snprintf(buf, size, "%#lx", addr);
}

vaddr_t symbol_find(const char *name)
{
	if (!symbols)
		load();
	for (size_t i = 0; i < nr_symbols; i++)
		if (symbols[i].st_value && strcmp(names + symbols[i].st_name, name) == 0)
			return symbols[i].st_value;
	return 0;
}
