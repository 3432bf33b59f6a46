/* SPDX-License-Identifier: MIT */
/*
 * Offsets shared by trampoline.S and smp.c, which checks them against struct trampoline_data.
 */
#pragma once

#define TRAMPOLINE_DATA	    0x800 /* in the page */
#define DATA_CLAIM	    0x00
#define DATA_CR3	    0x04
#define DATA_EFER	    0x08
#define DATA_FAR_32	    0x0c
#define DATA_FAR_64	    0x14
#define DATA_GDT_LIMIT	    0x1e
#define DATA_CR4	    0x28
#define DATA_CR0	    0x30
#define DATA_CPU	    0x38
#define DATA_STACK	    0x40
#define DATA_ENTRY	    0x48

/* Selectors of the GDT in the page. */
#define TRAMPOLINE_CODE32_SEL 0x08
#define TRAMPOLINE_DATA_SEL   0x10
#define TRAMPOLINE_CODE64_SEL 0x18

#define MSR_EFER_NUMBER	   0xc0000080
#define MSR_GS_BASE_NUMBER 0xc0000101
