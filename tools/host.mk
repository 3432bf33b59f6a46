# SPDX-License-Identifier: MIT
#
# Unit tests on the host: each kernel/<area>/test/test_<file>.c becomes a program
# build/host/<area>/test_<file> under ASan and UBSan. A test says what it needs in lines
#
#     // LINK: lib/rbtree.c lib/fmt.c        kernel sources linked with it
#     // FLAGS: -DLIB_STRING_PREFIX          flags for it and for those sources
#
# Each program has its own objects, because of FLAGS. The runner is tests/host/main.c.

HOST_CC     := clang
HOST_FLAGS  := $(CFLAGS_HOSTED) -Ikernel/arch/sim -O1 -DDEBUG -fno-omit-frame-pointer -fno-builtin \
	       -fsanitize=address,undefined -fno-sanitize-recover=undefined
HOST_STAMP  := $(call stamp,build/host/flags,$(HOST_CC) $(HOST_FLAGS))
HOST_TESTS  := $(sort $(wildcard $(foreach d,/ /*/ /*/*/,kernel/*$(d)test/test_*.c)))
HOST_PROGS  := $(foreach t,$(HOST_TESTS),$(patsubst kernel/%.c,build/host/%,$(subst /test/,/,$(t))))

# $(call host_program,test source,program,kernel sources,flags)
define host_program
$(2).objs := $(patsubst %,$(2).o/%.o,$(1) tests/host/main.c $(addprefix kernel/,$(3)))
$$($(2).objs): $(2).o/%.o: % $(HOST_STAMP) $(1)
	@mkdir -p $$(@D)
	$$(Q)$(HOST_CC) $(HOST_FLAGS) $(4) -MMD -MP -c -o $$@ $$<
$(2): $$($(2).objs)
	$$(call say,HOSTCC,$$@)
	$$(Q)$(HOST_CC) -fsanitize=address,undefined -o $$@ $$^
-include $$($(2).objs:.o=.d)
endef

word_after = $(shell sed -n 's,^// $(1): *,,p' $(2))
$(foreach t,$(HOST_TESTS),$(eval $(call host_program,$(t),$(patsubst kernel/%.c,build/host/%,$(subst /test/,/,$(t))),$(call word_after,LINK,$(t)),$(call word_after,FLAGS,$(t)))))

host-tests: $(HOST_PROGS)
