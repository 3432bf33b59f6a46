// SPDX-License-Identifier: MIT
/*
 * System calls on address spaces. The order of checks is Linux's where a program can see it.
 */
#include "mm/slab.h"
#include "sys/mem_priv.h"
#include "sys/syscall.h"

/* <asm/mman.h>'s, which mprotect and mmap accept and ignore. */
#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)

SYSCALL2(munmap, vaddr_t, addr, size_t, len)
{
	return vmspace_unmap(current_vm(), addr, len);
}

/* ---- mprotect ---- */

/* PROT_GROWSDOWN: down to where the stack starts. */
static int find_stack_start(vaddr_t *start, vaddr_t end)
{
	struct region r;

	if (!vmspace_next_region(current_vm(), *start, &r))
		return -ENOMEM;
	vmspace_region_done(&r);
	if (r.start >= end)
		return -ENOMEM;
	*start = r.start;
	return r.flags & VM_GROWSDOWN ? 0 : -EINVAL;
}

/* man 2 mprotect. */
static int64_t protect(vaddr_t addr, size_t len, unsigned prot)
{
	unsigned grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	vaddr_t end;
	int err;

	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!len)
		return 0;
	end = addr + ALIGN_UP(len, PAGE_SIZE);
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(unsigned)(PROT_KNOWN | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (grows == PROT_GROWSUP)
		return -EINVAL; /* no stack grows up here */
	if (grows == PROT_GROWSDOWN) {
		err = find_stack_start(&addr, end);
		if (err)
			return err;
	}
	return vmspace_protect(
		current_vm(), addr, end - addr, prot_to_vm(apply_personality(prot)));
}

SYSCALL3(mprotect, vaddr_t, addr, size_t, len, unsigned, prot)
{
	return protect(addr, len, prot);
}

/* ---- Protection keys, of which there are none: man 7 pkeys ---- */

#define PKEY_RIGHTS (PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE)

SYSCALL4(pkey_mprotect, vaddr_t, addr, size_t, len, unsigned, prot, int, pkey)
{
	return pkey == -1 ? protect(addr, len, prot) : -EINVAL;
}

/* man 2 pkey_alloc: ENOSPC, "the processor ... doesn't support protection keys" */
SYSCALL2(pkey_alloc, unsigned long, flags, unsigned long, rights)
{
	return flags || rights & ~(unsigned long)PKEY_RIGHTS ? -EINVAL : -ENOSPC;
}

SYSCALL1(pkey_free, int, pkey)
{
	(void)pkey; /* none was given out */
	return -EINVAL;
}

/* ---- The others ---- */

SYSCALL1(brk, vaddr_t, brk)
{
	return (int64_t)vmspace_set_brk(current_vm(), brk);
}

SYSCALL5(mremap, vaddr_t, old, size_t, old_size, size_t, new_size, unsigned, flags, vaddr_t,
	new_addr)
{
	vaddr_t at;
	int err = vmspace_remap(current_vm(), old, old_size, new_size, flags, new_addr, &at);

	return err ? err : (int64_t)at;
}

SYSCALL3(madvise, vaddr_t, addr, size_t, len, int, advice)
{
	return vmspace_advise(current_vm(), addr, len, advice);
}

SYSCALL2(mlock, vaddr_t, addr, size_t, len)
{
	return vmspace_lock_range(current_vm(), addr, len, true, false);
}

SYSCALL3(mlock2, vaddr_t, addr, size_t, len, unsigned, flags)
{
	if (flags & ~(unsigned)MLOCK_ONFAULT)
		return -EINVAL;
	return vmspace_lock_range(current_vm(), addr, len, true, flags & MLOCK_ONFAULT);
}

SYSCALL2(munlock, vaddr_t, addr, size_t, len)
{
	return vmspace_lock_range(current_vm(), addr, len, false, false);
}

SYSCALL1(mlockall, int, flags)
{
	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
		flags == MCL_ONFAULT)
		return -EINVAL;
	return vmspace_lock_all(current_vm(), flags);
}

SYSCALL0(munlockall)
{
	return vmspace_lock_all(current_vm(), 0);
}

/* man 2 msync. */
SYSCALL3(msync, vaddr_t, addr, size_t, len, int, flags)
{
	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if (!IS_ALIGNED(addr, PAGE_SIZE) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	return vmspace_sync(current_vm(), addr, len, flags);
}

/* man 2 mincore. A page of answers at a time: a user copy may not be made with vm->lock held. */
SYSCALL3(mincore, vaddr_t, addr, size_t, len, uptr, vec)
{
	size_t pages = DIV_ROUND_UP(len, PAGE_SIZE);
	uint8_t *answers;
	int err = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!user_range_ok(UPTR(addr), len))
		return -ENOMEM;
	if (!user_range_ok(vec, pages))
		return -EFAULT;
	answers = mem_alloc(PAGE_SIZE, 0);
	if (!answers)
		return -EAGAIN;
	for (size_t done = 0; done < pages && !err;) {
		size_t nr = MIN(pages - done, PAGE_SIZE);

		err = vmspace_resident(current_vm(), addr + (done << PAGE_SHIFT), nr, answers);
		err = err ? err : user_write(uptr_add(vec, done), answers, nr);
		done += nr;
	}
	mem_free(answers);
	return err;
}
