// SPDX-License-Identifier: MIT
/*
 * The 16550 serial ports of a PC: ttyS0 to ttyS3, and /dev/console, which is the one that the
 * kernel's log goes to.
 *
 * A port is found by its scratch register at start, but left as it is until a program opens it: the
 * kernel's own prompt and its log use it polled (arch_console_write). From then on input comes
 * by interrupts, and output leaves in pieces of a FIFO, each asked for by an interrupt; what fits
 * when the transmitter is idle is written at once.
 *
 * Locks   tty->lock around the registers; interrupts take it.
 * Spec    PC16550D data sheet (National Semiconductor, 1995), 8.0
 */
#include "dev/tty/serial.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "arch/arch.h"
#include "debug/log.h"
#include "dev/char/chardev.h"
#include "dev/tty/tty.h"
#include "fs/vfs/file.h"
#include "irq/irq.h"
#include "lib/fmt.h"
#include "time/clock.h"

enum { NR_PORTS = 4, FIFO_SIZE = 16, INPUT_PIECE = 64, MAX_ROUNDS = 256 };
enum { TTYS_MAJOR = 4, TTYS_MINOR = 64, CONSOLE_MAJOR = 5, CONSOLE_MINOR = 1 };

static const uint64_t DRAIN_LIMIT = NS_PER_SEC; /* a buffer takes 0.4 s at 115200 baud */

enum { /* registers */
	DATA = 0,
	IER = 1,
	DIVISOR_LOW = 0, /* these two while LCR_DIVISOR is set */
	DIVISOR_HIGH = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCRATCH = 7,
};
enum {
	IER_INPUT = 1,
	IER_OUTPUT = 2,
	IER_LINE = 4,
	IIR_NONE = 1,
	LSR_INPUT = 1,
	LSR_OVERRUN = 2,
	LSR_PARITY = 4,
	LSR_FRAMING = 8,
	LSR_BREAK = 16,
	LSR_CAN_SEND = 32,
	LSR_IDLE = 64,
	LSR_ABSENT = 0xff,
	LCR_BREAK = 64,
	LCR_DIVISOR = 128,
	LCR_STOP2 = 4,
	LCR_PARITY = 8,
	LCR_EVEN = 16,
	LCR_STICK = 32,
	FCR_ENABLE_AT_8 = 0x81,
	MCR_DTR = 1,
	MCR_RTS = 2,
	MCR_IRQ = 8, /* OUT2 lets the interrupt through on a PC */
	BASE_RATE = 115200,
};

/*
 *   [I] immutable   [l] tty.lock
 */
struct port {
	struct tty tty;
	uint16_t base;    /* [I] */
	uint8_t isa_line; /* [I] */
	bool is_present;  /* [I] */
	bool has_irq;     /* [l] */
	uint8_t ier, lcr; /* [l] what was written last */
	struct irq_action action;
};

static struct port ports[NR_PORTS] = {
	{.base = 0x3f8, .isa_line = 4},
	{.base = 0x2f8, .isa_line = 3},
	{.base = 0x3e8, .isa_line = 4},
	{.base = 0x2e8, .isa_line = 3},
};

static struct port *port_of(struct tty *tty)
{
	return container_of(tty, struct port, tty);
}

static uint8_t get(const struct port *p, unsigned reg)
{
	return arch_port_read8((uint16_t)(p->base + reg));
}

static void set(const struct port *p, unsigned reg, uint8_t value)
{
	arch_port_write8((uint16_t)(p->base + reg), value);
}

static void set_ier(struct port *p, uint8_t ier)
{
	if (p->ier == ier)
		return;
	p->ier = ier;
	set(p, IER, ier);
}

/* ---- Output ---- */

