// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): what a ring is told of each kind that the other files leave out:
 * calls about files, names and descriptors, messages of sockets, splices, events, children, several futexes; and entries
 * that a supervisor answers.
 */
#include "arch/sim/test/rings.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/un.h>
#include <linux/wait.h>

#include "abi/socket.h"

/* One entry by itself, and its result, which is none of the errors. */
static uint64_t run(struct sim_ring *r, struct io_uring_sqe e, int line)
{
	e.user_data = 1;
	add_entry(r, &e);
	submit(r);
	return completed(r, 1, line);
}
#define RUN(r, ...) run(r, (struct io_uring_sqe){__VA_ARGS__}, __LINE__)

/* What is written at `at`, whose type is that of an array or a structure. */
#define PUT(at, ...) store_bytes(at, &(__VA_ARGS__), sizeof(__VA_ARGS__))

struct vector {
	uint64_t at, len;
};

/* ---- Files ---- */

OPERATION(ring_file)
{
	uint64_t at = MAP(2 * PAGE_SIZE, MAP_PRIVATE), name = at, how = at + 100,
		 iov = at + 200, attr = at + 300, fd;
	struct sim_ring r;

	store_bytes(name, states_file, sizeof(states_file));
	store_bytes(attr, "trusted.x", 10);
	PUT(how, (struct open_how){.flags = O_RDWR | O_CREAT, .mode = 0600});
	PUT(iov, (struct vector[]){{at + 1000, 300}, {at + 2000, 500}});
	make_ring(&r, 0);
	fd = RUN(&r, .opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD, .addr = name, .addr2 = how,
		.len = sizeof(struct open_how));
	EXPECT_EQ(
		RUN(&r, .opcode = IORING_OP_WRITEV, .fd = (int)fd, .addr = iov, .len = 2), 800);
	EXPECT_EQ(
		RUN(&r, .opcode = IORING_OP_READV, .fd = (int)fd, .addr = iov, .len = 2), 800);
	(void)RUN(&r, .opcode = IORING_OP_FALLOCATE, .fd = (int)fd, .addr = 3 * PAGE_SIZE);
	(void)RUN(&r, .opcode = IORING_OP_FTRUNCATE, .fd = (int)fd, .off = PAGE_SIZE + 100);
	(void)RUN(&r, .opcode = IORING_OP_FADVISE, .fd = (int)fd, .len = PAGE_SIZE,
		.fadvise_advice = 4 /* POSIX_FADV_DONTNEED */);
	(void)RUN(&r, .opcode = IORING_OP_MADVISE, .addr = at + PAGE_SIZE, .len = PAGE_SIZE,
		.fadvise_advice = 4 /* MADV_DONTNEED */);
	(void)RUN(&r, .opcode = IORING_OP_FSYNC, .fd = (int)fd);
	(void)RUN(&r, .opcode = IORING_OP_SYNC_FILE_RANGE, .fd = (int)fd, .len = PAGE_SIZE);
	(void)RUN(&r, .opcode = IORING_OP_FSETXATTR, .fd = (int)fd, .addr = attr,
		.addr2 = at + 1000, .len = 20);
	EXPECT_EQ(RUN(&r, .opcode = IORING_OP_FGETXATTR, .fd = (int)fd, .addr = attr,
			  .addr2 = at + 1000, .len = 100),
		20);
	end_ring(&r);
}

