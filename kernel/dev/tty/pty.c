// SPDX-License-Identifier: MIT
/*
 * Pseudo-terminals: the slave is a terminal like any other (tty.c), and its wire is the file that
 * opening /dev/ptmx gives, the master.
 *
 *     program --write--> slave's output ring --read--> master (tmux, sshd, script)
 *     program <--read--- slave's input buffer <--write-- master
 *
 * A pair lives in one instance of devpts (devpts.c), which gives it its number and its node. The
 * master's file holds the pair; closing it hangs the slave up and takes the node away.
 *
 * Locks   the slave's tty->lock [l] for everything here; master_lock, sleeping (RANK_TTY), lets
 *         one reader of the master at a time copy to user memory.
 * Spec    man 7 pty, man 2 ioctl_tty
 */
#include "dev/tty/pty.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/resource.h>
#include <linux/fcntl.h>
#include <linux/major.h>

#include "debug/log.h"
#include "dev/char/chardev.h"
#include "dev/tty/devpts.h"
#include "dev/tty/tty.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/file.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "uaccess/uaccess.h"

enum { PIECE = 512, MASK = TTY_BUFFER_SIZE - 1, PTMX_MINOR = 2, PATH_SIZE = 4096 };

/*
 *   [I] immutable   [l] slave.lock
 */
struct pty {
	struct tty slave;
	struct devpts *instance; /* [I] a reference */
	struct mount *mount;     /* [I] where the master was opened: TIOCGPTPEER opens there */
	struct dentry *node;     /* [I] in devpts; a reference */
	struct mutex master_lock;
	struct waitq to_read, to_write; /* the master's side */
	bool is_locked;                 /* [l] TIOCSPTLCK */
	bool was_slave_closed;          /* [l] and not opened again: reads of the master end */
};

static struct pty *pty_of(struct tty *slave)
{
	return container_of(slave, struct pty, slave);
}

/* ---- The slave's wire ---- */

static void slave_start(struct tty *slave)
{
	waitq_wake_all(&pty_of(slave)->to_read, 0); /* data, or news in packet mode */
}

static void slave_unthrottle(struct tty *slave)
{
	waitq_wake_all(&pty_of(slave)->to_write, TTY_WRITABLE);
}

static void slave_close(struct tty *slave)
{
	struct pty *pty = pty_of(slave);

	irqlock_lock(&slave->lock);
	if (slave->nr_open == 0)
		pty->was_slave_closed = true;
	waitq_wake_all(&pty->to_read, 0);
	irqlock_unlock(&slave->lock);
}

static void slave_free(struct tty *slave)
{
	struct pty *pty = pty_of(slave);

	devpts_free_index(pty->instance, slave->index);
	dentry_put(pty->node);
	mount_put(pty->mount);
	devpts_put(pty->instance);
	mem_free(pty);
}

static const struct tty_driver pty_driver = {
	.name = "pts",
	.is_stopped_at_writers = true,
	.start = slave_start,
	.unthrottle = slave_unthrottle,
	.close = slave_close,
	.free = slave_free,
};

int pty_open_slave(struct tty *slave, struct file *f)
{
	struct pty *pty = pty_of(slave);
	bool may_open;
	int err;

	irqlock_lock(&slave->lock);
	may_open = !slave->is_master_gone && !pty->is_locked;
	irqlock_unlock(&slave->lock);
	if (!may_open)
		return -EIO;
	err = tty_open(slave, f);
	if (err)
		return err;
	irqlock_lock(&slave->lock);
	pty->was_slave_closed = false;
	irqlock_unlock(&slave->lock);
	return 0;
}

/* ---- The master's file ---- */

static struct pty *pty_of_file(const struct file *f)
{
	return f->private_data;
}

/* How far the master may read. Locked. */
static uint32_t end_of_output(const struct tty *slave)
{
	return slave->is_flow_stopped ? slave->out.stop : slave->out.head;
}

