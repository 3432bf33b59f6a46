// SPDX-License-Identifier: MIT
/*
 * Instructions that only some CPUs have, in places too hot for a test: the code has no-ops there,
 * and patch.c writes the instruction over them at start where the CPU has the feature.
 *
 * For assembly files. Each use leaves a row in section .patches: where, which feature, which
 * bytes. The features' numbers are enum x86_feature's; patch.c asserts that they agree.
 */
#pragma once

#define PATCH_FEATURE_SMAP 17

#ifdef __ASSEMBLER__
/* clang-format off */

	/* Three bytes; Intel SDM vol.2 CLAC, STAC. */
	.macro patch_site feature, byte0, byte1, byte2
771:	.byte	0x0f, 0x1f, 0x00
	.pushsection .patches, "a"
	.balign	4
	.long	771b - .
	.byte	\feature, \byte0, \byte1, \byte2
	.popsection
	.endm

	/* Gives up, and takes, the right to touch user memory. */
	.macro user_access_end
	patch_site PATCH_FEATURE_SMAP, 0x0f, 0x01, 0xca
	.endm
	.macro user_access_begin
	patch_site PATCH_FEATURE_SMAP, 0x0f, 0x01, 0xcb
	.endm

/* clang-format on */
#endif