/* Links come as the first name, and go as the second. */
OPERATION(ring_names)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), file = at, link = at + 100, moved = at + 200,
		 attr = at + 300, fd;
	struct sim_ring r;

	store_bytes(file, states_file, sizeof(states_file));
	store_bytes(link, states_fifo, sizeof(states_fifo));
	store_bytes(moved, states_moved, sizeof(states_moved));
	store_bytes(attr, "trusted.x", 10);
	make_ring(&r, 0);
	fd = RUN(&r, .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = file, .len = 0600,
		.open_flags = O_CREAT | O_RDWR);
	(void)RUN(&r, .opcode = IORING_OP_CLOSE, .fd = (int)fd);
	(void)RUN(&r, .opcode = IORING_OP_SETXATTR, .addr = attr, .addr2 = at + 1000, .len = 20,
		.addr3 = file);
	EXPECT_EQ(RUN(&r, .opcode = IORING_OP_GETXATTR, .addr = attr, .addr2 = at + 1000,
			  .len = 100, .addr3 = file),
		20);
	(void)RUN(
		&r, .opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD, .addr = file, .addr2 = link);
	(void)RUN(&r, .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = link);
	(void)RUN(&r, .opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .addr = file, .addr2 = link,
		.len = (uint32_t)AT_FDCWD);
	(void)RUN(&r, .opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .addr = link,
		.addr2 = moved, .len = (uint32_t)AT_FDCWD);
	(void)RUN(&r, .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = moved);
	end_ring(&r);
}

/* Into slots, and out of them. */
OPERATION(ring_direct_descriptors)
{
	static const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0kinds"};
	enum { NAME_LEN = sizeof(name.sun_family) + 6, SLOTS = 4 };
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE);
	int files[SLOTS] = {-1, -1, -1, -1};
	struct sim_ring r;

	store_bytes(at, &name, NAME_LEN);
	PUT(at + 200, (int){-1});
	make_ring(&r, 0);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_FILES, OBJECT(files), SLOTS);
	(void)RUN(&r, .opcode = IORING_OP_SOCKET, .fd = AF_UNIX, .off = SOCK_STREAM,
		.file_index = 1);
	(void)RUN(&r, .opcode = IORING_OP_BIND, .fd = 0, .flags = IOSQE_FIXED_FILE, .addr = at,
		.addr2 = NAME_LEN);
	(void)RUN(&r, .opcode = IORING_OP_LISTEN, .fd = 0, .flags = IOSQE_FIXED_FILE, .len = 1);
	(void)RUN(
		&r, .opcode = IORING_OP_SHUTDOWN, .fd = 0, .flags = IOSQE_FIXED_FILE, .len = 2);
	(void)RUN(&r, .opcode = IORING_OP_PIPE, .addr = at + 100, .file_index = 2);
	(void)DO(close, RUN(&r, .opcode = IORING_OP_FIXED_FD_INSTALL, .fd = 1,
				.flags = IOSQE_FIXED_FILE));
	EXPECT_EQ(
		RUN(&r, .opcode = IORING_OP_FILES_UPDATE, .addr = at + 200, .len = 1, .off = 1),
		1);
	(void)RUN(&r, .opcode = IORING_OP_CLOSE, .file_index = 3);
	end_ring(&r);
}

OPERATION(ring_vectors_of_registered_memory)
{
	uint64_t fd[2], at = MAP(2 * PAGE_SIZE, MAP_PRIVATE), iov = at;
	struct vector all = {at, 2 * PAGE_SIZE};
	struct sim_ring r;

	make_pipe(fd, 0);
	PUT(iov, (struct vector[]){{at + 1000, 300}, {at + 2000, 500}});
	make_ring(&r, 0);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_BUFFERS, OBJECT(all), 1);
	EXPECT_EQ(RUN(&r, .opcode = IORING_OP_WRITEV_FIXED, .fd = (int)fd[1], .addr = iov,
			  .len = 2),
		800);
	EXPECT_EQ(RUN(&r, .opcode = IORING_OP_READV_FIXED, .fd = (int)fd[0], .addr = iov,
			  .len = 2),
		800);
	end_ring(&r);
}

/* ---- What goes from one to another ---- */

