// SPDX-License-Identifier: MIT
/*
 * Address spaces: mapping, faults, fork with shared tables, truncation, races of these, and what
 * is left when allocations fail. Memory is reached as another process would (vmspace_access), so
 * this runs in the simulated machine, too.
 */
#include "lib/test.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "sched/sched.h"
#include "sync/rcu.h"

#include <linux/mman.h>

#define AREA (64 * PAGE_SIZE)

static int map_at(struct vmspace *vm, vaddr_t at, size_t size, uint32_t flags, vaddr_t *out)
{
	struct map_req req = {.addr = at, .size = size, .flags = flags};

	if (at)
		req.map_flags = MAP_FIXED;
	return vmspace_map(vm, &req, out);
}

static int map_anon(struct vmspace *vm, vaddr_t at, size_t size, vaddr_t *out)
{
	return map_at(vm, at, size, VM_READ | VM_WRITE | VM_NOHUGE, out);
}

static bool put(struct vmspace *vm, vaddr_t at, uint64_t value)
{
	return vmspace_access(vm, at, &value, sizeof(value), true, false) == sizeof(value);
}

/* What is at the address; all ones when it cannot be read. */
static uint64_t get(struct vmspace *vm, vaddr_t at)
{
	uint64_t value = UINT64_MAX;

	if (vmspace_access(vm, at, &value, sizeof(value), false, false) != sizeof(value))
		return UINT64_MAX;
	return value;
}

static int fault(struct vmspace *vm, vaddr_t at, unsigned flags)
{
	int code;

	return vmspace_fault(vm, at, flags, &code);
}

static uint64_t free_pages(void)
{
	struct page_stats stats;

	rcu_barrier(); /* whatever waits for it */
	slab_shrink();
	page_drain_caches();
	page_get_stats(&stats);
	return stats.free;
}

TEST(vmspace, anonymous_memory_starts_as_zero_and_keeps_what_is_written)
{
	struct vmspace *vm;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, 0, AREA, &at));
	EXPECT_EQ(get(vm, at + 8), 0);
	EXPECT(put(vm, at + 8, 42));
	EXPECT_EQ(get(vm, at + 8), 42);
	EXPECT_EQ(get(vm, at + AREA - 8), 0);
	EXPECT_EQ(vm->nr_resident, 2);
	EXPECT_EQ(vm->nr_mapped, AREA / PAGE_SIZE);
	EXPECT(!vmspace_unmap(vm, at, AREA));
	EXPECT_EQ(vm->nr_resident, 0);
	EXPECT_EQ(vm->nr_mapped, 0);
	EXPECT_EQ(fault(vm, at, 0), -EFAULT);
	vmspace_put(vm);
}

TEST(vmspace, everything_comes_back_when_the_last_reference_goes)
{
	uint64_t before;
	struct vmspace *vm;
	vaddr_t at;

	for (unsigned round = 0; round < 2; round++) { /* the first fills caches that stay */
		before = free_pages();
		REQUIRE(!vmspace_create(&vm));
		for (unsigned i = 0; i < 20; i++) {
			REQUIRE(!map_anon(vm, (i + 1) * 3 * GIB, AREA, &at));
			for (unsigned page = 0; page < AREA / PAGE_SIZE; page += 7)
				EXPECT(put(vm, at + page * PAGE_SIZE, page));
		}
		vmspace_put(vm);
	}
	EXPECT_EQ(free_pages(), before);
}

TEST(vmspace, fixed_mapping_replaces_what_is_there)
{
	struct vmspace *vm;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, GIB, AREA, &at));
	EXPECT(put(vm, GIB + 4 * PAGE_SIZE, 1));
	EXPECT(put(vm, GIB + 8 * PAGE_SIZE, 2));
	REQUIRE(!map_at(vm, GIB + 4 * PAGE_SIZE, PAGE_SIZE, VM_READ, &at));
	EXPECT_EQ(get(vm, GIB + 4 * PAGE_SIZE), 0);
	EXPECT(!put(vm, GIB + 4 * PAGE_SIZE, 3));
	EXPECT_EQ(get(vm, GIB + 8 * PAGE_SIZE), 2);
	EXPECT_EQ(vm->nr_regions, 3);
	EXPECT_EQ(vm->nr_mapped, AREA / PAGE_SIZE);
	vmspace_put(vm);
}

