// SPDX-License-Identifier: MIT
/*
 * The PVH boot protocol: QEMU -kernel, Firecracker, Cloud Hypervisor, Xen.
 *
 * Spec    xen/include/public/arch-x86/hvm/start_info.h
 */
#include "boot/protocol.h"

#include "debug/log.h"
#include "lib/string.h"

#define PVH_MAGIC 0x336ec578u

enum {
	PVH_VERSION_WITH_MEMMAP = 1,
	PVH_MAX_MEMMAP = 512, /* more is not believed */
};

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp;
	uint64_t memmap; /* these from version 1 */
	uint32_t nr_memmap, reserved;
};
#define PVH_SIZE_VERSION_0 offsetof(struct pvh_start_info, memmap)

struct pvh_module {
	uint64_t addr, size, cmdline, reserved;
};

struct pvh_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

static void read_memmap(const struct boot_window *w, const struct pvh_start_info *si, struct memmap *map)
{
	if (si->nr_memmap > PVH_MAX_MEMMAP)
		log_warning("boot: PVH memory map of %u entries, %u read", si->nr_memmap, PVH_MAX_MEMMAP);
	for (uint32_t i = 0; i < si->nr_memmap && i < PVH_MAX_MEMMAP; i++) {
		const void *at = boot_view(w, si->memmap, (i + 1ull) * sizeof(struct pvh_memmap));
		struct pvh_memmap entry;

		if (!at) {
			log_warning("boot: PVH memory map lies outside memory");
			return;
		}
		memcpy(&entry, (const char *)at + i * sizeof(entry), sizeof(entry));
		memmap_add(map, entry.addr, entry.size, entry.type);
	}
}

/* The first module is the initrd. A module that wraps is dropped; info.c checks where it lies. */
static void read_module(const struct boot_window *w, const struct pvh_start_info *si, struct bootinfo *bi)
{
	const void *at = boot_view(w, si->modlist, sizeof(struct pvh_module));
	struct pvh_module m;
	paddr_t end;

	if (si->nr_modules == 0)
		return;
	if (!at) {
		log_warning("boot: PVH module list lies outside memory");
		return;
	}
	memcpy(&m, at, sizeof(m));
	if (__builtin_add_overflow(m.addr, m.size, &end)) {
		log_warning("boot: PVH module wraps around");
		return;
	}
	bi->initrd_start = m.addr;
	bi->initrd_end = end;
}

int pvh_parse(const struct boot_window *w, paddr_t info, struct bootinfo *bi, struct memmap *map)
{
	struct pvh_start_info si = {0};
	const void *at = boot_view(w, info, PVH_SIZE_VERSION_0);

	if (!at)
		return -EINVAL;
	memcpy(&si, at, PVH_SIZE_VERSION_0);
	if (si.magic != PVH_MAGIC)
		return -EINVAL;
	at = boot_view(w, info, sizeof(si));
	if (si.version >= PVH_VERSION_WITH_MEMMAP && at)
		memcpy(&si, at, sizeof(si));

	bi->protocol = "PVH";
	bi->loader = "";
	if (si.cmdline)
		boot_copy_text(bi->cmdline, sizeof(bi->cmdline), w, si.cmdline, MAX_CMDLINE);
	bi->rsdp = si.rsdp;
	read_memmap(w, &si, map);
	read_module(w, &si, bi);
	return 0;
}
