# SPDX-License-Identifier: MIT
#
# A kernel for a hardware architecture: compile everything, link three times, check.
#
# The image carries its own symbol table (section .symtab_torus, format in tools/symtab), which
# is made from the image. So: link with an empty table; make the table; link with it, which moves
# what lies behind the table (.bss); make the table again, now of the same size; link; and check
# that this last image agrees with its table.

-include kernel/arch/$(ARCH)/flags.mk

GENERIC_DIRS := $(filter-out kernel/arch/,$(wildcard kernel/*/))
FOUND        := $(sort $(shell find $(GENERIC_DIRS) $(wildcard kernel/arch/$(ARCH)) -name '*.[cS]' -not -path '*/vdso/*'))
WITH_TESTS   := $(filter-out release release-gcc,$(VARIANT))
SRCS         := $(foreach f,$(FOUND),$(if $(findstring /test/,$(f)),$(if $(and $(WITH_TESTS),$(filter ktest_%,$(notdir $(f)))),$(f)),$(f)))
OBJS         := $(SRCS:%=$(BUILD)/%.o)
LDS          := kernel/arch/$(ARCH)/kernel.lds
-include kernel/arch/$(ARCH)/vdso/vdso.mk # a program's library, linked by itself
IMAGE        := $(BUILD)/torus

CFLAGS  := $(CFLAGS_KERNEL) $(CFLAGS_ARCH) $(CFLAGS_VARIANT)
ASFLAGS := -g -Ikernel -D__ASSEMBLY__ $(ASFLAGS_ARCH) $(filter -D%,$(CFLAGS_VARIANT))
LDFLAGS := -pie --no-dynamic-linker -z text -z norelro -z noexecstack -z max-page-size=4096 \
	   --build-id=none -Bsymbolic $(LDFLAGS_ARCH) $(if $(filter -flto%,$(CFLAGS)),$(LDFLAGS_LTO))

FLAGS_STAMP := $(call stamp,$(BUILD)/flags,$(CC) $(CFLAGS) / $(ASFLAGS) / $(foreach f,$(SRCS),$(CFLAGS_$(f))))
LINK_STAMP  := $(call stamp,$(BUILD)/link,$(LD) $(LDFLAGS) $(OBJS))

$(BUILD)/%.c.o: %.c $(FLAGS_STAMP)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CFLAGS_$<) -MMD -MP -c -o $@ $<

$(BUILD)/%.S.o: %.S $(FLAGS_STAMP)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ASFLAGS) -MMD -MP -c -o $@ $<

# $(call link,output,table object)
link = $(LD) $(LDFLAGS) -T $(LDS) -o $(1) $(OBJS) $(2)
# $(call table,image or --empty,output stem)
table = tools/symtab $(1) $(2).bin && \
	printf '.section .symtab_torus,"a"\n.balign 8\n.incbin "$(2).bin"\n' >$(2).S && \
	$(CC) $(ASFLAGS) -c -o $(2).o $(2).S

$(IMAGE): $(OBJS) $(LDS) $(LINK_STAMP) tools/symtab
	$(call say,LINK,$@)
	$(Q)$(call table,--empty,$(BUILD)/symtab.0)
	$(Q)$(call link,$(BUILD)/torus.0,$(BUILD)/symtab.0.o)
	$(Q)$(call table,$(BUILD)/torus.0,$(BUILD)/symtab.1)
	$(Q)$(call link,$(BUILD)/torus.1,$(BUILD)/symtab.1.o)
	$(Q)$(call table,$(BUILD)/torus.1,$(BUILD)/symtab.2)
	$(Q)$(call link,$(BUILD)/torus.2,$(BUILD)/symtab.2.o)
	$(Q)tools/symtab --check $(BUILD)/torus.2 $(BUILD)/symtab.2.bin
	$(Q)mv $(BUILD)/torus.2 $@ && rm -f $(BUILD)/torus.0 $(BUILD)/torus.1
ifeq ($(VARIANT),release)
	$(Q)cp $@ build/$(ARCH)/torus
endif

-include $(OBJS:.o=.d)
