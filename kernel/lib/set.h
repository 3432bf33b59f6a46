// SPDX-License-Identifier: MIT
/*
 * Linker sets: lists whose members are scattered over the tree and gathered by the linker.
 *
 * A member is a pointer in a section named after its set; SET_FOREACH walks the section. Drivers,
 * filesystems, socket families, ring operations, console commands and tests are sets. The order
 * within a set is the linker's, so nothing may depend on it. Core start-up is not a set: it is
 * the list of calls in boot/main.c.
 *
 *     SET_ADD(tests, my_test);                  // in any file, at its end
 *     SET_FOREACH(struct test, t, tests)        // t is a struct test *
 *             run(t);
 *
 * A set that may be empty must still link: SET_DECLARE makes its bounds weak.
 */
#pragma once

#include "lib/base.h"

/* Declares the bounds of a set before SET_FOREACH is used on it; file scope. */
#define SET_DECLARE(type, set)                                                                 \
	extern type *__start_set_##set[] WEAK;                                                 \
	extern type *__stop_set_##set[] WEAK

/* Adds the address of `object` to the set. */
#define SET_ADD(set, object)                                                                   \
	static __typeof__(&(object)) set_##set##_##object                                      \
		__attribute__((used, section("set_" #set))) = &(object)

#define SET_FOREACH(type, it, set)                                                             \
	for (type **it##_slot = __start_set_##set, *it;                                        \
		it##_slot < __stop_set_##set && ((it = *it##_slot), 1); it##_slot++)