TEST(vmspace, neighbours_that_continue_each_other_become_one)
{
	struct vmspace *vm;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, GIB, PAGE_SIZE, &at));
	REQUIRE(!map_anon(vm, GIB + 2 * PAGE_SIZE, PAGE_SIZE, &at));
	REQUIRE(!map_anon(vm, GIB + PAGE_SIZE, PAGE_SIZE, &at));
	EXPECT_EQ(vm->nr_regions, 1);
	EXPECT(!vmspace_protect(vm, GIB + PAGE_SIZE, PAGE_SIZE, VM_READ));
	EXPECT_EQ(vm->nr_regions, 3);
	EXPECT(!vmspace_protect(vm, GIB + PAGE_SIZE, PAGE_SIZE, VM_READ | VM_WRITE));
	EXPECT_EQ(vm->nr_regions, 1);
	vmspace_put(vm);
}

TEST(vmspace, places_are_found_from_the_top_and_holes_are_filled)
{
	struct vmspace *vm;
	vaddr_t a, b, c, d;

	REQUIRE(!vmspace_create(&vm));
	vm->mmap_top = 100 * GIB;
	REQUIRE(!map_at(vm, 0, 3 * PAGE_SIZE, VM_READ, &a));
	EXPECT_EQ(a, 100 * GIB - 3 * PAGE_SIZE);
	REQUIRE(!map_at(vm, 0, PAGE_SIZE, VM_READ | VM_WRITE, &b));
	EXPECT_EQ(b, a - PAGE_SIZE);
	REQUIRE(!map_at(vm, 0, PAGE_SIZE, VM_READ, &c));
	EXPECT(!vmspace_unmap(vm, b, PAGE_SIZE));
	REQUIRE(!map_at(vm, 0, 2 * PAGE_SIZE, VM_WRITE, &d));
	EXPECT_EQ(d, c - 2 * PAGE_SIZE);
	REQUIRE(!map_at(vm, 0, PAGE_SIZE, VM_WRITE, &d));
	EXPECT_EQ(d, b);
	vmspace_put(vm);
}

TEST(vmspace, a_stack_grows_down_to_its_guard_gap)
{
	const vaddr_t top = 64 * GIB;
	struct vmspace *vm;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_at(
		vm, top - PAGE_SIZE, PAGE_SIZE, VM_READ | VM_WRITE | VM_GROWSDOWN, &at));
	REQUIRE(!map_anon(vm, top - 400 * PAGE_SIZE, PAGE_SIZE, &at));
	EXPECT_EQ(fault(vm, top - 100 * PAGE_SIZE, FAULT_WRITE), 0);
	EXPECT_EQ(get(vm, top - 99 * PAGE_SIZE), 0);
	EXPECT_EQ(
		fault(vm, top - 200 * PAGE_SIZE, FAULT_WRITE), -EFAULT); /* 199 pages of gap */
	vmspace_put(vm);
}

TEST(vmspace, fork_shares_until_one_side_writes)
{
	struct vmspace *vm, *child;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, GIB, 8 * MIB, &at));
	for (unsigned i = 0; i < 8; i++)
		EXPECT(put(vm, at + i * MIB, i + 1));
	REQUIRE(!vmspace_fork(vm, &child));
	EXPECT_EQ(child->nr_resident, 8);
	EXPECT(put(vm, at, 100));
	EXPECT(put(child, at + MIB, 200));
	EXPECT(put(child, at + 16, 300));
	EXPECT_EQ(get(vm, at), 100);
	EXPECT_EQ(get(child, at), 1);
	EXPECT_EQ(get(vm, at + MIB), 2);
	EXPECT_EQ(get(child, at + MIB), 200);
	EXPECT_EQ(get(vm, at + 16), 0);
	EXPECT_EQ(get(child, at + 16), 300);
	EXPECT(!vmspace_unmap(vm, at + 2 * MIB, 4 * MIB));
	EXPECT_EQ(get(child, at + 2 * MIB), 3);
	EXPECT(!vmspace_protect(child, at + 7 * MIB, PAGE_SIZE, VM_READ));
	EXPECT(put(vm, at + 7 * MIB, 77));
	EXPECT_EQ(get(child, at + 7 * MIB), 8);
	vmspace_put(vm);
	for (unsigned i = 2; i < 7; i++)
		EXPECT_EQ(get(child, at + i * MIB), i + 1);
	vmspace_put(child);
}

