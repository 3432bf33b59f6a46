// SPDX-License-Identifier: MIT
/*
 * What uname(2) says. The system's name and release are Linux's, since its ABI is what programs ask
 * about; the version says who it really is.
 */
#pragma once

#include "lib/base.h"

#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "6.1.0-torus"
#define UTS_VERSION "#1 SMP PREEMPT Torus"

enum { UTS_NAME_SIZE = 65 }; /* __NEW_UTS_LEN and its NUL */
enum uts_name { UTS_NODE, UTS_DOMAIN };

/* A whole name, with its NUL. */
void uts_get_name(enum uts_name which, char name[UTS_NAME_SIZE]);
/* -EPERM without CAP_SYS_ADMIN, -EINVAL when it is too long. */
MUST_CHECK int uts_set_name(enum uts_name which, const char *name, size_t len);
