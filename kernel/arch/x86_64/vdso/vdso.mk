# SPDX-License-Identifier: MIT
#
# The vDSO is a program's library: compiled with a program's flags, linked by itself, and put into
# the kernel as bytes between vdso_image_start and vdso_image_end.

VDSO        := kernel/arch/x86_64/vdso
VDSO_CFLAGS := -std=gnu17 -O2 -m64 -march=x86-64 -fPIC -fno-stack-protector -ffreestanding \
	       -fasynchronous-unwind-tables -Ikernel $(WARNINGS)
VDSO_LDFLAGS := -shared -m elf_x86_64 -T $(VDSO)/vdso.lds -soname linux-vdso.so.1 --hash-style=both \
		--eh-frame-hdr -z max-page-size=4096 -z noexecstack --build-id=none -Bsymbolic --no-undefined -s

$(BUILD)/vdso.o: $(VDSO)/vdso.c $(VDSO)/vdso.mk
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/vdso.so: $(BUILD)/vdso.o $(VDSO)/vdso.lds
	$(call say,LINK,$@)
	$(Q)$(LD) $(VDSO_LDFLAGS) -o $@ $<

$(BUILD)/vdso_image.o: $(BUILD)/vdso.so
	$(Q)printf '.section .rodata,"a"\n.balign 8\n.globl vdso_image_start, vdso_image_end\n.hidden vdso_image_start, vdso_image_end\nvdso_image_start: .incbin "$<"\nvdso_image_end:\n' >$(BUILD)/vdso_image.S
	$(Q)$(CC) $(ASFLAGS) -c -o $@ $(BUILD)/vdso_image.S

OBJS += $(BUILD)/vdso_image.o
-include $(BUILD)/vdso.d
