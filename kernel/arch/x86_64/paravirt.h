// SPDX-License-Identifier: MIT
/*
 * What a hypervisor tells its guests beyond what hardware can: its name, the rates of its
 * counters, wider interrupt destinations. Everything here is 0, "" or false on bare hardware.
 */
#pragma once

#include "lib/base.h"

/* "KVMKVMKVM", "TCGTCGTCGTCG", ... */
const char *paravirt_name(void);
/* The TSC's rate, exact, and who says so; 0 if nobody does. */
uint64_t paravirt_tsc_hz(const char **source);
uint64_t paravirt_apic_timer_hz(void);
/* Whether interrupt messages can carry this APIC id: 8 bits always, 15 where it is offered. */
bool paravirt_can_message(uint64_t apic_id);
