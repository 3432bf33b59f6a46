// SPDX-License-Identifier: MIT
// LINK: boot/pvh.c boot/multiboot2.c boot/memmap.c boot/info.c lib/string.c lib/str.c
// FLAGS: -DLIB_STRING_PREFIX
/*
 * Both parsers on a small "physical memory": right tables, lying tables, and random damage under
 * ASan. The window's memory is allocated exactly, so that one byte too far is a report.
 */
#include "boot/info.h"
#include "boot/protocol.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/string.h"
#include "lib/test.h"

void *malloc(size_t size);
void free(void *p);

struct arch_layout arch_layout; /* boot_read_info needs it; not called here */

void log_write(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

enum { WINDOW = 4096, INFO = 64, TEXT = 1024, LIST = 2048 };

static uint8_t *memory;
static struct boot_window window;
static struct bootinfo bi;
static struct memmap map;

static void setup(void)
{
	memory = malloc(WINDOW);
	memset(memory, 0, WINDOW);
	memset(&bi, 0, sizeof(bi));
	memmap_init(&map);
	window = (struct boot_window){memory, WINDOW};
}

static void put32(unsigned at, uint32_t v)
{
	memcpy(memory + at, &v, sizeof(v));
}

static void put64(unsigned at, uint64_t v)
{
	memcpy(memory + at, &v, sizeof(v));
}

/* ---- PVH ---- */

static void make_pvh(void)
{
	setup();
	put32(INFO, 0x336ec578);
	put32(INFO + 4, 1);
	put32(INFO + 12, 1);	      /* modules */
	put64(INFO + 16, LIST + 512); /* their list */
	put64(INFO + 24, TEXT);
	put64(INFO + 32, 0xf5a40);
	put64(INFO + 40, LIST);
	put32(INFO + 48, 2);
	memcpy(memory + TEXT, "console=ttyS0\tquiet", 20);
	put64(LIST, 0);
	put64(LIST + 8, 0x9fc00);
	put32(LIST + 16, 1);
	put64(LIST + 24, 0x100000);
	put64(LIST + 32, 0x7f00000);
	put32(LIST + 40, 1);
	put64(LIST + 512, 0x4000000);
	put64(LIST + 520, 0x1000);
}

TEST(pvh, start_info_of_version_1_is_read)
{
	make_pvh();
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), 0);
	EXPECT_STREQ(bi.protocol, "PVH");
	EXPECT_STREQ(bi.cmdline, "console=ttyS0 quiet");
	EXPECT_EQ(bi.rsdp, 0xf5a40);
	EXPECT_EQ(bi.initrd_start, 0x4000000);
	EXPECT_EQ(bi.initrd_end, 0x4001000);
	EXPECT_EQ(map.nr_raw, 2);
	free(memory);
}

TEST(pvh, wrong_magic_is_refused)
{
	make_pvh();
	put32(INFO, 0x336ec579);
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), -EINVAL);
	EXPECT_EQ(pvh_parse(&window, WINDOW - 8, &bi, &map), -EINVAL);
	EXPECT_EQ(pvh_parse(&window, UINT64_MAX - 8, &bi, &map), -EINVAL);
	free(memory);
}

TEST(pvh, version_0_has_no_memory_map)
{
	make_pvh();
	put32(INFO + 4, 0);
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), 0);
	EXPECT_EQ(map.nr_raw, 0);
	free(memory);
}

TEST(pvh, a_wrapping_module_is_dropped)
{
	make_pvh();
	put64(LIST + 520, UINT64_MAX - 0x1000);
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), 0);
	EXPECT_EQ(bi.initrd_start, bi.initrd_end);
	free(memory);
}

TEST(pvh, lists_outside_the_window_are_not_read)
{
	make_pvh();
	put64(INFO + 40, WINDOW - 24);
	put32(INFO + 48, UINT32_MAX);
	put64(INFO + 16, UINT64_MAX - 4);
	put64(INFO + 24, WINDOW + 1);
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), 0);
	EXPECT_STREQ(bi.cmdline, "");
	EXPECT_LE(map.nr_raw, 1);
	free(memory);
}

TEST(pvh, a_command_line_without_end_is_cut_at_the_window)
{
	make_pvh();
	put64(INFO + 24, WINDOW - 4);
	memset(memory + WINDOW - 4, 'x', 4);
	EXPECT_EQ(pvh_parse(&window, INFO, &bi, &map), 0);
	EXPECT_STREQ(bi.cmdline, "xxxx");
	free(memory);
}

/* ---- Multiboot2 ---- */

static unsigned mb2_at;

static void mb2_tag(uint32_t type, uint32_t size)
{
	mb2_at = ALIGN_UP(mb2_at, 8u);
	put32(mb2_at, type);
	put32(mb2_at + 4, size);
	mb2_at += size;
}

