// SPDX-License-Identifier: MIT
/*
 * Calls that a supervisor answers in a program's stead: SECCOMP_RET_USER_NOTIF.
 *
 * A filter may have a listener, a file by which somebody hears of the calls that it does not decide about
 * itself. The thread that makes such a call waits until it is told what comes of it.
 *
 * Spec    man 2 seccomp_unotify
 */
#pragma once

#include "lib/base.h"

struct call_filter;
struct call_listener;
struct file;
struct seccomp_data;

/*
 * A listener for a filter that nobody sees yet, and its file. The listener is the filter's; the file has a
 * reference of the filter. is_patient: who has been heard waits for the answer, whatever signals come. -ENOMEM, -ENFILE.
 */
MUST_CHECK int call_listener_create(struct call_filter *f, bool is_patient, struct file **out);
/* Its file has not been closed. Any context; a hint for others than the last holder of the file. */
bool call_listener_is_open(const struct call_listener *l);
/* The last thread with the filter is gone. Any context. */
void call_listener_hang_up(struct call_listener *l);
/*
 * The current thread (or a fiber, for the thread it works for) asks about a call. True: it is to be made.
 * False: *result is its result; -ENOSYS when nobody listens, -ERESTARTSYS when a signal came first.
 */
MUST_CHECK bool call_supervise(
	struct call_filter *f, const struct seccomp_data *call, int64_t *result);