static void send_message(uintptr_t fd)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), msg = at + 200;
	struct {
		uint64_t name, name_len, iov, nr_iov, control, control_len, flags;
	} header = {.iov = at + 100, .nr_iov = 1};
	struct io_uring_cqe cqe;
	struct sim_ring r;

	PUT(at + 100, (struct vector){at, 8});
	PUT(msg, header);
	make_ring(&r, 0);
	(void)RUN(&r, .opcode = IORING_OP_SENDMSG, .fd = (int)fd, .addr = msg, .len = 1,
		.msg_flags = MSG_NOSIGNAL);
	for (unsigned i = 0; i < 2; i++) {
		ADD(&r, .opcode = i ? IORING_OP_SENDMSG_ZC : IORING_OP_SEND_ZC, .fd = (int)fd,
			.addr = i ? msg : at, .len = i ? 1 : 8, .msg_flags = MSG_NOSIGNAL,
			.user_data = 1);
		submit(&r);
		do { /* and that the memory is free */
			cqe = next_completion(&r);
			if (cqe.res < 0)
				states_give_up("SEND_ZC", __LINE__, cqe.res);
		} while (cqe.flags & IORING_CQE_F_MORE);
	}
	end_ring(&r);
}

JOINT_OPERATION(ring_messages_of_sockets)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), msg = at + 200, pid, got = 1;
	struct {
		uint64_t name, name_len, iov, nr_iov, control, control_len, flags;
	} header = {.iov = at + 100, .nr_iov = 1};
	struct sim_ring r;

	PUT(at + 100, (struct vector){at, 50});
	PUT(msg, header);
	make_sockets(fd, SOCK_STREAM);
	make_ring(&r, 0);
	pid = sure_child(send_message, fd[1]);
	(void)DO(close, fd[1]);
	for (uint64_t n = 0; n < 24 && got; n += got)
		got = RUN(&r, .opcode = IORING_OP_RECVMSG, .fd = (int)fd[0], .addr = msg,
			.len = 1);
	end_ring(&r);
	join(pid);
}

JOINT_OPERATION(ring_splice)
{
	uint64_t a[2], b[2], c[2], pid;
	struct sim_ring r;

	make_pipe(a, 0);
	make_pipe(b, 0);
	make_pipe(c, 0);
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_SPLICE, .splice_fd_in = (int)a[0], .fd = (int)b[1],
		.splice_off_in = (uint64_t)-1, .off = (uint64_t)-1, .len = 8,
		.flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_TEE, .splice_fd_in = (int)b[0], .fd = (int)c[1], .len = 8,
		.user_data = 2);
	submit(&r);
	pid = sure_child(write_byte, a[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	EXPECT_EQ(DONE(&r, 2), 8);
	end_ring(&r);
	join(pid);
}

/* ---- Events ---- */

JOINT_OPERATION(ring_epoll)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), ep = DO(epoll_create1, 0), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	PUT(at, (struct epoll_event){.events = EPOLLIN});
	make_ring(&r, 0);
	(void)RUN(&r, .opcode = IORING_OP_EPOLL_CTL, .fd = (int)ep, .len = EPOLL_CTL_ADD,
		.off = fd[0], .addr = at);
	ADD(&r, .opcode = IORING_OP_EPOLL_WAIT, .fd = (int)ep, .addr = at + 100, .len = 2,
		.user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), 1);
	end_ring(&r);
	join(pid);
}

JOINT_OPERATION(ring_waitid)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_ring(&r, 0);
	pid = child(do_nothing, 0);
	EXPECT_EQ(RUN(&r, .opcode = IORING_OP_WAITID, .fd = (int)pid, .len = P_PID,
			  .file_index = WEXITED, .addr2 = at),
		0);
	end_ring(&r);
}

static void wake_second(uintptr_t words)
{
	sim_store32(words + 4, 1);
	(void)DO(futex, words + 4, FUTEX_WAKE, 1);
}

