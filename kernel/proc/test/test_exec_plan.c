// SPDX-License-Identifier: MIT
/*
 * What exec reads out of files that anybody may have written: ELF headers and the first lines of
 * scripts. No answer may lead outside of the bytes given or of the user's addresses.
 */
// LINK: proc/elf_plan.c proc/script.c lib/random.c

#include <stdlib.h>
#include <string.h>

#include "lib/random.h"
#include "lib/test.h"
#include "proc/exec_plan.h"

enum { MACHINE = 62 /* EM_X86_64 */, NR_HEADERS = 4 };

bool arch_elf_machine_ok(uint16_t machine)
{
	return machine == MACHINE;
}

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr headers[NR_HEADERS];
};

static struct image good_image(void)
{
	return (struct image){
		.head =
			{
				.e_ident = ELFMAG,
				.e_type = ET_DYN,
				.e_machine = MACHINE,
				.e_entry = 0x1000,
				.e_phoff = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = NR_HEADERS,
			},
		.headers =
			{
				{.p_type = PT_LOAD,
					.p_flags = PF_R,
					.p_filesz = 0x800,
					.p_memsz = 0x800,
					.p_align = 0x1000},
				{.p_type = PT_LOAD,
					.p_flags = PF_R | PF_X,
					.p_offset = 0x1000,
					.p_vaddr = 0x1000,
					.p_filesz = 0x1234,
					.p_memsz = 0x1234,
					.p_align = 0x200000},
				{.p_type = PT_LOAD,
					.p_flags = PF_R | PF_W,
					.p_offset = 0x2800,
					.p_vaddr = 0x3800,
					.p_filesz = 0x100,
					.p_memsz = 0x5000,
					.p_align = 0x1000},
				{.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
			},
	};
}

static int plan_of(const struct image *i, struct elf_plan *plan)
{
	int err = elf_check_head(i, sizeof(*i), plan);

	if (err)
		return err;
	if (plan->nr_headers != NR_HEADERS)
		return -ENOEXEC; /* the loader would read others */
	return elf_plan_segments(plan, i->headers);
}

TEST(exec_plan, says_where_everything_goes)
{
	struct image i = good_image();
	struct elf_plan plan;

	REQUIRE(plan_of(&i, &plan) == 0);
	EXPECT_EQ(plan.start, 0);
	EXPECT_EQ(plan.end, 0x9000);
	EXPECT_EQ(plan.brk, 0x8800);
	EXPECT_EQ(plan.align, 0x200000);
	EXPECT_EQ(plan.headers_at, sizeof(Elf64_Ehdr));
	EXPECT_EQ(plan.code_start, 0x1000);
	EXPECT_EQ(plan.code_end, 0x2234);
	EXPECT(!plan.stack_is_exec && !plan.interp);
}

TEST(exec_plan, refuses_what_is_no_program)
{
	struct elf_plan plan;
	struct image i = good_image();

	EXPECT_EQ(elf_check_head(&i, sizeof(Elf64_Ehdr) - 1, &plan), -ENOEXEC);
	i.head.e_ident[1] = 'e';
	EXPECT_EQ(plan_of(&i, &plan), -ENOEXEC);
	i = good_image();
	i.head.e_type = ET_REL;
	EXPECT_EQ(plan_of(&i, &plan), -ENOEXEC);
	i = good_image();
	i.head.e_machine = 3;
	EXPECT_EQ(plan_of(&i, &plan), -ENOEXEC);
	i = good_image();
	i.head.e_phnum = 0;
	EXPECT_EQ(plan_of(&i, &plan), -ENOEXEC);
	i = good_image();
	i.head.e_phentsize++;
	EXPECT_EQ(plan_of(&i, &plan), -ENOEXEC);
}

TEST(exec_plan, refuses_segments_that_cannot_be_mapped)
{
	struct elf_plan plan;
	struct image i = good_image();

	i.headers[1].p_memsz = i.headers[1].p_filesz - 1;
	EXPECT_EQ(plan_of(&i, &plan), -EINVAL);
	i = good_image();
	i.headers[2].p_memsz = ARCH_USER_END;
	EXPECT_EQ(plan_of(&i, &plan), -EINVAL);
	i = good_image();
	i.headers[2].p_vaddr = UINT64_MAX - 0x7ff;
	EXPECT_EQ(plan_of(&i, &plan), -EINVAL);
	i = good_image();
	i.headers[1].p_offset++;
	EXPECT_EQ(plan_of(&i, &plan), -EINVAL);
	i = good_image();
	for (unsigned h = 0; h < NR_HEADERS; h++)
		i.headers[h].p_type = PT_NULL;
	EXPECT_EQ(plan_of(&i, &plan), -EINVAL);
}

/* Every byte, many values: whatever is accepted lies in the user's half. */
TEST(exec_plan, hostile_bytes_never_lead_outside)
{
	struct random r;

	random_seed(&r, 1);
	for (unsigned long n = 0; n < test_rounds(400000); n++) {
		struct image i = good_image();
		uint8_t *bytes = (uint8_t *)&i;
		struct elf_plan plan;

		for (uint64_t changes = 1 + random_below(&r, 4); changes; changes--) {
			uint64_t at = random_below(&r, sizeof(i));

			bytes[at] = random_one_in(&r, 3) ? 0xff : (uint8_t)random_next(&r);
		}
		if (plan_of(&i, &plan))
			continue;
		REQUIRE(plan.start <= plan.end && plan.end <= ARCH_USER_END);
		REQUIRE(plan.brk <= plan.end && plan.brk > plan.start);
		REQUIRE(IS_ALIGNED(plan.start, PAGE_SIZE) && IS_ALIGNED(plan.end, PAGE_SIZE));
		REQUIRE(plan.align >= PAGE_SIZE && (plan.align & (plan.align - 1)) == 0);
		for (unsigned h = 0; h < NR_HEADERS; h++) {
			const Elf64_Phdr *s = &i.headers[h];

			if (s->p_type != PT_LOAD || !s->p_memsz)
				continue;
			REQUIRE(s->p_vaddr >= plan.start);
			REQUIRE(s->p_vaddr + s->p_memsz <= plan.end);
			REQUIRE(s->p_filesz <= s->p_memsz);
		}
	}
}

/* ---- Scripts ---- */

static int parse(const char *text, size_t len, struct script_line *out, char **copy)
{
	int err;

	*copy = malloc(len ? len : 1); /* exactly: a read beyond it is seen */
	memcpy(*copy, text, len);
	err = script_parse(*copy, len, out);
	return err;
}

static void expect_line(const char *text, const char *name, const char *arg)
{
	struct script_line line;
	char *copy;
	int err = parse(text, strlen(text), &line, &copy);

	if (!name) {
		EXPECT_EQ(err, -ENOEXEC);
	} else if (err) {
		EXPECT_EQ(err, 0);
	} else {
		EXPECT_EQ(line.name_len, strlen(name));
		EXPECT(memcmp(line.name, name, line.name_len) == 0);
		EXPECT_EQ(line.arg_len, strlen(arg));
		EXPECT(memcmp(line.arg, arg, line.arg_len) == 0);
	}
	free(copy);
}

TEST(script, name_and_one_argument)
{
	expect_line("#!/bin/sh\n", "/bin/sh", "");
	expect_line("#!/bin/sh", "/bin/sh", "");
	expect_line("#!  /bin/sh \t \nrest", "/bin/sh", "");
	expect_line("#!/usr/bin/env python3\n", "/usr/bin/env", "python3");
	expect_line("#! /usr/bin/env  -S a b  c \t\n", "/usr/bin/env", "-S a b  c");
	expect_line("#!\n/bin/sh\n", NULL, NULL);
	expect_line("#!   ", NULL, NULL);
	expect_line("#!", NULL, NULL);
	expect_line("#", NULL, NULL);
	expect_line("/bin/sh", NULL, NULL);
}

TEST(script, long_lines_are_cut_in_the_argument_and_refused_in_the_name)
{
	char text[600];
	struct script_line line;
	char *copy;

	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/bin/sh ", 10);
	EXPECT_EQ(parse(text, sizeof(text), &line, &copy), 0);
	EXPECT_EQ(line.name_len, 7);
	EXPECT_EQ(line.arg_len, 255 - 10);
	free(copy);
	text[9] = 'x';
	EXPECT_EQ(parse(text, sizeof(text), &line, &copy), -ENOEXEC);
	free(copy);
}

TEST(script, random_heads_stay_inside)
{
	static const char letters[] = "#!/ \t\nab";
	struct random r;

	random_seed(&r, 2);
	for (unsigned long n = 0; n < test_rounds(100000); n++) {
		char text[300];
		size_t len = random_below(&r, sizeof(text));
		struct script_line line;
		char *copy;

		for (size_t i = 0; i < len; i++)
			text[i] = letters[random_below(&r, sizeof(letters))];
		if (len >= 2 && !random_one_in(&r, 8))
			memcpy(text, "#!", 2);
		if (parse(text, len, &line, &copy) == 0) {
			REQUIRE(line.name_len > 0 && line.name >= copy + 2);
			REQUIRE(line.name + line.name_len <= copy + len);
			REQUIRE(line.arg >= copy && line.arg + line.arg_len <= copy + len);
		}
		free(copy);
	}
}
