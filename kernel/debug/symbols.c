// SPDX-License-Identifier: MIT
/*
 * From addresses to names and back, by the table that the build puts into the image.
 *
 * Section .symtab_torus, little endian (made and described by tools/symtab): u32 count, u32
 * offset of the names; count entries {u32 address minus __image_start, u32 offset of the name
 * from the start of the names} sorted by address; the names. Offsets from the image's start
 * need no relocation, so the table serves wherever KASLR put the image. It is read-only,
 * bounded by the linker script's marks, and safe to use in any context.
 */
#include "debug/panic.h"

#include "lib/fmt.h"
#include "lib/string.h"

struct symbol {
	uint32_t offset;
	uint32_t name;
};

struct symbol_table {
	uint32_t count;
	uint32_t names;
	struct symbol symbols[];
};

extern const struct symbol_table __symtab_start; /* kernel.lds */

static const char *name_of(const struct symbol *s)
{
	return (const char *)&__symtab_start + __symtab_start.names + s->name;
}

/* The last symbol at or below the offset; NULL when there is none. */
static const struct symbol *find(uint32_t offset)
{
	const struct symbol_table *table = &__symtab_start;
	uint32_t low = 0, high = table->count; /* symbols[low - 1] <= offset < symbols[high] */

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (table->symbols[mid].offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &table->symbols[low - 1] : NULL;
}

void symbol_describe(vaddr_t addr, char *buf, size_t size)
{
	const struct symbol *s = NULL;

	if (addr >= arch_layout.image_base && addr < arch_layout.image_end)
		s = find((uint32_t)(addr - arch_layout.image_base));
	if (s)
		snformat(buf, size, "%s+%#lx", name_of(s),
			(unsigned long)(addr - arch_layout.image_base - s->offset));
	else
		snformat(buf, size, "%#lx", (unsigned long)addr);
}

vaddr_t symbol_find(const char *name)
{
	const struct symbol_table *table = &__symtab_start;

	for (uint32_t i = 0; i < table->count; i++)
		if (str_equal(name_of(&table->symbols[i]), name))
			return arch_layout.image_base + table->symbols[i].offset;
	return 0;
}