JOINT_OPERATION(ring_futexes)
{
	uint64_t words = MAP(PAGE_SIZE, MAP_SHARED), at = words + 100, pid;
	struct io_uring_cqe cqe;
	struct sim_ring r;

	PUT(at, (struct futex_waitv[]){{.uaddr = words, .flags = FUTEX_32},
			{.uaddr = words + 4, .flags = FUTEX_32}});
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_FUTEX_WAITV, .addr = at, .len = 2, .user_data = 1);
	submit(&r);
	pid = sure_child(wake_second, words);
	cqe = next_completion(&r);
	if (cqe.res != 1 && cqe.res != -EAGAIN)
		states_give_up("FUTEX_WAITV", __LINE__, cqe.res);
	end_ring(&r);
	join(pid);
}

OPERATION(ring_timeout_removed)
{
	struct __kernel_timespec ts = {.tv_sec = 1000};
	struct sim_ring r;

	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_TIMEOUT, .addr = OBJECT(ts), .len = 1, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_TIMEOUT_REMOVE, .addr = 1, .user_data = 2,
		.flags = IOSQE_CQE_SKIP_SUCCESS);
	submit(&r);
	ENDS_WITH(&r, 1, -ECANCELED);
	end_ring(&r);
}

/* Armed, and left with what it is for, twice: by the ring, and by the process. */
OPERATION(ring_timeout_left)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct __kernel_timespec ts = {.tv_sec = 1000};
	struct sim_ring r;

	make_pipe(fd, 0);
	for (unsigned i = 0; i < 2; i++) {
		make_ring(&r, 0);
		ADD_READ(&r, fd[0], at, .flags = IOSQE_IO_LINK);
		ADD(&r, .opcode = IORING_OP_LINK_TIMEOUT, .addr = OBJECT(ts), .len = 1);
		submit(&r);
		if (!i)
			end_ring(&r);
	}
	sim_yield(2);
}

/* Entries of two places, and what nothing here has. */
OPERATION(ring_wide_entries)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);
	struct sim_ring r;

	make_ring(&r, IORING_SETUP_SQE_MIXED);
	ADD(&r, .opcode = IORING_OP_NOP128, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_NOP); /* its second half */
	submit(&r);
	EXPECT_EQ(DONE(&r, 1), 0);
	ADD(&r, .opcode = IORING_OP_URING_CMD128, .fd = (int)fd, .user_data = 2);
	ADD(&r, .opcode = IORING_OP_NOP);
	submit(&r);
	ENDS_WITH(&r, 2, -EOPNOTSUPP);
	ADD(&r, .opcode = IORING_OP_URING_CMD, .fd = (int)fd, .user_data = 3);
	submit(&r);
	ENDS_WITH(&r, 3, -EOPNOTSUPP);
	ADD(&r, .opcode = IORING_OP_RECV_ZC, .fd = (int)fd, .user_data = 4);
	submit(&r);
	ENDS_WITH(&r, 4, -EINVAL);
	end_ring(&r);
}

/* ---- One worker, and then two ---- */

static void limit_workers(struct sim_ring *r, uint32_t nr)
{
	uint32_t max[2] = {nr, nr};

	(void)DO(io_uring_register, r->fd, IORING_REGISTER_IOWQ_MAX_WORKERS, OBJECT(max), 2);
}

/* The second call stands in line, begins when there is another worker; the third does when one of them ends. */
JOINT_OPERATION(ring_few_workers)
{
	uint64_t a[2], b[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid[2];
	struct sim_ring r;

	make_pipe(a, 0);
	make_pipe(b, 0);
	make_ring(&r, 0);
	limit_workers(&r, 1);
	for (uint64_t i = 0; i < 2; i++)
		ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_read, .off = i ? b[0] : a[0],
			.addr = at + i * 100, .len = 8, .user_data = i);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid, .user_data = 2);
	submit(&r);
	limit_workers(&r, 2);
	pid[0] = sure_child(write_byte, b[1]);
	pid[1] = sure_child(write_byte, a[1]);
	for (unsigned i = 0; i < 3; i++) {
		struct io_uring_cqe cqe = next_completion(&r);

		if (cqe.res < 0)
			states_give_up("completion", __LINE__, cqe.res);
		EXPECT(cqe.user_data == 2 || cqe.res == 8);
	}
	end_ring(&r);
	join(pid[0]);
	join(pid[1]);
}