/* Copies what is to be sent without taking it: the ring's tail goes on when it was delivered. Locked. */
static size_t peek(const struct tty *slave, uint8_t *buf, size_t size)
{
	uint32_t at = slave->out.tail, end = end_of_output(slave);
	size_t n = 0;

	while (n < size && at != end)
		buf[n++] = slave->out.bytes[at++ & MASK];
	return n;
}

/* One step of a read: bytes delivered, 0 when there are no more, or -errno. */
static int64_t read_piece(struct pty *pty, struct iter *to)
{
	struct tty *slave = &pty->slave;
	uint8_t piece[PIECE];
	size_t n, copied;
	uint32_t from;

	irqlock_lock(&slave->lock);
	from = slave->out.tail;
	n = peek(slave, piece, MIN(sizeof(piece), to->left));
	irqlock_unlock(&slave->lock);
	if (n == 0)
		return 0;
	copied = iter_write(to, piece, n);
	irqlock_lock(&slave->lock);
	if (slave->out.tail == from) /* else it was flushed meanwhile */
		slave->out.tail += (uint32_t)copied;
	if (slave->out.head - slave->out.tail < TTY_BUFFER_SIZE / 2)
		waitq_wake_all(&slave->writable, TTY_WRITABLE);
	irqlock_unlock(&slave->lock);
	return copied ? (int64_t)copied : -EFAULT;
}

/* In packet mode each read begins with a byte that says what it is: data, or what happened. */
static int64_t read_packet_header(struct pty *pty, struct iter *to, bool has_data)
{
	uint8_t events;

	irqlock_lock(&pty->slave.lock);
	events = pty->slave.packet_events;
	pty->slave.packet_events = 0;
	irqlock_unlock(&pty->slave.lock);
	if (events == 0 && !has_data)
		return 0;
	if (iter_write(to, &events, 1) != 1)
		return -EFAULT;
	return events ? 1 : 0; /* 0: data follows the header */
}

static int64_t read_locked(struct pty *pty, struct iter *to)
{
	struct tty *slave = &pty->slave;
	bool is_packet, has_data, is_over;
	int64_t done = 0, n;

	irqlock_lock(&slave->lock);
	is_packet = slave->is_packet_mode;
	has_data = slave->out.tail != end_of_output(slave);
	is_over = pty->was_slave_closed;
	irqlock_unlock(&slave->lock);
	if (is_packet) {
		n = read_packet_header(pty, to, has_data);
		if (n)
			return n;
		done = has_data;
	}
	while (to->left && (n = read_piece(pty, to)) != 0) {
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	if (done)
		return done;
	return is_over ? -EIO : -EAGAIN;
}

static int64_t master_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct pty *pty = pty_of_file(f);
	int64_t n;

	if (to->left == 0)
		return 0;
	mutex_lock(&pty->master_lock);
	n = read_locked(pty, to);
	mutex_unlock(&pty->master_lock);
	return n;
}

static int64_t master_write(struct file *f, struct iter *from, int64_t *pos UNUSED)
{
	struct pty *pty = pty_of_file(f);
	uint8_t piece[PIECE];
	size_t done = 0, n, taken;

	while (from->left) {
		n = iter_read(from, piece, MIN(sizeof(piece), from->left));
		if (n == 0)
			return done ? (int64_t)done : -EFAULT;
		taken = tty_receive(&pty->slave, piece, n);
		done += taken;
		if (taken < n) {
			iter_revert(from, n - taken);
			return done ? (int64_t)done : -EAGAIN;
		}
	}
	return (int64_t)done;
}

static uint32_t master_poll(struct file *f)
{
	struct pty *pty = pty_of_file(f);
	struct tty *slave = &pty->slave;
	uint32_t events = 0;

	irqlock_lock(&slave->lock);
	if (slave->is_packet_mode && slave->packet_events)
		events |= POLLPRI | POLLIN | POLLRDNORM;
	if (slave->out.tail != end_of_output(slave))
		events |= POLLIN | POLLRDNORM;
	if (pty->was_slave_closed)
		events |= POLLHUP;
	if (!slave->is_throttled)
		events |= POLLOUT | POLLWRNORM;
	irqlock_unlock(&slave->lock);
	return events;
}

