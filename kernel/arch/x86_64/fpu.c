// SPDX-License-Identifier: MIT
/*
 * Vector and x87 state: sized by what the CPU has, saved and restored in one instruction.
 *
 * With XSAVE the area has the standard format, components enabled in XCR0: x87, SSE, AVX, AVX-512.
 * XSAVEOPT, where there is one, skips what did not change. Without XSAVE it is FXSAVE's 512 bytes.
 *
 * Spec    Intel SDM vol.1 13 (XSAVE), 10.5 (FXSAVE), table 10-2 and 11.6.4 (initial values)
 */
#include "cpu.h"
#include "cpuid.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/string.h"

enum {
	FXSAVE_SIZE = 512,
	XSAVE_HEADER_SIZE = 64,
	FCW_OFFSET = 0,
	MXCSR_OFFSET = 24,
	CPUID_XSAVE = 0xd,
};
#define FCW_INITIAL   0x37f
#define MXCSR_INITIAL 0x1f80u
#define XCR0_X87      BIT(0)
#define XCR0_SSE      BIT(1)
#define XCR0_AVX      BIT(2)
#define XCR0_AVX512   (BIT(5) | BIT(6) | BIT(7)) /* only all three or none */

static size_t area_size = FXSAVE_SIZE; /* set on the boot CPU, then immutable */
static uint64_t components;	       /* XCR0 */

static void choose_components(void)
{
	struct x86_cpuid c = x86_cpuid_checked(CPUID_XSAVE, 0);
	uint64_t supported = (uint64_t)c.reg[REG_EDX] << 32 | c.reg[REG_EAX];

	components = XCR0_X87 | XCR0_SSE;
	if (supported & XCR0_AVX)
		components |= XCR0_AVX;
	if ((components & XCR0_AVX) && (supported & XCR0_AVX512) == XCR0_AVX512)
		components |= XCR0_AVX512;
}

void x86_fpu_init_cpu(void)
{
	bool is_first = components == 0;

	if (!x86_has(X86_FEATURE_XSAVE))
		return;
	if (is_first)
		choose_components();
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)components), "d"((uint32_t)(components >> 32)));
	if (is_first) /* the size of what XCR0 enables now */
		area_size = MAX((size_t)x86_cpuid(CPUID_XSAVE, 0).reg[REG_EBX], (size_t)FXSAVE_SIZE);
}

uint64_t x86_fpu_components(void)
{
	return components;
}

size_t arch_fpu_size(void)
{
	return area_size;
}

/* A header without component bits means "all initial", but the two control words are in the area. */
void arch_fpu_init(void *area)
{
	uint16_t fcw = FCW_INITIAL;
	uint32_t mxcsr = MXCSR_INITIAL;

	assert(IS_ALIGNED((vaddr_t)area, ARCH_FPU_ALIGN));
	memset(area, 0, area_size);
	memcpy((char *)area + FCW_OFFSET, &fcw, sizeof(fcw));
	memcpy((char *)area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

void arch_fpu_save(void *area)
{
	uint32_t low = (uint32_t)components, high = (uint32_t)(components >> 32);

	if (x86_has(X86_FEATURE_XSAVEOPT))
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else if (components)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

/* No component is in it, so all become initial; the control words are read in either format. */
void x86_fpu_reset(void)
{
	static struct {
		uint16_t fcw;
		uint8_t zero1[MXCSR_OFFSET - sizeof(uint16_t)];
		uint32_t mxcsr;
		uint8_t zero2[FXSAVE_SIZE + XSAVE_HEADER_SIZE - MXCSR_OFFSET -
			      sizeof(uint32_t)];
	} const initial ALIGNED(ARCH_FPU_ALIGN) = {.fcw = FCW_INITIAL, .mxcsr = MXCSR_INITIAL};

	arch_fpu_restore(&initial);
}

/* A whole one: XSAVEOPT would leave out what it believes to be there from the last time. */
void arch_fpu_copy_current(void *area)
{
	arch_fpu_init(area);
	if (components)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"((uint32_t)components),
				 "d"((uint32_t)(components >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void arch_fpu_restore(const void *area)
{
	uint32_t low = (uint32_t)components, high = (uint32_t)(components >> 32);

	if (components)
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
