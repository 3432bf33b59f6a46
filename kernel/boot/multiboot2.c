// SPDX-License-Identifier: MIT
/*
 * The Multiboot2 protocol: GRUB, on BIOS and on UEFI.
 *
 * The information is a list of tags {type, size, ...}, each padded to 8 bytes. A tag that is
 * smaller than its type needs is ignored; one that reaches beyond the list ends it.
 *
 * Spec    Multiboot2 Specification 2.0, 3.6
 */
#include "boot/protocol.h"

#include "debug/log.h"
#include "lib/string.h"

enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER = 2,
	TAG_MODULE = 3,
	TAG_MEMMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14, /* a copy of the ACPI 1.0 structure */
	TAG_RSDP_NEW = 15, /* of the ACPI 2.0 structure */
};
enum {
	TAG_ALIGN = 8,
	MAX_TAGS = 256,
	MAX_ENTRIES = 512,
	FRAMEBUFFER_RGB = 1,
	MAX_LOADER_NAME = 64,
};
#define MAX_INFO_SIZE (16 * MIB)

struct mb2_info {
	uint32_t size, reserved;
};
struct mb2_tag {
	uint32_t type, size;
};
struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
};
struct mb2_memmap {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
};
struct mb2_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};
struct mb2_framebuffer {
	struct mb2_tag tag;
	uint64_t addr;
	uint32_t pitch, width, height;
	uint8_t bits_per_pixel, type;
	uint16_t reserved;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
} PACKED;

static char loader_name[MAX_LOADER_NAME]; /* bootinfo.loader */

/* One tag: where it lies, and its size, which is inside the list. */
struct tag_view {
	const struct boot_window *w;
	paddr_t at;
	struct mb2_tag head;
};

/* The fixed part of a tag's structure; false if the tag is too small for it. */
static bool tag_read(const struct tag_view *t, void *to, size_t size)
{
	const void *from = boot_view(t->w, t->at, size);

	if (!from || t->head.size < size) {
		log_warning("boot: Multiboot2 tag %u is too short (%u bytes)", t->head.type, t->head.size);
		return false;
	}
	memcpy(to, from, size);
	return true;
}

static void read_module(const struct tag_view *t, struct bootinfo *bi)
{
	struct mb2_module m;

	if (!tag_read(t, &m, sizeof(m)) || bi->initrd_start != bi->initrd_end)
		return; /* the first module is the initrd */
	if (m.end < m.start) {
		log_warning("boot: Multiboot2 module ends before it starts");
		return;
	}
	bi->initrd_start = m.start;
	bi->initrd_end = m.end;
}

static void read_memmap(const struct tag_view *t, struct memmap *map)
{
	struct mb2_memmap m;
	struct mb2_memmap_entry entry;
	uint64_t offset = sizeof(m);

	if (!tag_read(t, &m, sizeof(m)))
		return;
	if (m.entry_size < sizeof(entry)) {
		log_warning("boot: Multiboot2 memory map entries of %u bytes", m.entry_size);
		return;
	}
	for (unsigned i = 0; i < MAX_ENTRIES && offset + sizeof(entry) <= t->head.size; i++) {
		memcpy(&entry, boot_view(t->w, t->at + offset, sizeof(entry)), sizeof(entry));
		memmap_add(map, entry.addr, entry.size, entry.type);
		offset += m.entry_size;
	}
}

static void read_framebuffer(const struct tag_view *t, struct framebuffer_info *fb)
{
	struct mb2_framebuffer f;
	uint64_t end;

	if (!tag_read(t, &f, sizeof(f)) || f.type != FRAMEBUFFER_RGB)
		return;
	if (f.addr == 0 || f.width == 0 || f.height == 0 || f.bits_per_pixel % 8 != 0 ||
		f.bits_per_pixel < 16 || f.bits_per_pixel > 32 ||
		f.pitch < (uint64_t)f.width * (f.bits_per_pixel / 8) ||
		__builtin_add_overflow(f.addr, (uint64_t)f.pitch * f.height, &end)) {
		log_warning("boot: the frame buffer makes no sense: %ux%u, %u bits, %u bytes a line", f.width,
			f.height, f.bits_per_pixel, f.pitch);
		return;
	}
	*fb = (struct framebuffer_info){
		.addr = f.addr,
		.width = f.width,
		.height = f.height,
		.pitch = f.pitch,
		.bits_per_pixel = f.bits_per_pixel,
		.red_pos = f.red_pos,
		.red_size = f.red_size,
		.green_pos = f.green_pos,
		.green_size = f.green_size,
		.blue_pos = f.blue_pos,
		.blue_size = f.blue_size,
	};
}

/* The newer structure wins; it is checked by whoever reads it. */
static void read_rsdp(const struct tag_view *t, struct bootinfo *bi, bool *has_new)
{
	size_t size = MIN((size_t)t->head.size - sizeof(t->head), sizeof(bi->rsdp_copy));
	const void *from = boot_view(t->w, t->at + sizeof(t->head), size);

	if (!from || (t->head.type == TAG_RSDP_OLD && *has_new))
		return;
	*has_new |= t->head.type == TAG_RSDP_NEW;
	memset(bi->rsdp_copy, 0, sizeof(bi->rsdp_copy));
	memcpy(bi->rsdp_copy, from, size);
}

static void read_tag(const struct tag_view *t, struct bootinfo *bi, struct memmap *map, bool *has_new_rsdp)
{
	paddr_t text = t->at + sizeof(t->head);
	uint64_t text_len = t->head.size - sizeof(t->head);

	switch (t->head.type) {
	case TAG_CMDLINE:
		boot_copy_text(bi->cmdline, sizeof(bi->cmdline), t->w, text, text_len);
		break;
	case TAG_LOADER:
		boot_copy_text(loader_name, sizeof(loader_name), t->w, text, text_len);
		bi->loader = loader_name;
		break;
	case TAG_MODULE:
		read_module(t, bi);
		break;
	case TAG_MEMMAP:
		read_memmap(t, map);
		break;
	case TAG_FRAMEBUFFER:
		read_framebuffer(t, &bi->fb);
		break;
	case TAG_RSDP_OLD:
	case TAG_RSDP_NEW:
		read_rsdp(t, bi, has_new_rsdp);
		break;
	}
}

int multiboot2_parse(const struct boot_window *w, paddr_t info, struct bootinfo *bi, struct memmap *map)
{
	const void *at = boot_view(w, info, sizeof(struct mb2_info));
	bool has_new_rsdp = false;
	struct mb2_info head;
	uint64_t offset = sizeof(head);

	if (!at)
		return -EINVAL;
	memcpy(&head, at, sizeof(head));
	if (head.size < sizeof(head) || head.size > MAX_INFO_SIZE || !boot_view(w, info, head.size))
		return -EINVAL;
	bi->protocol = "Multiboot2";
	bi->loader = "";
	for (unsigned n = 0; n < MAX_TAGS && offset + sizeof(struct mb2_tag) <= head.size; n++) {
		struct tag_view t = {.w = w, .at = info + offset};

		memcpy(&t.head, boot_view(w, t.at, sizeof(t.head)), sizeof(t.head));
		if (t.head.type == TAG_END)
			return 0;
		if (t.head.size < sizeof(t.head) || t.head.size > head.size - offset) {
			log_warning("boot: Multiboot2 tag %u of %u bytes ends the list", t.head.type, t.head.size);
			return 0;
		}
		read_tag(&t, bi, map, &has_new_rsdp);
		offset += ALIGN_UP((uint64_t)t.head.size, TAG_ALIGN);
	}
	return 0;
}