static struct waitq *master_waitq(struct file *f, uint32_t events)
{
	struct pty *pty = pty_of_file(f);

	return events & POLLIN ? &pty->to_read : &pty->to_write;
}

static void master_release(struct file *f)
{
	struct pty *pty = pty_of_file(f);

	irqlock_lock(&pty->slave.lock);
	pty->slave.is_master_gone = true;
	irqlock_unlock(&pty->slave.lock);
	tty_hang_up(&pty->slave);
	tty_hang_up_session(&pty->slave);
	devpts_remove(pty->instance, pty->node);
	tty_put(&pty->slave);
}

/* ---- ioctl ---- */

static int64_t set_lock(struct pty *pty, uptr arg)
{
	int on;

	if (user_get(on, arg))
		return -EFAULT;
	irqlock_lock(&pty->slave.lock);
	pty->is_locked = on != 0;
	irqlock_unlock(&pty->slave.lock);
	return 0;
}

static int64_t set_packet_mode(struct pty *pty, uptr arg)
{
	int on;

	if (user_get(on, arg))
		return -EFAULT;
	irqlock_lock(&pty->slave.lock);
	if (on && !pty->slave.is_packet_mode)
		pty->slave.packet_events = 0;
	pty->slave.is_packet_mode = on != 0;
	irqlock_unlock(&pty->slave.lock);
	return 0;
}

/* A descriptor of the slave that needs no path to it. */
static int64_t open_peer(struct pty *pty, int flags)
{
	struct fdtable *files = uthread_current()->files;
	const struct path at = {.mnt = pty->mount, .dentry = pty->node};
	struct file *f;
	int fd, err;

	err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		return err;
	err = path_open_at(&at, (unsigned)flags & ~(unsigned)O_CLOEXEC, &f);
	if (err) {
		fd_unreserve(files, fd);
		return err;
	}
	fd_install(files, fd, f, flags & O_CLOEXEC);
	return fd;
}

static int64_t send_signal(struct pty *pty, uintptr_t sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	irqlock_lock(&pty->slave.lock);
	tty_signal_foreground(&pty->slave, (int)sig);
	irqlock_unlock(&pty->slave.lock);
	return 0;
}

static int64_t bytes_to_read(struct pty *pty, uptr arg)
{
	int n = (int)(READ_ONCE(pty->slave.out.head) - READ_ONCE(pty->slave.out.tail));

	return user_put(arg, n);
}

static int64_t master_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
	struct pty *pty = pty_of_file(f);
	unsigned index = pty->slave.index;
	int value;
	int64_t result;

	switch (cmd) {
	case TIOCGPTN:
		return user_put(UPTR(arg), index);
	case TIOCSPTLCK:
		return set_lock(pty, UPTR(arg));
	case TIOCGPTLCK:
		value = pty->is_locked;
		return user_put(UPTR(arg), value);
	case TIOCPKT:
		return set_packet_mode(pty, UPTR(arg));
	case TIOCGPKT:
		value = pty->slave.is_packet_mode;
		return user_put(UPTR(arg), value);
	case TIOCGPTPEER:
		return open_peer(pty, (int)arg);
	case TIOCSIG:
		return send_signal(pty, arg);
	case FIONREAD:
		return bytes_to_read(pty, UPTR(arg));
	}
	result = tty_ioctl(&pty->slave, f, cmd, arg, true);
	return result == -TTY_ENOIOCTLCMD ? -ENOTTY : result;
}

static const struct file_ops master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.waitq = master_waitq,
	.ioctl = master_ioctl,
	.release = master_release,
};

/* ---- A new pair ---- */

static struct pty *create(struct devpts *instance, struct mount *m, int *err)
{
	struct pty *pty = mem_alloc(sizeof(*pty), SLAB_ZERO);
	unsigned index;

