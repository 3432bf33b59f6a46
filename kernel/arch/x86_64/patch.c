// SPDX-License-Identifier: MIT
/*
 * Writes the instructions this CPU has over the no-ops that stand in for them (patch.h).
 *
 * Runs on the boot CPU before anything else could execute the sites; code is not writable where
 * it runs, but the direct map shows the same bytes.
 */
#include "patch.h"

#include "cpu.h"
#include "cpuid.h"

#include "lib/string.h"

static_assert(PATCH_FEATURE_SMAP == X86_FEATURE_SMAP, "patch.h");

struct patch {
	int32_t site; /* relative to this word */
	uint8_t feature;
	uint8_t code[3];
};
extern const struct patch __patches_start[], __patches_end[]; /* kernel.lds */

void x86_patch_code(void)
{
	for (const struct patch *p = __patches_start; p < __patches_end; p++) {
		vaddr_t va = (vaddr_t)&p->site + (vaddr_t)(intptr_t)p->site;

		if (x86_has((enum x86_feature)p->feature))
			memcpy((void *)(va - arch_layout.image_base + arch_layout.image_phys +
					arch_layout.direct_base),
				p->code, sizeof(p->code));
	}
	x86_cpuid(0, 0); /* serialises: what was fetched before is fetched again */
}