TEST(vmspace, brk_moves_in_pages_and_returns_the_old_one_when_it_cannot)
{
	struct vmspace *vm;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	vm->brk_start = vm->brk = GIB;
	EXPECT_EQ(vmspace_set_brk(vm, 0), GIB);
	EXPECT_EQ(vmspace_set_brk(vm, GIB + 100), GIB + 100);
	EXPECT(put(vm, GIB, 7));
	EXPECT_EQ(vmspace_set_brk(vm, GIB + 5 * PAGE_SIZE), GIB + 5 * PAGE_SIZE);
	EXPECT_EQ(get(vm, GIB), 7);
	REQUIRE(!map_anon(vm, GIB + 8 * PAGE_SIZE, PAGE_SIZE, &at));
	EXPECT_EQ(vmspace_set_brk(vm, GIB + 8 * PAGE_SIZE), GIB + 5 * PAGE_SIZE);
	EXPECT_EQ(vmspace_set_brk(vm, GIB), GIB);
	EXPECT_EQ(vm->nr_mapped, 1);
	vmspace_put(vm);
}

#ifdef DEBUG
TEST(vmspace, failed_allocations_leave_nothing_behind)
{
	uint64_t before = 0;

	for (unsigned nth = 0; nth < 60; nth++) {
		struct vmspace *vm, *child;
		vaddr_t at;

		if (nth == 1) /* the first round fills caches that stay */
			before = free_pages();
		if (nth)
			fail_arm(nth);
		if (!vmspace_create(&vm)) {
			if (!map_anon(vm, GIB, AREA, &at)) {
				(void)put(vm, at, 1);
				(void)put(vm, at + MIB - PAGE_SIZE, 1);
				if (!vmspace_fork(vm, &child)) {
					(void)put(vm, at, 2);
					(void)vmspace_protect(
						child, at + PAGE_SIZE, PAGE_SIZE, VM_READ);
					(void)vmspace_unmap(
						child, at + 3 * PAGE_SIZE, PAGE_SIZE);
					(void)put(child, at, 3);
					vmspace_put(child);
				}
			}
			vmspace_put(vm);
		}
		if (nth && !fail_disarm())
			break;
	}
	EXPECT_EQ(free_pages(), before);
}
#endif

/* ---- Two threads in one address space, while it forks ---- */

struct racers {
	struct vmspace *vm;
	vaddr_t at;
	unsigned rounds;
};

static void write_everywhere(void *arg)
{
	const struct racers *r = arg;

	for (unsigned i = 0; i < r->rounds; i++)
		if (!put(r->vm, r->at + (i % 16) * PAGE_SIZE, i))
			test_fail(__FILE__, __LINE__, "a write failed");
}

static void fork_and_look(void *arg)
{
	const struct racers *r = arg;

	for (unsigned i = 0; i < r->rounds / 4; i++) {
		struct vmspace *child;
		uint64_t before;

		if (vmspace_fork(r->vm, &child))
			continue;
		before = get(child, r->at);
		(void)put(child, r->at + PAGE_SIZE, UINT64_MAX - 1);
		sched_yield();
		if (get(child, r->at) != before)
			test_fail(__FILE__, __LINE__,
				"the child sees what its parent wrote later");
		vmspace_put(child);
	}
}

static void map_and_unmap(void *arg)
{
	const struct racers *r = arg;

	for (unsigned i = 0; i < r->rounds; i++) {
		vaddr_t at;

		if (map_anon(r->vm, 0, 4 * PAGE_SIZE, &at))
			continue;
		(void)put(r->vm, at, 1);
		if (vmspace_unmap(r->vm, at, 4 * PAGE_SIZE))
			test_fail(__FILE__, __LINE__, "unmap failed");
	}
}

TEST(vmspace, faults_forks_and_unmaps_race)
{
	static void (*const work[])(void *) = {
		write_everywhere, write_everywhere, fork_and_look, map_and_unmap};
	struct racers r = {.rounds = (unsigned)test_rounds(400)};
	struct thread *t[ARRAY_LEN(work)];
	unsigned nr;

	REQUIRE(!vmspace_create(&r.vm));
	REQUIRE(!map_anon(r.vm, GIB, 16 * PAGE_SIZE, &r.at));
	for (nr = 0; nr < ARRAY_LEN(work); nr++) {
		if (thread_create(&t[nr], "racer", work[nr], &r))
			break;
		thread_start(t[nr]);
	}
	EXPECT_EQ(nr, ARRAY_LEN(work));
	while (nr--)
		thread_join(t[nr]);
	EXPECT_EQ(r.vm->nr_resident, MIN(r.rounds, 16u));
	vmspace_put(r.vm);
}

