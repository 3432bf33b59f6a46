# SPDX-License-Identifier: MIT
#
# ARCH=sim: the generic kernel as one host program under ASan and UBSan. kernel/arch/sim/
# says which generic sources it leaves out (exclude.mk: SIM_EXCLUDE) and which flags it adds
# (flags.mk: CFLAGS_SIM, LDFLAGS_SIM).

-include kernel/arch/sim/exclude.mk
-include kernel/arch/sim/flags.mk

GENERIC_DIRS := $(filter-out kernel/arch/,$(wildcard kernel/*/))
FOUND        := $(sort $(shell find $(GENERIC_DIRS) $(wildcard kernel/arch/sim) -name '*.c'))
SRCS         := $(foreach f,$(FOUND),$(if $(findstring /test/,$(f)),$(if $(filter ktest_%,$(notdir $(f))),$(f)),$(f)))
SRCS         := $(filter-out $(SIM_EXCLUDE),$(SRCS))
OBJS         := $(SRCS:%=$(BUILD)/%.o)
IMAGE        := $(BUILD)/torus-sim

CFLAGS := $(CFLAGS_HOSTED) -Ikernel/arch/sim -O1 -fno-omit-frame-pointer -DINTERLEAVE \
	  $(if $(filter debug kasan,$(firstword $(subst -, ,$(VARIANT)))),-DDEBUG) \
	  -fsanitize=address,undefined -fno-sanitize-recover=undefined $(CFLAGS_SIM)

FLAGS_STAMP := $(call stamp,$(BUILD)/flags,$(CC) $(CFLAGS) / $(foreach f,$(SRCS),$(CFLAGS_$(f))))
LINK_STAMP  := $(call stamp,$(BUILD)/link,$(LDFLAGS_SIM) $(OBJS))

$(BUILD)/%.c.o: %.c $(FLAGS_STAMP)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CFLAGS_$<) -MMD -MP -c -o $@ $<

$(IMAGE): $(OBJS) $(LINK_STAMP)
	$(call say,LINK,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $(OBJS) $(LDFLAGS_SIM)

-include $(OBJS:.o=.d)
