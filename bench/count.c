// SPDX-License-Identifier: MIT
/*
 * A QEMU plugin that counts how often each instruction of the kernel runs. bench/profile builds
 * it, loads it and adds the counts up by function.
 *
 *     -plugin count.so,out=FILE     writes "address count" lines, in hex and decimal, at the end
 *
 * QEMU translates guest code in blocks; for each instruction it shows us we ask for an inline
 * addition to that address's counter. A step of a string instruction counts as one, as it does
 * under -icount. The additions are not atomic: one CPU, or icount, where CPUs take turns.
 *
 * The declarations are version 1 of QEMU's plugin interface, of which no package has the header
 * (QEMU 7.2, docs/devel/tcg-plugins).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(
	qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *), void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *insn, int op, void *counter, uint64_t add);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

/* Where the kernel runs with nokaslr, and where its first instructions run: at physical addresses. */
enum { SPAN = 8 << 20 };
static const uint64_t bases[] = {0xffffffff80000000, 0x100000};
enum { NR_BASES = sizeof(bases) / sizeof(bases[0]) };

static uint64_t counts[NR_BASES][SPAN];
static char out_path[4096];

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t addr = qemu_plugin_insn_vaddr(insn);

		for (int b = 0; b < NR_BASES; b++)
			if (addr - bases[b] < SPAN)
				qemu_plugin_register_vcpu_insn_exec_inline(
					insn, QEMU_PLUGIN_INLINE_ADD_U64, &counts[b][addr - bases[b]], 1);
	}
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	FILE *out = fopen(out_path, "w");

	(void)id;
	(void)data;
	if (!out)
		return;
	for (int b = 0; b < NR_BASES; b++)
		for (uint64_t i = 0; i < SPAN; i++)
			if (counts[b][i])
				fprintf(out, "%" PRIx64 " %" PRIu64 "\n", bases[b] + i, counts[b][i]);
	fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "out=", 4) == 0)
			snprintf(out_path, sizeof(out_path), "%s", argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
