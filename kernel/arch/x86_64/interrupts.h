// SPDX-License-Identifier: MIT
/*
 * Interrupts inside arch/x86_64: which vector means what, and who may send which.
 *
 *     0x00 - 0x1f   exceptions                 traps.c
 *     0x20 - 0x2f   the two 8259s: masked, remapped here so that a spurious one is known
 *     0x30 - 0xef   devices: handed out per CPU by vectors.c
 *     0xf0 - 0xfb   software interrupts of tests (VECTOR_TEST)
 *     0xfc - 0xff   this CPU's timer, requests of other CPUs, APIC error, APIC spurious
 *
 * A vector's upper four bits are its priority; interrupts stay off in handlers, so the order
 * matters only for what is taken first when several wait.
 */
#pragma once

#include "lib/base.h"

struct cpu;

enum {
	VECTOR_PIC_FIRST = 0x20,
	VECTOR_PIC_LAST = 0x2f,
	VECTOR_DEVICE_FIRST = 0x30,
	VECTOR_DEVICE_LAST = 0xef,
	VECTOR_TEST = 0xf0,
	VECTOR_TIMER = 0xfc,
	VECTOR_IPI = 0xfd,
	VECTOR_APIC_ERROR = 0xfe,
	VECTOR_APIC_SPURIOUS = 0xff, /* low four bits set: what old APICs demand */
};

/* What VECTOR_TEST calls, between trap_interrupt_enter and exit; NULL: nothing. Tests only. */
extern void (*x86_test_interrupt)(void);

/* ---- apic.c ---- */
void apic_init(void); /* boot CPU: finds it, chooses xAPIC or x2APIC */
void apic_init_cpu(void);
bool apic_is_x2(void);
uint32_t apic_id(void); /* of this CPU */
void apic_eoi(void);
uint32_t apic_error_status(void); /* and clears it */
enum apic_icr { APIC_ICR_FIXED = 0, APIC_ICR_NMI = 4 << 8, APIC_ICR_INIT = 5 << 8, APIC_ICR_STARTUP = 6 << 8 };
/* Sends an inter-processor interrupt: delivery mode, and its vector. Any context. */
void apic_send(uint32_t dest, enum apic_icr mode, uint8_t vector);
/* The timer: local vector entry (masked or not), initial count, current count. */
enum apic_timer_mode { APIC_TIMER_MASKED, APIC_TIMER_ONE_SHOT, APIC_TIMER_TSC_DEADLINE };
void apic_timer_set_mode(enum apic_timer_mode mode);
void apic_timer_set_count(uint32_t count);
uint32_t apic_timer_count(void);

/* ---- pic.c ---- */
void pic_init(void); /* remaps and masks both 8259s */

/* ---- ioapic.c ---- */
void ioapic_init(void);
unsigned ioapic_nr_irqs(void); /* the first numbers are inputs of I/O APICs */
MUST_CHECK int ioapic_irq_of_gsi(uint32_t gsi, unsigned *irq);
void ioapic_mask(unsigned irq);
void ioapic_unmask(unsigned irq);
/* Aims the input at a vector of a CPU; stays masked or unmasked as it was. */
void ioapic_route(unsigned irq, uint32_t apic_id, uint8_t vector);
/* Level-triggered and waiting for an end-of-interrupt: its vector must not change now. */
bool ioapic_is_in_service(unsigned irq);

/* ---- vectors.c ---- */
void vectors_init(void);
int vectors_irq_of(uint8_t vector); /* on this CPU; -1: none. Interrupts off. */

/* ---- timer.c ---- */
void timer_hw_init(void);	     /* boot CPU, after calibration */
void timer_hw_init_cpu(void);	     /* every CPU */
void timer_hw_interrupt(void);

/* ---- calibrate.c; Hz, 0 before arch_counter_calibrate ---- */
uint64_t tsc_hz(void);
uint64_t apic_timer_hz(void);
uint64_t apic_timer_ppm(void); /* how wrong that may be */
/* Spins; at least this long once the rate is known, far longer before. */
void tsc_spin_us(uint64_t us);

/* ---- tsc_check.c: two CPUs compare, both at once ---- */
struct tsc_check {
	uint64_t
		latest; /* [a] the highest value that either has read; at first, the watcher's */
	uint64_t worst;   /* [a] ticks by which a later reading was lower */
	uint32_t is_done; /* [a] */
};
/* The one that joins, for a fixed time; `skew` is added to its TSC, by the test alone. */
void tsc_check_join(struct tsc_check *c, int64_t skew);
/* The other, until that is through. Returns worst: 0 is good. */
uint64_t tsc_check_watch(struct tsc_check *c);

/* ---- power.c ---- */
void power_init(void);

/* ---- smp.c ---- */
/* Where a started CPU first runs C, on its idle thread's stack, with the boot CPU's control registers. */
NORETURN void x86_secondary_entry(struct cpu *cpu);
/* The table on which CPUs climb to long mode; 0 before the first was started. */
paddr_t smp_climb_root(void);