/* Fills the FIFO if it is empty, and asks for an interrupt if there is more. Locked. */
static void send(struct port *p)
{
	uint8_t bytes[FIFO_SIZE];
	size_t n;

	if (!(get(p, LSR) & LSR_CAN_SEND)) {
		set_ier(p, p->ier | IER_OUTPUT);
		return;
	}
	n = tty_take_output(&p->tty, bytes, sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		set(p, DATA, bytes[i]);
	if (n == sizeof(bytes))
		set_ier(p, p->ier | IER_OUTPUT);
	else
		set_ier(p, p->ier & (uint8_t)~IER_OUTPUT);
	if (n && p->tty.out.head - p->tty.out.tail < TTY_BUFFER_SIZE / 2)
		waitq_wake_all(&p->tty.writable, TTY_WRITABLE);
}

static void serial_start(struct tty *tty)
{
	if (port_of(tty)->has_irq && !(port_of(tty)->ier & IER_OUTPUT))
		send(port_of(tty));
}

static bool serial_is_sent(struct tty *tty)
{
	return get(port_of(tty), LSR) & LSR_IDLE;
}

static bool is_all_sent(struct port *p)
{
	bool is_sent;

	irqlock_lock(&p->tty.lock);
	if (p->has_irq)
		send(p);
	is_sent = !p->has_irq || p->tty.is_flow_stopped ||
		  (p->tty.out.head == p->tty.out.tail && (get(p, LSR) & LSR_IDLE));
	irqlock_unlock(&p->tty.lock);
	return is_sent;
}

void serial_drain(void)
{
	uint64_t end = clock_monotonic_ns() + DRAIN_LIMIT;

	for (unsigned i = 0; i < NR_PORTS; i++) {
		while (ports[i].is_present && !is_all_sent(&ports[i])) {
			if (clock_monotonic_ns() > end)
				return;
			arch_cpu_relax();
		}
	}
}

/* ---- Input ---- */

static void receive_error(struct port *p, uint8_t status, uint8_t byte)
{
	if (status & LSR_BREAK)
		tty_receive_error(&p->tty, byte, TTY_BREAK);
	else if (status & (LSR_PARITY | LSR_FRAMING))
		tty_receive_error(&p->tty, byte, TTY_PARITY);
	else
		(void)tty_receive(&p->tty, &byte, 1);
}

/* Takes what the FIFO holds. A full input buffer leaves it there, and no more interrupts come. */
static void receive(struct port *p)
{
	uint8_t bytes[INPUT_PIECE], status = 0;
	size_t n = 0, taken;

	while (n < sizeof(bytes) && ((status = get(p, LSR)) & LSR_INPUT)) {
		uint8_t byte = get(p, DATA);

		if (status & (LSR_BREAK | LSR_PARITY | LSR_FRAMING)) {
			receive_error(p, status, byte);
			continue;
		}
		bytes[n++] = byte;
	}
	taken = tty_receive(&p->tty, bytes, n);
	if (taken < n) { /* what does not fit is lost, as it would be on the wire */
		irqlock_lock(&p->tty.lock);
		set_ier(p, p->ier & (uint8_t) ~(IER_INPUT | IER_LINE));
		irqlock_unlock(&p->tty.lock);
	}
}

static void serial_unthrottle(struct tty *tty)
{
	set_ier(port_of(tty), port_of(tty)->ier | IER_INPUT | IER_LINE);
}

/*
 * The line is edge-triggered, and a look at IIR takes what was asked for away: who leaves while the
 * port still wants something must make it ask again, or it never will.
 */
static void ask_again(struct port *p)
{
	irqlock_lock(&p->tty.lock);
	set(p, IER, 0);
	set(p, IER, p->ier);
	irqlock_unlock(&p->tty.lock);
}

/* Others get the CPU now and then, however fast the port is and whoever fills the buffer meanwhile. */
static enum irq_result serial_interrupt(unsigned irq UNUSED, void *ctx)
{
	struct port *p = ctx;
	unsigned rounds = 0;

	while (!(get(p, IIR) & IIR_NONE)) {
		if (rounds++ == MAX_ROUNDS) {
			ask_again(p);
			break;
		}
		if (p->ier & IER_INPUT)
			receive(p);
		irqlock_lock(&p->tty.lock);
		if ((p->ier & IER_OUTPUT) && (get(p, LSR) & LSR_CAN_SEND))
			send(p);
		irqlock_unlock(&p->tty.lock);
	}
	return rounds ? IRQ_HANDLED : IRQ_NONE;
}

/* ---- Settings ---- */

static uint8_t line_control(const struct termios2 *t)
{
	uint8_t lcr = (uint8_t)((t->c_cflag & CSIZE) >> 4); /* CS5 .. CS8 are 0 .. 3 */

	if (t->c_cflag & CSTOPB)
		lcr |= LCR_STOP2;
	if (t->c_cflag & PARENB)
		lcr |= LCR_PARITY | (t->c_cflag & PARODD ? 0 : LCR_EVEN) |
		       (t->c_cflag & CMSPAR ? LCR_STICK : 0);
	return lcr;
}

static void serial_settings_changed(struct tty *tty, const struct termios2 *old)
{
	struct port *p = port_of(tty);
	uint32_t rate = tty->settings.c_ospeed, divisor;

	if (tty->settings.c_cflag == old->c_cflag && rate == old->c_ospeed)
		return;
	p->lcr = line_control(&tty->settings);
	if (rate == 0) { /* B0 hangs up */
		set(p, MCR, MCR_IRQ);
		return;
	}
	divisor = MAX(BASE_RATE / rate, 1u);
	set(p, LCR, p->lcr | LCR_DIVISOR);
	set(p, DIVISOR_LOW, (uint8_t)divisor);
	set(p, DIVISOR_HIGH, (uint8_t)(divisor >> 8));
	set(p, LCR, p->lcr);
	set(p, MCR, MCR_DTR | MCR_RTS | MCR_IRQ);
}

static void serial_send_break(struct tty *tty, bool on)
{
	struct port *p = port_of(tty);

	set(p, LCR, on ? p->lcr | LCR_BREAK : p->lcr);
}

static const struct tty_driver serial_driver = {
	.name = "ttyS",
	.is_line = true,
	.start = serial_start,
	.settings_changed = serial_settings_changed,
	.is_sent = serial_is_sent,
	.unthrottle = serial_unthrottle,
	.send_break = serial_send_break,
};

/* ---- Opening ---- */

/* The first program that opens the port: from now on it lives by interrupts. */
static int take_over(struct port *p)
{
	unsigned irq;
	int err;

	irqlock_lock(&p->tty.lock);
	if (p->has_irq) {
		irqlock_unlock(&p->tty.lock);
		return 0;
	}
	p->has_irq = true;
	p->lcr = get(p, LCR);
	irqlock_unlock(&p->tty.lock);
	err = arch_irq_of_isa(p->isa_line, &irq);
	if (err == 0)
		err = irq_add(irq, &p->action, serial_interrupt, p, "serial");
	irqlock_lock(&p->tty.lock);
	if (err) {
		p->has_irq = false;
	} else {
		set(p, FCR, FCR_ENABLE_AT_8);
		set(p, MCR, MCR_DTR | MCR_RTS | MCR_IRQ);
		set_ier(p, IER_INPUT | IER_LINE);
	}
	irqlock_unlock(&p->tty.lock);
	return err;
}

static int open_port(struct port *p, struct file *f)
{
	int err = p->is_present ? take_over(p) : -EIO;

	return err ? err : tty_open(&p->tty, f);
}

static int serial_open(struct chardev *dev UNUSED, uint32_t minor, struct file *f)
{
	return open_port(&ports[minor - TTYS_MINOR], f);
}

/* The log's port; the first that exists when the log goes nowhere. */
static int console_open(struct chardev *dev UNUSED, uint32_t minor UNUSED, struct file *f)
{
	int n = arch_console_port(), err;

	f->flags |=
		O_NOCTTY; /* as on Linux, the console becomes nobody's terminal by being opened */
	err = n < 0 || n >= NR_PORTS ? -ENODEV : open_port(&ports[n], f);
	if (!err)
		tty_file_survives_hang_ups(f); /* as on Linux: init keeps it for all time */
	return err;
}

static bool is_present(const struct port *p)
{
	static const uint8_t patterns[] = {0x5a, 0xa5};
	uint8_t before = get(p, SCRATCH);

	for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
		set(p, SCRATCH, patterns[i]);
		if (get(p, SCRATCH) != patterns[i])
			return false;
	}
	set(p, SCRATCH, before);
	return get(p, LSR) != LSR_ABSENT;
}