static void make_mb2(void)
{
	setup();
	mb2_at = INFO + 8;
	mb2_tag(1, 8 + 6);
	memcpy(memory + mb2_at - 6, "quiet", 6);
	mb2_tag(2, 8 + 5);
	memcpy(memory + mb2_at - 5, "GRUB", 5);
	mb2_tag(3, 16 + 7);
	put32(mb2_at - 7 - 8, 0x800000);
	put32(mb2_at - 7 - 4, 0x801000);
	mb2_tag(6, 16 + 24 * 2);
	put32(mb2_at - 24 * 2 - 8, 24);
	put64(mb2_at - 24, 0x100000);
	put64(mb2_at - 16, 0x700000);
	put32(mb2_at - 8, 1);
	mb2_tag(8, 38);
	put64(mb2_at - 30, 0xfd000000);
	put32(mb2_at - 22, 4096);
	put32(mb2_at - 18, 1024);
	put32(mb2_at - 14, 768);
	memory[mb2_at - 10] = 32;
	memory[mb2_at - 9] = 1;
	memory[mb2_at - 6] = 16;
	mb2_tag(15, 8 + 36);
	memcpy(memory + mb2_at - 36, "RSD PTR new", 11);
	mb2_tag(14, 8 + 20);
	memcpy(memory + mb2_at - 20, "RSD PTR old", 11);
	mb2_tag(0, 8);
	put32(INFO, mb2_at - INFO);
}

TEST(multiboot2, all_tags_are_read)
{
	make_mb2();
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), 0);
	EXPECT_STREQ(bi.cmdline, "quiet");
	EXPECT_STREQ(bi.loader, "GRUB");
	EXPECT_EQ(bi.initrd_start, 0x800000);
	EXPECT_EQ(bi.initrd_end, 0x801000);
	EXPECT_EQ(map.nr_raw, 1);
	EXPECT_EQ(bi.fb.width, 1024);
	EXPECT_EQ(bi.fb.red_pos, 16);
	EXPECT_EQ(bi.rsdp_copy[8], 'n'); /* the newer one, though it came first */
	free(memory);
}

TEST(multiboot2, an_impossible_size_is_refused)
{
	make_mb2();
	put32(INFO, WINDOW);
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), -EINVAL);
	put32(INFO, 4);
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), -EINVAL);
	EXPECT_EQ(multiboot2_parse(&window, UINT64_MAX - 3, &bi, &map), -EINVAL);
	free(memory);
}

TEST(multiboot2, a_tag_that_reaches_beyond_the_list_ends_it)
{
	make_mb2();
	put32(INFO + 12, 0xfffffff9);
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), 0);
	EXPECT_EQ(map.nr_raw, 0);
	put32(INFO + 12, 0);
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), 0);
	free(memory);
}

TEST(multiboot2, a_frame_buffer_that_makes_no_sense_is_ignored)
{
	make_mb2();
	for (unsigned at = INFO; at < INFO + 512; at += 4) {
		uint32_t pitch;

		memcpy(&pitch, memory + at, sizeof(pitch));
		if (pitch == 4096)
			put32(at, 4092); /* less than 1024 pixels of 4 bytes */
	}
	EXPECT_EQ(multiboot2_parse(&window, INFO, &bi, &map), 0);
	EXPECT_EQ(bi.fb.addr, 0);
	free(memory);
}

/* ---- Damage ---- */

static uint64_t seed = 7;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* A few bytes changed to anything, or a word to something extreme. */
static void damage(void)
{
	static const uint32_t extremes[] = {0, 1, 7, 8, 23, 24, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};

	for (unsigned n = draw(6) + 1; n > 0; n--) {
		unsigned at = INFO + draw(512);

		if (draw(2))
			memory[at] = (uint8_t)draw(256);
		else
			put32(at & ~3u, extremes[draw(ARRAY_LEN(extremes))]);
	}
}

static void check_result(void)
{
	static struct mem_range out[MAX_MEM_RANGES];

	bi.nr_mem = memmap_finish(&map, out, MAX_MEM_RANGES);
	for (unsigned i = 0; i < bi.nr_mem; i++)
		bi.mem[i] = out[i];
	boot_check_info(&bi);
	EXPECT_LE(bi.initrd_start, bi.initrd_end);
	EXPECT_LT(strnlen(bi.cmdline, sizeof(bi.cmdline)), sizeof(bi.cmdline));
}

TEST(pvh, damaged_tables_never_lead_outside_the_window)
{
	for (unsigned i = 0; i < 20000; i++) {
		make_pvh();
		damage();
		if (pvh_parse(&window, INFO, &bi, &map) == 0)
			check_result();
		free(memory);
	}
}

TEST(multiboot2, damaged_tables_never_lead_outside_the_window)
{
	for (unsigned i = 0; i < 20000; i++) {
		make_mb2();
		damage();
		if (multiboot2_parse(&window, INFO, &bi, &map) == 0)
			check_result();
		free(memory);
	}
}

/* ---- The initrd's place ---- */

TEST(bootinfo, an_initrd_outside_free_memory_or_over_the_kernel_is_dropped)
{
	static const struct {
		paddr_t start, end;
		bool is_good;
	} cases[] = {
		{0x400000, 0x500000, true},
		{0x7ff000, 0x801000, false},   /* reaches out of RAM */
		{0x100000, 0x180000, false},   /* the kernel */
		{0x1ff000, 0x300000, false},   /* its end */
		{0x200000, 0x300000, true},
		{0xfee00000, 0xfee01000, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&bi, 0, sizeof(bi));
		bi.mem[0] = (struct mem_range){0x100000, 0x800000, MEM_USABLE};
		bi.nr_mem = 1;
		bi.kernel_start = 0x100000;
		bi.kernel_end = 0x200000;
		bi.initrd_start = cases[i].start;
		bi.initrd_end = cases[i].end;
		boot_check_info(&bi);
		EXPECT_EQ(bi.initrd_start != bi.initrd_end, cases[i].is_good);
	}
}
