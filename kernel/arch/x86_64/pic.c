// SPDX-License-Identifier: MIT
/*
 * The two 8259 interrupt controllers of a PC: moved out of the way and masked.
 *
 * They must be moved even though nothing uses them: their vectors after reset are those of
 * exceptions, and a masked 8259 can still deliver a spurious interrupt (input 7 of either).
 *
 * Spec    Intel 8259A data sheet
 */
#include "interrupts.h"
#include "io.h"

enum {
	PIC1_COMMAND = 0x20,
	PIC1_DATA = 0x21,
	PIC2_COMMAND = 0xa0,
	PIC2_DATA = 0xa1,
	ICW1_INIT_ICW4 = 0x11,
	ICW3_MASTER_HAS_SLAVE_ON_2 = 0x04,
	ICW3_SLAVE_ID = 2,
	ICW4_8086 = 0x01,
	ALL_MASKED = 0xff,
	PIC_INPUTS = 8,
};

void pic_init(void)
{
	io_write8(PIC1_COMMAND, ICW1_INIT_ICW4);
	io_write8(PIC2_COMMAND, ICW1_INIT_ICW4);
	io_write8(PIC1_DATA, VECTOR_PIC_FIRST);
	io_write8(PIC2_DATA, VECTOR_PIC_FIRST + PIC_INPUTS);
	io_write8(PIC1_DATA, ICW3_MASTER_HAS_SLAVE_ON_2);
	io_write8(PIC2_DATA, ICW3_SLAVE_ID);
	io_write8(PIC1_DATA, ICW4_8086);
	io_write8(PIC2_DATA, ICW4_8086);
	io_write8(PIC1_DATA, ALL_MASKED);
	io_write8(PIC2_DATA, ALL_MASKED);
}