/* One call, whatever becomes of it. */
static void call_once(uintptr_t arg UNUSED)
{
	struct sim_ring r;

	make_ring(&r, 0);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid);
	submit(&r);
	(void)next_completion(&r);
	end_ring(&r);
}

/* Two threads have one worker: if the first gets none made, the second one's call does not wait for it. */
JOINT_OPERATION(ring_worker_of_two)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r;
	uint32_t value;

	make_ring(&r, 0);
	limit_workers(&r, 1);
	(void)helper(THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, call_once, 0, word);
	call_once(0);
	while ((value = sim_load32(word)))
		wait_futex(word, value);
	end_ring(&r);
}

/* ---- Entries that a supervisor answers ---- */

/* From now on somebody is asked about getppid: its listener. */
static uint64_t add_listener(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct {
		uint64_t len, at;
	} prog = {ARRAY_LEN(code), OBJECT(code)};

	return DO(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		OBJECT(prog));
}

static void ask(struct sim_ring *r, uint64_t name, uint8_t flags)
{
	ADD(r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid, .user_data = name,
		.flags = flags);
}

/* False: who asked is gone. */
static bool answer_one(uint64_t listener, uint64_t at, int64_t val, uint32_t flags)
{
	struct seccomp_notif_resp resp = {.val = val, .flags = flags};
	int64_t err;

	store_bytes(at, &(struct seccomp_notif){0}, sizeof(struct seccomp_notif));
	err = ASK(ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, at);
	if (!err) {
		resp.id = sim_load32(at) | (uint64_t)sim_load32(at + 4) << 32;
		err = ASK(ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, OBJECT(resp));
	}
	if (err)
		EXPECT(!states_is_undisturbed());
	return !err;
}

static void supervise(uintptr_t listener)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE);

	if (answer_one(listener, at, 77, 0))
		(void)answer_one(listener, at, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* Both of a chain are cancelled if there was no memory for one of them. */
static uint64_t answered(struct sim_ring *r, uint64_t name)
{
	struct io_uring_cqe cqe = next_completion(r);

	EXPECT_EQ(cqe.user_data, name);
	if (cqe.res == -ECANCELED && !states_is_deserted())
		states_give_up("completion", __LINE__, -ENOMEM);
	if (cqe.res < 0 && !(cqe.res == -ENOSYS && states_is_deserted()))
		states_give_up("completion", __LINE__, cqe.res);
	return (uint64_t)cqe.res;
}

/* One is answered, one begins; the next of the chain is asked about then. */
JOINT_OPERATION(ring_supervised)
{
	uint64_t listener = add_listener(), pid;
	struct sim_ring r;

	make_ring(&r, 0);
	ask(&r, 1, IOSQE_IO_HARDLINK);
	ask(&r, 2, 0);
	submit(&r);
	pid = child(supervise, listener);
	(void)DO(close, listener); /* without a supervisor there is no such call */
	EXPECT_WHOLE(answered(&r, 1), 77);
	EXPECT(answered(&r, 2) != 77);
	end_ring(&r);
	join(pid);
}

/* Nobody answers: one is cancelled when it was heard, one ends with the ring, one was to follow. */
OPERATION(ring_supervised_in_vain)
{
	uint64_t listener = add_listener(), at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r;

	make_ring(&r, 0);
	ask(&r, 1, 0);
	ask(&r, 2, IOSQE_IO_LINK);
	ask(&r, 3, 0);
	submit(&r);
	(void)DO(ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, at);
	ADD(&r, .opcode = IORING_OP_ASYNC_CANCEL, .addr = 1, .user_data = 4);
	submit(&r);
	for (unsigned i = 0; i < 2; i++) {
		struct io_uring_cqe cqe = next_completion(&r);

		if (cqe.user_data != 4 && cqe.res != -ECANCELED)
			states_give_up("completion", __LINE__, cqe.res);
	}
	end_ring(&r);
}