	*err = -ENOMEM;
	if (!pty)
		return NULL;
	*err = devpts_new_index(instance, &index);
	if (*err) {
		mem_free(pty);
		return NULL;
	}
	tty_init(&pty->slave, &pty_driver, index, dev_make(UNIX98_PTY_SLAVE_MAJOR, index));
	mutex_init(&pty->master_lock, RANK_TTY, "pty master");
	waitq_init(&pty->to_read);
	waitq_init(&pty->to_write);
	pty->is_locked = true;
	*err = devpts_add(instance, index, &pty->slave, &pty->node);
	if (*err) {
		devpts_free_index(instance, index);
		mem_free(pty);
		return NULL;
	}
	devpts_get(instance);
	pty->instance = instance;
	mount_get(m);
	pty->mount = m;
	return pty;
}

/*
 * Which instance of devpts: the one that has this node, or the one mounted at "pts" beside it,
 * as for /dev/ptmx.
 */
static int find_instance(struct file *f, struct path *out)
{
	struct path parent = {.mnt = f->mount, .dentry = f->dentry->parent};
	char *buf, *text;
	int err;

	if (devpts_of(f->dentry->super)) {
		*out = (struct path){.mnt = f->mount, .dentry = f->dentry};
		path_get(out);
		return 0;
	}
	buf = mem_alloc(PATH_SIZE, 0);
	if (!buf)
		return -ENOMEM;
	err = path_text(&parent, buf, PATH_SIZE - sizeof("/pts"), &text);
	if (err == 0) {
		size_t len = strlen(text);

		memmove(buf, text, len);
		memcpy(buf + len, "/pts", sizeof("/pts"));
		err = path_lookup(AT_FDCWD, buf, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, out);
	}
	mem_free(buf);
	return err;
}

int pty_open_master(struct file *f)
{
	struct devpts *instance;
	struct path at;
	struct pty *pty;
	int err = find_instance(f, &at);

	if (err)
		return err;
	instance = devpts_of(at.dentry->super);
	pty = instance ? create(instance, at.mnt, &err) : NULL;
	if (pty) {
		f->private_data = pty;
		f->ops = &master_ops;
		f->mode |= FILE_STREAM | FILE_NO_LOCK_POS;
	} else if (!instance) {
		err = -ENODEV;
	}
	path_put(&at);
	return err;
}

static int ptmx_open(struct chardev *dev UNUSED, uint32_t minor UNUSED, struct file *f)
{
	return pty_open_master(f);
}

/* ---- /dev/tty: whatever terminal the process has ---- */

static int own_tty_open(struct chardev *dev UNUSED, uint32_t minor UNUSED, struct file *f)
{
	struct tty *tty = tty_of_current();
	int err;

	if (!tty)
		return -ENXIO;
	f->flags |= O_NOCTTY;
	err = tty_open(tty, f);
	tty_put(tty);
	return err;
}

static struct chardev ptmx_chardev = {.major = TTYAUX_MAJOR,
	.name = "/dev/ptmx",
	.first_minor = PTMX_MINOR,
	.nr_minors = 1,
	.open = ptmx_open,
	.ops = &master_ops};
static struct chardev own_tty_chardev = {.major = TTYAUX_MAJOR,
	.name = "/dev/tty",
	.first_minor = 0,
	.nr_minors = 1,
	.open = own_tty_open,
	.ops = &tty_file_ops};

void pty_init(void)
{
	int err = chardev_register(&ptmx_chardev);

	proc_leave_session = tty_session_leader_exits;
	if (err == 0)
		err = chardev_register(&own_tty_chardev);
	if (err == 0)
		err = devtmpfs_create_node("tty", S_IFCHR | 0666, dev_make(TTYAUX_MAJOR, 0));
	if (err == 0)
		err = devtmpfs_create_node(
			"ptmx", S_IFCHR | 0666, dev_make(TTYAUX_MAJOR, PTMX_MINOR));
	if (err)
		log_err("pty: no device nodes (error %d)", err);
}
