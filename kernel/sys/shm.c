// SPDX-License-Identifier: MIT
/*
 * System V shared memory: shmget, shmat, shmdt, shmctl. On x86-64 there is one form of the structures,
 * Linux's newer one, and IPC_64 is no part of a command.
 *
 * Spec    man 2: shmget, shmop, shmctl; Linux 6.1 for the order of errors
 */
#include "abi/shm.h"
#include "ipc/ipc_ns.h"
#include "lib/string.h"
#include "sys/mem_priv.h"
#include "sys/syscall.h"

enum { READ_RIGHTS = 0444, WRITE_RIGHTS = 0222, EXEC_RIGHTS = 0111 };

static struct shm_space *current_space(void)
{
	return &ipc_ns_current()->shm;
}

SYSCALL3(shmget, int, key, size_t, size, unsigned, flags)
{
	return shm_get(current_space(), key, size, flags);
}

/* Where it is to be. */
static int decode_place(vaddr_t addr, unsigned flags, struct map_req *req)
{
	if (!addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (!IS_ALIGNED(addr, PAGE_SIZE) && !(flags & SHM_RND))
		return -EINVAL;
	req->addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!req->addr && (flags & SHM_REMAP))
		return -EINVAL;
	req->map_flags = flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return 0;
}

SYSCALL3(shmat, int, id, vaddr_t, addr, unsigned, flags)
{
	unsigned prot = PROT_READ, rights = READ_RIGHTS;
	struct map_req req = {.flags = VM_SHARED | VM_MAYREAD | VM_MAYEXEC};
	vaddr_t at;
	int err = decode_place(addr, flags, &req);

	if (err)
		return err;
	if (!(flags & SHM_RDONLY)) {
		prot |= PROT_WRITE;
		rights |= WRITE_RIGHTS;
		req.flags |= VM_MAYWRITE;
	}
	if (flags & SHM_EXEC) {
		prot |= PROT_EXEC;
		rights |= EXEC_RIGHTS;
	}
	req.flags |= prot_to_vm(apply_personality(prot));
	err = shm_attach(current_space(), id, &req, rights, &at);
	return err ? err : (int64_t)at;
}

SYSCALL1(shmdt, vaddr_t, addr)
{
	return shm_detach(current_vm(), addr);
}

/* ---- shmctl ---- */

static int64_t tell_limits(uptr to)
{
	struct shm_space *s = current_space();
	struct shm_usage use;
	struct shminfo64 info = {.shmmax = READ_ONCE(s->max_bytes),
		.shmmin = SHM_SIZE_MIN,
		.shmmni = READ_ONCE(s->max_segments),
		.shmseg = READ_ONCE(s->max_segments), /* Linux: no limit of its own */
		.shmall = READ_ONCE(s->max_pages)};

	shm_get_usage(s, &use);
	return user_put(to, info) ? -EFAULT : use.highest_index;
}

static int64_t tell_usage(uptr to)
{
	struct shm_info info;
	struct shm_usage use;

	shm_get_usage(current_space(), &use);
	memset(&info, 0, sizeof(info)); /* with what is between the fields */
	info.used_ids = (int)use.nr;
	info.shm_tot = use.total_pages;
	info.shm_rss = use.resident_pages;
	return user_put(to, info) ? -EFAULT : use.highest_index;
}

static int64_t tell_facts(int id, enum shm_by by, uptr to)
{
	struct shm_facts f;
	struct shmid64_ds ds;
	int err = shm_stat(current_space(), id, by, &f);

	if (err)
		return err;
	memset(&ds, 0, sizeof(ds));
	ds.shm_perm.key = f.key;
	ds.shm_perm.uid = f.uid;
	ds.shm_perm.gid = f.gid;
	ds.shm_perm.cuid = f.cuid;
	ds.shm_perm.cgid = f.cgid;
	ds.shm_perm.mode = f.mode;
	ds.shm_perm.seq = (unsigned short)(f.id >> SYSV_INDEX_BITS);
	ds.shm_segsz = f.size;
	ds.shm_atime = f.attach_time;
	ds.shm_dtime = f.detach_time;
	ds.shm_ctime = f.change_time;
	ds.shm_cpid = f.creator_pid;
	ds.shm_lpid = f.last_pid;
	ds.shm_nattch = f.nr_attached;
	if (user_put(to, ds))
		return -EFAULT;
	return by == SHM_BY_ID ? 0 : f.id;
}

static int64_t set(int id, uptr from)
{
	struct shmid64_ds ds;

	if (user_get(ds, from))
		return -EFAULT;
	return shm_set(current_space(), id, ds.shm_perm.uid, ds.shm_perm.gid, ds.shm_perm.mode);
}

/* man 2 shmctl. */
SYSCALL3(shmctl, int, id, int, command, uptr, buf)
{
	if (id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_RMID:
		return shm_remove(current_space(), id);
	case IPC_SET:
		return set(id, buf);
	case IPC_STAT:
		return tell_facts(id, SHM_BY_ID, buf);
	case SHM_STAT:
		return tell_facts(id, SHM_BY_INDEX, buf);
	case SHM_STAT_ANY:
		return tell_facts(id, SHM_BY_INDEX_ANY, buf);
	case IPC_INFO:
		return tell_limits(buf);
	case SHM_INFO:
		return tell_usage(buf);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(current_space(), id, command == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