/* ---- Moving, hints ---- */

TEST(vmspace, a_mapping_moves_with_its_pages)
{
	struct vmspace *vm, *child;
	vaddr_t at, to;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, GIB, 8 * MIB, &at));
	EXPECT(put(vm, at + PAGE_SIZE, 1));
	EXPECT(put(vm, at + 3 * MIB, 2));
	EXPECT(put(vm, at + 8 * MIB - 8, 3));
	REQUIRE(!vmspace_fork(vm, &child));
	REQUIRE(!map_anon(vm, GIB + 8 * MIB, PAGE_SIZE, &to)); /* in the way */
	EXPECT(!vmspace_protect(vm, to, PAGE_SIZE, VM_READ));
	EXPECT_EQ(vmspace_remap(vm, at, 8 * MIB, 16 * MIB, 0, 0, &to), -ENOMEM);
	REQUIRE(!vmspace_remap(vm, at, 8 * MIB, 16 * MIB, MREMAP_MAYMOVE, 0, &to));
	EXPECT_NE(to, at);
	EXPECT_EQ(get(vm, to + PAGE_SIZE), 1);
	EXPECT_EQ(get(vm, to + 3 * MIB), 2);
	EXPECT_EQ(get(vm, to + 8 * MIB - 8), 3);
	EXPECT_EQ(get(vm, to + 8 * MIB), 0);
	EXPECT_EQ(get(vm, at), UINT64_MAX);
	EXPECT(put(vm, to + PAGE_SIZE, 11));
	EXPECT_EQ(get(child, at + PAGE_SIZE), 1);
	REQUIRE(!vmspace_remap(child, at, 8 * MIB, 8 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		5 * GIB + PAGE_SIZE, &to));
	EXPECT_EQ(get(child, to + 3 * MIB), 2);
	EXPECT_EQ(vmspace_remap(child, to, 8 * MIB, PAGE_SIZE, 0, 0, &to), 0);
	EXPECT_EQ(child->nr_mapped, 1);
	vmspace_put(vm);
	vmspace_put(child);
}

