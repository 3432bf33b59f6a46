// SPDX-License-Identifier: MIT
/*
 * The console of last resort: a 16550 serial port, polled, from the first line of kmain on.
 *
 * It is set up at the first byte, works without interrupts, locks or memory, and never waits for
 * long: a port that does not answer is left alone. console=ttyS0..3[,baud] chooses another;
 * without it, the port that the firmware calls its console (ACPI's SPCR), if it is a port of this
 * kind and somebody answers there.
 *
 * Spec    PC16550D data sheet (National Semiconductor, 1995), 8.0
 */
#include "io.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "cpu.h"
#include "debug/log.h"
#include "lib/cmdline.h"
#include "lib/string.h"

enum { /* register offsets */
	UART_DATA = 0,
	UART_INTERRUPTS = 1,
	UART_DIVISOR_LOW = 0, /* these two while LCR_DIVISOR is set */
	UART_DIVISOR_HIGH = 1,
	UART_FIFO = 2,
	UART_LINE = 3,
	UART_MODEM = 4,
	UART_STATUS = 5,
	UART_SCRATCH = 7,
};
enum {
	LCR_8N1 = 0x03,
	LCR_DIVISOR = 0x80,
	FCR_ENABLE_AND_CLEAR = 0x07,
	MCR_DTR_RTS = 0x03,
	STATUS_DATA_READY = 0x01,
	STATUS_CAN_SEND = 0x20, /* the transmit FIFO is empty */
	STATUS_ALL_SENT = 0x40, /* and so is the shift register */
	STATUS_ABSENT = 0xff,   /* what an empty bus reads as */
	FIFO_SIZE = 16,
	UART_CLOCK = 115200, /* the divisor's unit */
	MAX_POLLS = 1 << 20, /* longer than 16 bytes take at 300 baud on any CPU */
	NR_PORTS = 4,
	SPACE_IO = 1, /* ACPI generic address */
};

static const uint16_t ports[NR_PORTS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8}; /* ttyS0 .. ttyS3 of a PC */

/* Changed by the command line before other CPUs run; a race in set-up would only repeat it. */
static uint16_t port = 0x3f8;
static uint32_t baud = 115200;
static bool is_chosen; /* by the command line */
static enum { UART_UNKNOWN, UART_WORKS, UART_MISSING } uart_state;

/* There is a UART if its scratch register keeps what is written. */
static bool uart_is_present(uint16_t at)
{
	static const uint8_t patterns[] = {0x5a, 0xa5};

	for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
		io_write8(at + UART_SCRATCH, patterns[i]);
		if (io_read8(at + UART_SCRATCH) != patterns[i])
			return false;
	}
	return io_read8(at + UART_STATUS) != STATUS_ABSENT;
}

static bool uart_is_ready(void)
{
	uint16_t divisor = (uint16_t)(UART_CLOCK / baud);

	if (uart_state != UART_UNKNOWN)
		return uart_state == UART_WORKS;
	if (!uart_is_present(port)) {
		uart_state = UART_MISSING;
		return false;
	}
	io_write8(port + UART_INTERRUPTS, 0);
	io_write8(port + UART_LINE, LCR_DIVISOR);
	io_write8(port + UART_DIVISOR_LOW, (uint8_t)divisor);
	io_write8(port + UART_DIVISOR_HIGH, (uint8_t)(divisor >> 8));
	io_write8(port + UART_LINE, LCR_8N1);
	io_write8(port + UART_FIFO, FCR_ENABLE_AND_CLEAR);
	io_write8(port + UART_MODEM, MCR_DTR_RTS);
	uart_state = UART_WORKS;
	return true;
}

/* Until STATUS_CAN_SEND, so that FIFO_SIZE bytes may follow, or STATUS_ALL_SENT. */
static bool uart_wait(uint8_t status)
{
	for (unsigned i = 0; i < MAX_POLLS; i++) {
		if (io_read8(port + UART_STATUS) & status)
			return true;
		arch_cpu_relax();
	}
	return false;
}

void arch_console_write(const char *s, size_t len)
{
	unsigned room = 0;

	if (!uart_is_ready())
		return;
	for (size_t i = 0; i < len; i++) {
		if (room < 2) {
			if (!uart_wait(STATUS_CAN_SEND))
				return;
			room = FIFO_SIZE;
		}
		if (s[i] == '\n') {
			io_write8(port + UART_DATA, '\r');
			room--;
		}
		io_write8(port + UART_DATA, (uint8_t)s[i]);
		room--;
	}
}

void x86_console_flush(void)
{
	if (uart_state == UART_WORKS)
		uart_wait(STATUS_ALL_SENT);
}

int arch_console_read(void)
{
	if (!uart_is_ready() || !(io_read8(port + UART_STATUS) & STATUS_DATA_READY))
		return -EAGAIN;
	return io_read8(port + UART_DATA);
}

int arch_console_port(void)
{
	for (unsigned i = 0; i < NR_PORTS; i++)
		if (ports[i] == port)
			return uart_is_ready() ? (int)i : -ENODEV;
	return -ENODEV;
}

uint8_t arch_port_read8(uint16_t at)
{
	return io_read8(at);
}

void arch_port_write8(uint16_t at, uint8_t value)
{
	io_write8(at, value);
}

/* ---- The firmware's console ---- */

void x86_console_use_firmware(void)
{
	const struct machine_reg *serial = &machine.serial;

	if (is_chosen || serial->space != SPACE_IO || serial->addr == 0 ||
		serial->addr > UINT16_MAX - UART_SCRATCH)
		return;
	if (!uart_is_present((uint16_t)serial->addr)) {
		log_warning("console: the firmware's, at port 0x%lx, does not answer",
			serial->addr);
		return;
	}
	log_info("console: the firmware's, at port 0x%lx", serial->addr);
	port = (uint16_t)serial->addr;
	if (machine.serial_baud)
		baud = machine.serial_baud;
	uart_state = UART_UNKNOWN;
}

/* ---- console=ttyS<n>[,<baud>[parity and bits, which are always n8]] ---- */

static int set_console(const char *value)
{
	static const char prefix[] = "ttyS";
	uint64_t rate = 0;
	const char *p = value;
	unsigned nr;

	if (!str_has_prefix(value, prefix) || !char_is_digit(value[sizeof(prefix) - 1]))
		return -EINVAL;
	nr = (unsigned)char_digit_value(value[sizeof(prefix) - 1]);
	p += sizeof(prefix);
	if (nr >= NR_PORTS || (*p != '\0' && *p != ','))
		return -EINVAL;
	if (*p == ',') {
		for (p++; char_is_digit(*p) && rate < UART_CLOCK; p++)
			rate = rate * 10 + (unsigned)char_digit_value(*p);
		if (rate == 0 || rate > UART_CLOCK || UART_CLOCK % rate != 0 || (*p && !str_equal(p, "n8")))
			return -EINVAL;
		baud = (uint32_t)rate;
	}
	port = ports[nr];
	is_chosen = true;
	uart_state = UART_UNKNOWN;
	return 0;
}

static int set_earlycon(const char *value)
{
	(void)value; /* the port named by console= works from the start */
	return 0;
}

CMDLINE_WORD(console, "console", set_console, "ttyS0..3[,baud]: the serial line for log and console");
CMDLINE_WORD(earlycon, "earlycon", set_earlycon, "accepted; the serial line always works from the start");
