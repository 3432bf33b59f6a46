// SPDX-License-Identifier: MIT
/*
 * Random bytes for secrets: AT_RANDOM, address space layout, getrandom, /dev/urandom, keys of hash
 * tables that outsiders fill.
 */
#pragma once

#include "lib/base.h"

void random_init(void); /* seeds from what the machine has; before it the bytes are guessable */
/* Any context. Never fails and never waits. */
void random_bytes(void *to, size_t len);
uint64_t random_u64(void);
/* Stirs bytes into the state: what a program wrote to /dev/urandom. Any context. */
void random_stir(const void *bytes, size_t len);