TEST(vmspace, advice_discards_pages_and_marks_what_forks)
{
	struct vmspace *vm, *child;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_anon(vm, GIB, 4 * PAGE_SIZE, &at));
	for (unsigned i = 0; i < 4; i++)
		EXPECT(put(vm, at + i * PAGE_SIZE, i + 1));
	EXPECT(!vmspace_advise(vm, at, PAGE_SIZE, MADV_DONTNEED));
	EXPECT_EQ(get(vm, at), 0);
	EXPECT(!vmspace_advise(vm, at + PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK));
	EXPECT(!vmspace_advise(vm, at + 2 * PAGE_SIZE, PAGE_SIZE, MADV_WIPEONFORK));
	EXPECT_EQ(vmspace_advise(vm, at, 8 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
	EXPECT_EQ(vmspace_advise(vm, at, PAGE_SIZE, 77), -EINVAL);
	for (unsigned i = 0; i < 4; i++)
		EXPECT(put(vm, at + i * PAGE_SIZE, i + 1));
	REQUIRE(!vmspace_fork(vm, &child));
	EXPECT_EQ(get(child, at), 1);
	EXPECT_EQ(get(child, at + PAGE_SIZE), UINT64_MAX);
	EXPECT_EQ(get(child, at + 2 * PAGE_SIZE), 0);
	EXPECT_EQ(get(child, at + 3 * PAGE_SIZE), 4);
	EXPECT(!vmspace_advise(vm, at, 4 * PAGE_SIZE, MADV_DOFORK));
	EXPECT(!vmspace_advise(vm, at, 4 * PAGE_SIZE, MADV_KEEPONFORK));
	EXPECT_EQ(vm->nr_regions, 1);
	vmspace_put(vm);
	vmspace_put(child);
}

TEST(vmspace, large_pages_split_when_a_part_changes)
{
	struct vmspace *vm, *child;
	vaddr_t at;

	REQUIRE(!vmspace_create(&vm));
	REQUIRE(!map_at(vm, GIB, 8 * MIB, VM_READ | VM_WRITE, &at));
	EXPECT(put(vm, at + MIB, 1));
	EXPECT(put(vm, at + 5 * MIB, 5));
	EXPECT_EQ(vm->nr_resident,
		1024); /* or there was no large block: rerun with more memory */
	REQUIRE(!vmspace_fork(vm, &child));
	EXPECT(put(vm, at + MIB, 2));
	EXPECT_EQ(get(child, at + MIB), 1);
	EXPECT(put(child, at + 5 * MIB + PAGE_SIZE, 6));
	EXPECT_EQ(get(vm, at + 5 * MIB + PAGE_SIZE), 0);
	EXPECT_EQ(get(vm, at + 5 * MIB), 5);
	EXPECT(!vmspace_unmap(vm, at + 4 * MIB, MIB + PAGE_SIZE));
	EXPECT_EQ(get(child, at + 5 * MIB), 5);
	EXPECT(put(vm, at + 3 * MIB, 3)); /* a piece of 2 MiB that nothing was in */
	vmspace_put(child);
	EXPECT(!vmspace_protect(vm, at + 2 * MIB + PAGE_SIZE, PAGE_SIZE, 0));
	EXPECT(!put(vm, at + 2 * MIB + PAGE_SIZE, 1));
	EXPECT_EQ(get(vm, at + 3 * MIB), 3);
	vmspace_put(vm);
}

/* ---- A source of eight pages ---- */

struct test_source {
	struct page_source source;
	struct page *page[8]; /* NULL: beyond the end */
	unsigned nr_refs;
};

static int get_test_page(
	struct page_source *s, uint64_t index, bool is_write UNUSED, struct page **out)
{
	struct test_source *t = container_of(s, struct test_source, source);

	if (index >= ARRAY_LEN(t->page) || !t->page[index])
		return -EFAULT;
	page_get(t->page[index]);
	*out = t->page[index];
	return 0;
}

static void ref_test_source(struct page_source *s)
{
	atomic_add(&container_of(s, struct test_source, source)->nr_refs, 1u);
}

static void unref_test_source(struct page_source *s)
{
	atomic_sub(&container_of(s, struct test_source, source)->nr_refs, 1u);
}

static const struct page_source_ops test_source_ops = {
	.get_page = get_test_page,
	.get = ref_test_source,
	.put = unref_test_source,
};

static bool create_test_source(struct test_source *t)
{
	*t = (struct test_source){0};
	page_source_init(&t->source, &test_source_ops);
	for (unsigned i = 0; i < ARRAY_LEN(t->page); i++) {
		if (page_alloc(&t->page[i], 0, PAGE_ALLOC_ZERO))
			return false;
		*(uint64_t *)page_to_virt(t->page[i]) = 100 + i;
	}
	return true;
}

static void truncate_test_source(struct test_source *t, unsigned first)
{
	for (unsigned i = first; i < ARRAY_LEN(t->page); i++) {
		if (t->page[i])
			page_put(t->page[i]);
		t->page[i] = NULL;
	}
	page_source_unmap(&t->source, first, ARRAY_LEN(t->page) - first, true);
}

TEST(vmspace, a_source_is_mapped_shared_and_private_until_truncated)
{
	struct map_req req = {.size = 8 * PAGE_SIZE, .flags = VM_READ | VM_WRITE | VM_SHARED};
	struct vmspace *vm, *child;
	struct test_source t;
	vaddr_t shared, private;

	REQUIRE(create_test_source(&t));
	REQUIRE(!vmspace_create(&vm));
	req.source = &t.source;
	REQUIRE(!vmspace_map(vm, &req, &shared));
	req.flags = VM_READ | VM_WRITE;
	REQUIRE(!vmspace_map(vm, &req, &private));
	EXPECT_EQ(t.nr_refs, 2);
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(get(vm, shared + i * PAGE_SIZE), 100 + i);
		EXPECT_EQ(get(vm, private + i * PAGE_SIZE), 100 + i);
	}
	EXPECT(put(vm, private + 7 * PAGE_SIZE, 1));
	EXPECT(put(vm, private + PAGE_SIZE, 1));
	REQUIRE(!vmspace_fork(vm, &child));
	EXPECT(put(child, shared, 7));
	EXPECT_EQ(get(vm, shared), 7);
	EXPECT_EQ(get(vm, private), 7);
	EXPECT(put(child, private, 8));
	EXPECT_EQ(get(vm, private), 7);
	EXPECT_EQ(get(child, private + 7 * PAGE_SIZE), 1);

	truncate_test_source(&t, 4);
	EXPECT_EQ(fault(vm, shared + 7 * PAGE_SIZE, 0), -EIO);
	EXPECT_EQ(get(vm, private + 7 * PAGE_SIZE), UINT64_MAX);
	EXPECT_EQ(get(child, private + 7 * PAGE_SIZE), UINT64_MAX);
	EXPECT_EQ(get(vm, private + PAGE_SIZE), 1);
	EXPECT_EQ(get(vm, shared + 3 * PAGE_SIZE), 103);
	vmspace_put(vm);
	vmspace_put(child);
	EXPECT_EQ(t.nr_refs, 0);
	truncate_test_source(&t, 0);
}

