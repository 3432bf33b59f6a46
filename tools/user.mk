# SPDX-License-Identifier: MIT
#
# The programs of user/: each user/bin/<name>.c becomes build/user/<name>, with the files of the folder
# user/bin/<name>/ if there is one, with user/lib, and what of kernel/lib
# is no kernel: strings, the formatter, the names of errors. No libc, no dynamic loader. Also process 1 of
# ./torus run, user/init, which is for any Linux kernel and made with musl.

USER_CC      := $(CC)
USER_MACHINE := x86_64
USER_FLAGS   := -std=gnu17 -O2 -g0 -Iuser/lib -Iuser/lib/$(USER_MACHINE) -Ikernel $(WARNINGS) -ffreestanding -fno-pie \
		-fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections -fdata-sections
USER_LINK    := -nostdlib -static -s -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--build-id=none
USER_OUT     := build/user$(if $(findstring gcc,$(CC)),-gcc)
USER_STAMP   := $(call stamp,$(USER_OUT).o/flags,$(USER_CC) $(USER_FLAGS) $(USER_LINK))
USER_SHARED  := $(sort $(wildcard user/lib/*.c user/lib/$(USER_MACHINE)/*.S)) kernel/lib/string.c kernel/lib/str.c \
		kernel/lib/fmt.c kernel/lib/parse.c kernel/lib/errno.c
USER_OBJS    := $(USER_SHARED:%=$(USER_OUT).o/%.o)
USER_PROGS   := $(patsubst user/bin/%.c,$(USER_OUT)/%,$(sort $(wildcard user/bin/*.c)))

# The objects of a program's own folder.
user_parts = $(patsubst %,$(USER_OUT).o/%.o,$(sort $(wildcard user/bin/$(1)/*.c)))

$(USER_OUT).o/%.o: % $(USER_STAMP)
	$(call say,USERCC,$<)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_FLAGS) -MMD -MP -c -o $@ $<

$(USER_PROGS): $(USER_OUT)/%: $(USER_OUT).o/user/bin/%.c.o $(USER_OBJS) $$(call user_parts,$$*)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_LINK) -o $@ $^

-include $(USER_OBJS:.o=.d) $(wildcard $(USER_OUT).o/user/bin/*.d $(USER_OUT).o/user/bin/*/*.d)

# Some of them once more with liburing and the machine's libc, where both are: to be read beside ours, and to pass the
# same tests, on Linux as well. What of a program asks the kernel for nothing, user/bin/<name>/, is linked into both.
USER_TEXT    := $(patsubst %,$(USER_OUT).o/kernel/lib/%.c.o,fmt str)
USER_COMPARE := $(if $(wildcard /usr/include/liburing.h),$(patsubst user/compare/%.c,$(USER_OUT)/compare/%,$(wildcard user/compare/*.c)))

$(USER_COMPARE): $(USER_OUT)/compare/%: user/compare/%.c $(wildcard user/compare/*.h) $$(call user_parts,$$*) $(USER_TEXT) $(USER_STAMP)
	$(call say,USERCC,$@)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) -std=gnu17 -D_GNU_SOURCE -O2 $(WARNINGS) -Iuser/bin -iquote kernel -static -s -o $@ $(filter %.c %.o,$^) -luring

user: build/user/init $(USER_PROGS) $(USER_COMPARE)
.PHONY: user