static struct chardev serial_chardev = {.major = TTYS_MAJOR,
	.name = "ttyS",
	.first_minor = TTYS_MINOR,
	.nr_minors = NR_PORTS,
	.open = serial_open,
	.ops = &tty_file_ops};
static struct chardev console_chardev = {.major = CONSOLE_MAJOR,
	.name = "/dev/console",
	.first_minor = CONSOLE_MINOR,
	.nr_minors = 1,
	.open = console_open,
	.ops = &tty_file_ops};

void serial_init(void)
{
	char name[16];
	int err = 0;

	for (unsigned i = 0; i < NR_PORTS; i++) {
		struct port *p = &ports[i];

		p->is_present = is_present(p);
		tty_init(&p->tty, &serial_driver, i, dev_make(TTYS_MAJOR, TTYS_MINOR + i));
		p->tty.is_reset_on_open = false;
		p->tty.settings.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
		p->tty.settings.c_ispeed = p->tty.settings.c_ospeed = BASE_RATE;
		if (!p->is_present || err)
			continue;
		snformat(name, sizeof(name), "ttyS%u", i);
		err = devtmpfs_create_node(name, S_IFCHR | 0620, p->tty.dev);
	}
	if (err == 0)
		err = chardev_register(&serial_chardev);
	if (err == 0)
		err = chardev_register(&console_chardev);
	if (err == 0)
		err = devtmpfs_create_node(
			"console", S_IFCHR | 0600, dev_make(CONSOLE_MAJOR, CONSOLE_MINOR));
	if (err)
		log_err("serial: no device nodes (error %d)", err);
}
