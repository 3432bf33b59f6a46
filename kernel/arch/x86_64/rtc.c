// SPDX-License-Identifier: MIT
/*
 * The battery clock: reading its registers so that they belong together, and setting them.
 *
 * The clock moves on once a second and says so in register A shortly before. We wait for that to
 * be over (at most 2 ms, else there is no clock), read everything twice, and take it when both
 * readings agree.
 *
 * Locks   rtc_lock  RANK_IRQ_CHIP: the index and data ports are two accesses
 * Spec    MC146818A data sheet; ACPI 6.5 5.2.9 (CENTURY)
 */
#include "rtc.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "interrupts.h"
#include "io.h"
#include "lib/string.h"
#include "sync/spinlock.h"

enum {
	CMOS_INDEX = 0x70, /* bit 7 clear: NMIs stay on */
	CMOS_DATA = 0x71,
	REG_SECOND = 0x00,
	REG_MINUTE = 0x02,
	REG_HOUR = 0x04,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_D = 0x0d,
	STATUS_A_UPDATING = 0x80,
	STATUS_B_SET = 0x80, /* the clock stands still */
	MAX_REG = 0x7f,
	MAX_READS = 5,
	UPDATE_STEP_US = 20,
	UPDATE_MAX_STEPS = 125, /* an update takes 2 ms at most: 2.5 ms */
	NO_DEVICE = 0xff,
};

static struct irqlock rtc_lock = IRQLOCK_INIT(RANK_IRQ_CHIP, "rtc");

static uint8_t cmos_read(uint8_t reg)
{
	io_write8(CMOS_INDEX, reg);
	return io_read8(CMOS_DATA);
}

static void cmos_write(uint8_t reg, uint8_t value)
{
	io_write8(CMOS_INDEX, reg);
	io_write8(CMOS_DATA, value);
}

static bool has_century(void)
{
	return machine.rtc_century > REG_D && machine.rtc_century <= MAX_REG;
}

static bool wait_for_update(void)
{
	for (unsigned i = 0; i < UPDATE_MAX_STEPS; i++) {
		if (!(cmos_read(REG_A) & STATUS_A_UPDATING))
			return true;
		tsc_spin_us(UPDATE_STEP_US);
	}
	return false;
}

static struct rtc_registers read_all(void)
{
	struct rtc_registers r = {
		.second = cmos_read(REG_SECOND),
		.minute = cmos_read(REG_MINUTE),
		.hour = cmos_read(REG_HOUR),
		.day = cmos_read(REG_DAY),
		.month = cmos_read(REG_MONTH),
		.year = cmos_read(REG_YEAR),
		.status_b = cmos_read(REG_B),
	};

	if (has_century())
		r.century = cmos_read(machine.rtc_century);
	return r;
}

static int read_consistent_locked(struct rtc_registers *out) MUST_HOLD(rtc_lock)
{
	struct rtc_registers again;

	if (cmos_read(REG_A) == NO_DEVICE && cmos_read(REG_B) == NO_DEVICE)
		return -ENODEV;
	for (unsigned i = 0; i < MAX_READS; i++) {
		if (!wait_for_update())
			return -ENODEV;
		*out = read_all();
		again = read_all();
		if (memcmp(out, &again, sizeof(again)) == 0)
			return 0;
	}
	return -ENODEV;
}

int arch_wallclock_read(int64_t *seconds)
{
	struct rtc_registers r;
	int err;

	if (machine.has_no_cmos_rtc)
		return -ENODEV;
	irqlock_lock(&rtc_lock);
	err = read_consistent_locked(&r);
	irqlock_unlock(&rtc_lock);
	return err ? err : rtc_decode(&r, seconds);
}

/* All registers while the clock stands still, so that no update comes between them. */
static void write_all(const struct rtc_registers *r)
{
	cmos_write(REG_B, r->status_b | STATUS_B_SET);
	cmos_write(REG_SECOND, r->second);
	cmos_write(REG_MINUTE, r->minute);
	cmos_write(REG_HOUR, r->hour);
	cmos_write(REG_DAY, r->day);
	cmos_write(REG_MONTH, r->month);
	cmos_write(REG_YEAR, r->year);
	if (has_century())
		cmos_write(machine.rtc_century, r->century);
	cmos_write(REG_B, r->status_b);
}

int arch_wallclock_set(int64_t seconds)
{
	struct rtc_registers r;
	int err;

	if (machine.has_no_cmos_rtc)
		return -ENODEV;
	irqlock_lock(&rtc_lock);
	err = read_consistent_locked(&r);
	r.status_b &= (uint8_t)~STATUS_B_SET;
	if (!err)
		err = rtc_encode(seconds, has_century(), &r);
	if (!err)
		write_all(&r);
	irqlock_unlock(&rtc_lock);
	return err;
}
