// SPDX-License-Identifier: MIT
/*
 * What KASAN sees, and what it lets pass.
 */
#include "lib/test.h"

#include "mm/kasan.h"

#ifdef KASAN

#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"

static unsigned nr_seen;
static vaddr_t seen_at;
static bool seen_write;
static char seen_what[40];

static void remember(vaddr_t at, size_t size UNUSED, bool is_write, const char *what)
{
	nr_seen++;
	seen_at = at;
	seen_write = is_write;
	str_copy(seen_what, what, sizeof(seen_what));
}

static void start(void)
{
	nr_seen = 0;
	kasan_set_report_hook(remember);
}

static void expect_seen(unsigned nr, const void *at, bool is_write, const char *what)
{
	kasan_set_report_hook(NULL);
	EXPECT_EQ(nr_seen, nr);
	EXPECT_EQ(seen_at, (vaddr_t)at);
	EXPECT_EQ(seen_write, is_write);
	EXPECT_STREQ(seen_what, what);
}

static NOINLINE uint8_t read_byte(const volatile uint8_t *p)
{
	return *p;
}

static NOINLINE uint64_t read_word(const volatile void *p)
{
	return *(const volatile uint64_t *)p;
}

static NOINLINE void write_byte(volatile uint8_t *p, uint8_t byte)
{
	*p = byte;
}

TEST(mm, kasan_knows_the_end_of_an_object_to_the_byte)
{
	uint8_t *p = mem_alloc(21, SLAB_ZERO);
	uint8_t byte;

	REQUIRE(p);
	start();
	for (unsigned i = 0; i < 21; i++)
		read_byte(p + i);
	EXPECT_EQ(nr_seen, 0);
	byte = read_byte(p + 21);
	expect_seen(1, p + 21, false, "out-of-bounds access");
	start();
	read_word(p + 16); /* begins inside */
	expect_seen(1, p + 21, false, "out-of-bounds access");
	start();
	write_byte(p + 24, byte); /* what is there: the red zone stays right */
	expect_seen(1, p + 24, true, "out-of-bounds access");
	mem_free(p);
}

TEST(mm, kasan_knows_freed_objects_and_free_pages)
{
	uint8_t *p = mem_alloc(40, 0);
	struct page *page;

	REQUIRE(p);
	REQUIRE(page_alloc(&page, 0, 0) == 0);
	mem_free(p);
	start();
	read_byte(p + 39);
	expect_seen(1, p + 39, false, "use-after-free");
	p = page_to_virt(page);
	start();
	read_byte(p);
	EXPECT_EQ(nr_seen, 0);
	page_put(page);
	read_byte(p + 100);
	expect_seen(1, p + 100, false, "use of a free page");
}

TEST(mm, kasan_sees_copies_run_over_the_end)
{
	uint8_t *p = mem_alloc(64, 0), to[80];

	REQUIRE(p);
	start();
	memcpy(to, p, 64);
	EXPECT_EQ(nr_seen, 0);
	memcpy(to, p, 72);
	kasan_set_report_hook(NULL);
	EXPECT_GT(nr_seen, 0);
	mem_free(p);
}

#endif
