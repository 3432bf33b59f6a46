// SPDX-License-Identifier: MIT
/*
 * Copies of user memory: of every small length across the border of the last page there is, with
 * pages that are absent, read-only, or brought in on the way; strings; words; iters.
 *
 * The running thread borrows an address space for the time of a test.
 */
#include "arch/arch.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "sync/preempt.h"
#include "uaccess/iter.h"
#include "uaccess/uaccess.h"

#include <linux/mman.h>
#include <linux/uio.h>

enum { PAGES = 4, MAX_LEN = 200 };
#define AREA   0x10000000ul
#define END    (AREA + PAGES * PAGE_SIZE)
#define KERNEL ((uintptr_t)arch_layout.direct_base)

static struct vmspace *vm;
static uint8_t pattern[MAX_LEN], buf[MAX_LEN + 16];

/* Pages [AREA, END), and nothing behind. */
static bool borrow(void)
{
	struct map_req req = {.addr = AREA,
		.size = PAGES * PAGE_SIZE,
		.flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE,
		.map_flags = MAP_FIXED};
	vaddr_t at;

	for (unsigned i = 0; i < MAX_LEN; i++)
		pattern[i] = (uint8_t)(i * 29 + 1);
	if (vmspace_create(&vm))
		return false;
	vmspace_use(vm);
	return vmspace_map(vm, &req, &at) == 0;
}

static void give_back(void)
{
	vmspace_use(NULL);
	vmspace_put(vm);
}

TEST(uaccess, copies_stop_at_the_right_byte)
{
	REQUIRE(borrow());
	for (size_t len = 0; len <= MAX_LEN; len++)
		for (size_t room = 0; room < MAX_LEN; room += room < 40 ? 1 : 13) {
			size_t expected = MIN(len, room);
			vaddr_t at = END - room;

			memset(buf, 0, sizeof(buf));
			EXPECT_EQ(user_write_some(UPTR(at), pattern, len), expected);
			EXPECT_EQ(user_read_some(buf, UPTR(at), len), expected);
			if (memcmp(buf, pattern, expected) || buf[expected])
				test_fail(
					__FILE__, __LINE__, "%zu bytes, %zu there", len, room);
			EXPECT_EQ(
				user_write(UPTR(at), pattern, len), len <= room ? 0 : -EFAULT);
			EXPECT_EQ(user_zero(UPTR(at), len), len <= room ? 0 : -EFAULT);
			EXPECT_EQ(user_read_some(buf, UPTR(at), len), expected);
			for (size_t i = 0; i < expected; i++)
				EXPECT_EQ(buf[i], 0);
		}
	give_back();
}

TEST(uaccess, copies_bring_pages_in_and_cross_borders)
{
	static uint8_t big[3 * 4096], copy[3 * 4096];
	vaddr_t at = AREA + 100;

	REQUIRE(borrow());
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i ^ (i >> 8));
	EXPECT_EQ(user_write(UPTR(at), big, sizeof(big)), 0);
	EXPECT_EQ(user_read(copy, UPTR(at), sizeof(copy)), 0);
	EXPECT_EQ(memcmp(big, copy, sizeof(big)), 0);
	EXPECT_EQ(vm->nr_resident, 4);
	EXPECT_EQ(user_read_some(copy, UPTR(END - 5000), sizeof(copy)), 5000);
	give_back();
}

TEST(uaccess, bad_addresses_are_errors)
{
	static const uintptr_t bad[] = {0, 1, 4095, END, ARCH_USER_END - 1, ARCH_USER_END,
		ARCH_USER_END + 1, 0x8000000000000000ul, UINTPTR_MAX - 3, UINTPTR_MAX};
	uint32_t word;

	REQUIRE(borrow());
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(user_read(buf, UPTR(bad[i]), 8), -EFAULT);
		EXPECT_EQ(user_write(UPTR(bad[i]), buf, 8), -EFAULT);
		EXPECT_EQ(user_zero(UPTR(bad[i]), 8), -EFAULT);
		EXPECT_EQ(user_read_some(buf, UPTR(bad[i]), 8), 0);
		EXPECT_EQ(user_read_string((char *)buf, UPTR(bad[i]), 8), -EFAULT);
		EXPECT_EQ(user_load32(&word, UPTR(bad[i] & ~3ul)), -EFAULT);
	}
	EXPECT_EQ(user_read(buf, UPTR(KERNEL), 8), -EFAULT);
	EXPECT_EQ(user_read(buf, UPTR(AREA), SIZE_MAX), -EFAULT);
	EXPECT(!user_range_ok(UPTR(AREA), SIZE_MAX - 1));
	EXPECT(user_range_ok(UPTR(0), ARCH_USER_END));
	EXPECT(!user_range_ok(UPTR(1), ARCH_USER_END));
	give_back();
}

TEST(uaccess, read_only_pages_can_be_read_and_not_written)
{
	uint64_t x = 77, y = 0;

	REQUIRE(borrow());
	EXPECT_EQ(user_put(UPTR(AREA), x), 0);
	EXPECT_EQ(vmspace_protect(vm, AREA, PAGE_SIZE, VM_READ), 0);
	EXPECT_EQ(user_get(y, UPTR(AREA)), 0);
	EXPECT_EQ(y, 77);
	EXPECT_EQ(user_put(UPTR(AREA), x), -EFAULT);
	EXPECT_EQ(user_write_some(UPTR(AREA + PAGE_SIZE - 8), pattern, 24), 0);
	EXPECT_EQ(user_write_some(UPTR(AREA + PAGE_SIZE), pattern, 24), 24);
	give_back();
}