/* ---- Truncation while others fault and fork: a page that was taken away stays away ---- */

struct truncation {
	struct test_source t;
	struct mutex lock; /* pages of t change, as a page cache's would */
	struct vmspace *vm;
	vaddr_t shared, private;
	uint32_t is_over;
	unsigned rounds;
};
static struct truncation cut;

static int get_cut_page(struct page_source *s, uint64_t index, bool is_write, struct page **out)
{
	int err;

	mutex_lock(&cut.lock);
	err = get_test_page(s, index, is_write, out);
	mutex_unlock(&cut.lock);
	return err;
}

static const struct page_source_ops cut_ops = {
	.get_page = get_cut_page,
	.get = ref_test_source,
	.put = unref_test_source,
};

static void touch_cut(void *arg)
{
	uint32_t i = (uint32_t)(uintptr_t)arg;

	for (; !atomic_load(&cut.is_over); i++) {
		(void)put(cut.vm, cut.shared + (i % 8) * PAGE_SIZE, i);
		(void)get(cut.vm, cut.private + (i % 8) * PAGE_SIZE);
		(void)put(cut.vm, cut.private + (i * 3 % 8) * PAGE_SIZE, i);
		sched_yield();
	}
}

static void fork_cut(void *arg UNUSED)
{
	while (!atomic_load(&cut.is_over)) {
		struct vmspace *child;

		if (!vmspace_fork(cut.vm, &child)) {
			(void)put(child, cut.private + PAGE_SIZE, 1);
			(void)get(child, cut.shared + 7 * PAGE_SIZE);
			sched_yield();
			vmspace_put(child);
		}
		sched_yield();
	}
}

/* Takes the upper half away, looks whether it is gone, and gives new pages. */
static void truncate_and_look(void)
{
	mutex_lock(&cut.lock);
	for (unsigned i = 4; i < 8; i++) {
		if (cut.t.page[i])
			page_put(cut.t.page[i]);
		cut.t.page[i] = NULL;
	}
	mutex_unlock(&cut.lock);
	page_source_unmap(&cut.t.source, 4, 4, true);
	for (unsigned i = 4; i < 8; i++)
		if (fault(cut.vm, cut.shared + i * PAGE_SIZE, 0) != -EIO)
			test_fail(__FILE__, __LINE__, "page %u came back", i);
	mutex_lock(&cut.lock);
	for (unsigned i = 4; i < 8; i++)
		if (page_alloc(&cut.t.page[i], 0, PAGE_ALLOC_ZERO))
			cut.t.page[i] = NULL;
	mutex_unlock(&cut.lock);
}

TEST(vmspace, truncation_races_with_faults_and_forks)
{
	static void (*const work[])(void *) = {touch_cut, touch_cut, fork_cut};
	struct map_req req = {.size = 8 * PAGE_SIZE,
		.flags = VM_READ | VM_WRITE | VM_SHARED,
		.source = &cut.t.source};
	struct thread *t[ARRAY_LEN(work)];
	unsigned nr;

	cut = (struct truncation){.rounds = (unsigned)test_rounds(100)};
	REQUIRE(create_test_source(&cut.t));
	page_source_init(&cut.t.source, &cut_ops);
	mutex_init(&cut.lock, RANK_PAGECACHE, "test pages");
	REQUIRE(!vmspace_create(&cut.vm));
	REQUIRE(!vmspace_map(cut.vm, &req, &cut.shared));
	req.flags = VM_READ | VM_WRITE;
	REQUIRE(!vmspace_map(cut.vm, &req, &cut.private));
	for (nr = 0; nr < ARRAY_LEN(work); nr++) {
		if (thread_create(&t[nr], "cutter", work[nr], (void *)(uintptr_t)nr))
			break;
		thread_start(t[nr]);
	}
	for (unsigned i = 0; i < cut.rounds; i++)
		truncate_and_look();
	atomic_store(&cut.is_over, 1u);
	while (nr--)
		thread_join(t[nr]);
	vmspace_put(cut.vm);
	EXPECT_EQ(cut.t.nr_refs, 0);
	truncate_test_source(&cut.t, 0);
}