TEST(uaccess, strings_end_at_their_nul_or_their_page)
{
	char out[64];

	REQUIRE(borrow());
	for (size_t len = 0; len < 40; len++)
		for (size_t gap = 0; gap < 20; gap++) {
			vaddr_t at = END - gap - len - 1;

			memset(out, 'a', sizeof(out));
			EXPECT_EQ(user_write(UPTR(at), out, len), 0);
			EXPECT_EQ(user_zero(UPTR(at + len), 1), 0);
			memset(out, '?', sizeof(out));
			EXPECT_EQ(user_read_string(out, UPTR(at), sizeof(out)), (int)len);
			EXPECT_EQ(strlen(out), len);
			EXPECT_EQ(user_read_string(out, UPTR(at), len + 1), (int)len);
			EXPECT_EQ(user_read_string(out, UPTR(at), len), -ENAMETOOLONG);
		}
	memset(out, 'b', sizeof(out));
	EXPECT_EQ(user_write(UPTR(END - 30), out, 30), 0);
	EXPECT_EQ(user_read_string(out, UPTR(END - 30), sizeof(out)), -EFAULT);
	EXPECT_EQ(user_read_string(out, UPTR(END - 30), 30), -ENAMETOOLONG);
	give_back();
}

TEST(uaccess, structures_of_other_sizes)
{
	uint8_t out[24];

	REQUIRE(borrow());
	EXPECT_EQ(user_write(UPTR(AREA), pattern, 24), 0);
	memset(out, 0xff, sizeof(out));
	EXPECT_EQ(user_read_struct(out, 24, UPTR(AREA), 16), 0);
	EXPECT_EQ(memcmp(out, pattern, 16), 0);
	EXPECT_EQ(out[16] | out[23], 0);
	EXPECT_EQ(user_read_struct(out, 16, UPTR(AREA), 24), -E2BIG);
	EXPECT_EQ(user_zero(UPTR(AREA + 16), 200), 0);
	EXPECT_EQ(user_read_struct(out, 16, UPTR(AREA), 216), 0);
	EXPECT_EQ(user_read_struct(out, 16, UPTR(END - 16), 17), -EFAULT);
	give_back();
}

TEST(uaccess, words_change_only_as_expected)
{
	uint32_t word = 5, old = 0;

	REQUIRE(borrow());
	EXPECT_EQ(
		user_peek32(&old, UPTR(AREA)), -EFAULT); /* not there yet, and not brought in */
	EXPECT_EQ(user_put(UPTR(AREA), word), 0);
	EXPECT_EQ(user_peek32(&old, UPTR(AREA)), 0);
	EXPECT_EQ(old, 5);
	EXPECT_EQ(user_cmpxchg32(UPTR(AREA), 4, 9, &old), 0);
	EXPECT_EQ(old, 5);
	EXPECT_EQ(user_cmpxchg32(UPTR(AREA), 5, 9, &old), 0);
	EXPECT_EQ(old, 5);
	EXPECT_EQ(user_load32(&word, UPTR(AREA)), 0);
	EXPECT_EQ(word, 9);
	EXPECT_EQ(user_cmpxchg32(UPTR(AREA + 2), 9, 1, &old), -EFAULT);
	EXPECT_EQ(user_cmpxchg32(UPTR(END), 9, 1, &old), -EFAULT);
	preempt_disable();
	EXPECT_EQ(user_read(buf, UPTR(AREA + 2 * PAGE_SIZE), 8), -EFAULT);
	preempt_enable();
	EXPECT_EQ(user_read(buf, UPTR(AREA + 2 * PAGE_SIZE), 8), 0);
	give_back();
}

TEST(uaccess, an_iter_walks_its_segments_and_back)
{
	struct iovec vec[3] = {
		{(void *)(AREA + 10), 5}, {(void *)(AREA + 100), 0}, {(void *)(END - 20), 40}};
	struct iter it;

	REQUIRE(borrow());
	EXPECT_EQ(user_put(UPTR(AREA + 2 * PAGE_SIZE), vec), 0);
	REQUIRE(!iter_init_iovec(&it, UPTR(AREA + 2 * PAGE_SIZE), 3));
	EXPECT_EQ(it.left, 45);
	EXPECT_EQ(iter_write(&it, pattern, 3), 3);
	EXPECT_EQ(iter_write(&it, pattern + 3, 10), 10);
	EXPECT_EQ(it.left, 32);
	EXPECT_EQ(iter_write(&it, pattern + 13, 30), 12); /* the page ends */
	iter_revert(&it, 25);
	EXPECT_EQ(it.left, 45);
	EXPECT_EQ(iter_read(&it, buf, 45), 25);
	EXPECT_EQ(memcmp(buf, pattern, 25), 0);
	iter_revert(&it, 25);
	iter_advance(&it, 4);
	EXPECT_EQ(iter_zero(&it, 2), 2);
	iter_revert(&it, 3);
	EXPECT_EQ(iter_read(&it, buf, 4), 4);
	EXPECT(buf[0] == pattern[3] && buf[1] == 0 && buf[2] == 0 && buf[3] == pattern[6]);
	iter_fini(&it);
	EXPECT_EQ(iter_init_iovec(&it, UPTR(END), 3), -EFAULT);
	EXPECT_EQ(iter_init_iovec(&it, UPTR(AREA), 1025), -EINVAL);
	vec[1].iov_len = (size_t)1 << 63;
	EXPECT_EQ(user_put(UPTR(AREA), vec), 0);
	EXPECT_EQ(iter_init_iovec(&it, UPTR(AREA), 3), -EINVAL);
	EXPECT_EQ(iter_init_user(&it, UPTR(ARCH_USER_END), 1), -EFAULT);
	EXPECT_EQ(iter_init_user(&it, UPTR(AREA), ITER_MAX_BYTES + 1), 0);
	EXPECT_EQ(it.left, ITER_MAX_BYTES);
	give_back();
}
