// SPDX-License-Identifier: MIT
/*
 * Programs that are damaged: every byte of every header of a small ELF file takes hostile values,
 * and the file ends at every length. execve answers with an errno, or the program runs, or is
 * killed: each the same as on Linux, and nothing else happens.
 *
 * Each file is run by a child of vfork(). The programs do no more than exit(7).
 */
#include "guest.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/elf.h>

enum { FILE_SIZE = 0x2000, CODE_AT = 0x1000, BASE = 0x400000, STATUS = 7 };

/* mov $60, %eax; mov $7, %edi; syscall; ud2 */
static const uint8_t code[] = {
	0xb8, 60, 0, 0, 0, 0xbf, STATUS, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b};

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr parts[3];
	char interpreter[32];
} __attribute__((packed));

static uint8_t file[FILE_SIZE];

/* With an interpreter, the program at "plain" is it. */
static size_t make(uint16_t type, bool has_interpreter)
{
	uint64_t base = type == ET_EXEC ? BASE : 0;
	struct image image = {
		.head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = type,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = base + CODE_AT,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = has_interpreter ? 3 : 2},
		.parts = {{.p_type = PT_LOAD,
				  .p_flags = PF_R | PF_W | PF_X,
				  .p_offset = 0,
				  .p_vaddr = base,
				  .p_filesz = FILE_SIZE,
				  .p_memsz = FILE_SIZE,
				  .p_align = 0x1000},
			{.p_type = PT_LOAD,
				.p_flags = PF_R | PF_W,
				.p_offset = CODE_AT,
				.p_vaddr = base + 0x5000,
				.p_filesz = 16,
				.p_memsz = 0x2000,
				.p_align = 0x1000},
			{.p_type = PT_INTERP,
				.p_flags = PF_R,
				.p_offset = offsetof(struct image, interpreter),
				.p_filesz = sizeof("plain"),
				.p_memsz = sizeof("plain"),
				.p_align = 1}},
		.interpreter = "plain",
	};

	memset(file, 0, sizeof(file));
	memcpy(file, &image, sizeof(image));
	memcpy(file + CODE_AT, code, sizeof(code));
	return offsetof(struct image, interpreter) - (has_interpreter ? 0 : sizeof(Elf64_Phdr));
}

static void write_file(const char *path, size_t len)
{
	int fd = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));

	CHECK_EQ(write(fd, file, len), len);
	CHECK_OK(close(fd));
}

/* One letter: what came of executing it. */
static char outcome(const char *path)
{
	static volatile int error;
	int status;
	pid_t pid;

	error = 0;
	pid = vfork();
	if (pid == 0) {
		alarm(5);
		execve(path, (char *[]){"x", NULL}, (char *[]){NULL});
		error = errno;
		_exit(1);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	switch (error) {
	case 0:
		break;
	case ENOEXEC:
		return 'x';
	case ENOMEM:
		return 'm';
	case EINVAL:
		return 'v';
	case EIO:
		return 'i';
	case ENOENT:
		return 'n';
	case EACCES:
		return 'a';
	case E2BIG:
		return 'b';
	case ELIBBAD:
		return 'l';
	default:
		FAIL("execve: %s", errno_name(error));
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == STATUS ? '.' : '!';
	switch (WTERMSIG(status)) {
	case SIGSEGV:
		return 'S';
	case SIGKILL:
		return 'K';
	case SIGBUS:
		return 'B';
	case SIGILL:
		return 'I';
	case SIGTRAP:
		return 'T';
	case SIGFPE:
		return 'F';
	default:
		FAIL("killed by signal %d", WTERMSIG(status));
	}
}

/*
 * The upper bytes of p_vaddr: whether such a place is free depends on the machine's memory and on
 * how many bits an address has, and what of two segments in one place is seen on the kernel's
 * way to load them; so what came is not shown.
 */
static bool is_far_place(size_t at)
{
	size_t in_part = (at - sizeof(Elf64_Ehdr)) % sizeof(Elf64_Phdr);

	return at > sizeof(Elf64_Ehdr) && in_part >= offsetof(Elf64_Phdr, p_vaddr) + 1 &&
	       in_part < offsetof(Elf64_Phdr, p_paddr);
}

/* Each header byte of the file in `path` with each value; "p" is executed. Eight bytes a line. */
static void damage_each_byte(const char *path, size_t headers, size_t spared)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	CHECK_EQ(outcome("p"), '.');
	for (size_t at = 0; at < headers; at += 8) {
		char line[8 * (sizeof(values) + 1) + 1];
		int len = 0;

		for (size_t i = at; i < at + 8; i++) {
			uint8_t was = file[i];

			line[len++] = ' ';
			for (size_t k = 0; k < sizeof(values) && i / 2 != spared / 2; k++) {
				file[i] = values[k];
				write_file(path, FILE_SIZE);
				line[len] = outcome("p");
				if (is_far_place(i))
					line[len] = '?';
				len++;
			}
			file[i] = was;
		}
		line[len] = 0;
		SHOW("byte %zu:%s", at, line);
	}
}

TEST_WITHIN(hostile_elf, each_header_byte_of_a_program, 240)
{
	size_t headers = make(ET_EXEC, false);

	write_file("p", FILE_SIZE);
	damage_each_byte("p", headers, SIZE_MAX);
}

TEST_WITHIN(hostile_elf, each_header_byte_of_a_program_with_an_interpreter, 240)
{
	size_t headers;

	make(ET_EXEC, false);
	write_file("plain", FILE_SIZE);
	headers = make(ET_DYN, true);
	write_file("p", FILE_SIZE);
	damage_each_byte("p", headers, SIZE_MAX);
}

/* The type is spared: of a wrong one Linux tells by a SIGSEGV, Torus by ELIBBAD. */
TEST_WITHIN(hostile_elf, each_header_byte_of_an_interpreter, 240)
{
	size_t headers;

	make(ET_DYN, true);
	write_file("p", FILE_SIZE);
	headers = make(ET_DYN, false);
	write_file("plain", FILE_SIZE);
	damage_each_byte("plain", headers, offsetof(Elf64_Ehdr, e_type));
}

TEST_WITHIN(hostile_elf, each_length, 240)
{
	char line[65];
	int len = 0;

	make(ET_EXEC, false);
	write_file("plain", FILE_SIZE);
	make(ET_DYN, true);
	for (size_t size = 0; size <= sizeof(struct image); size++) {
		write_file("p", size);
		line[len++] = outcome("p");
		if (len == 64 || size == sizeof(struct image)) {
			line[len] = 0;
			SHOW("to %zu: %s", size, line);
			len = 0;
		}
	}
	for (size_t size = CODE_AT - 8; size <= CODE_AT + sizeof(code); size++) {
		write_file("p", size);
		line[len++] = outcome("p");
	}
	line[len] = 0;
	SHOW("code: %s", line);
}

/* ---- What single bytes do not make ---- */

static struct image *image(void)
{
	return (struct image *)file;
}

static void overlap_exactly(void)
{
	image()->parts[1].p_vaddr = image()->parts[0].p_vaddr;
}

static void overlap_by_a_page(void)
{
	image()->parts[1].p_vaddr = image()->parts[0].p_vaddr + 0x1000;
}

static void first_above_second(void)
{
	Elf64_Phdr first = image()->parts[0];

	image()->parts[0] = image()->parts[1];
	image()->parts[1] = first;
}

static void end_at_the_top(void)
{
	image()->parts[1].p_memsz = 0x7ffffffff000 - image()->parts[1].p_vaddr;
}

static void end_beyond_the_top(void)
{
	image()->parts[1].p_memsz = 0x7ffffffff000;
}

static void end_wraps_around(void)
{
	image()->parts[1].p_memsz = -image()->parts[1].p_vaddr + 0x1000;
}

static void size_all_ones(void)
{
	image()->parts[1].p_memsz = -1;
}

static void file_size_all_ones(void)
{
	image()->parts[1].p_filesz = -1;
}

static void file_part_beyond_memory(void)
{
	image()->parts[1].p_filesz = 0x3000;
	image()->parts[1].p_memsz = 0x1000;
}

static void offset_beyond_the_file(void)
{
	image()->parts[1].p_offset = 0x100000;
}

static void offset_below_zero(void)
{
	image()->parts[1].p_offset = -0x1000;
}

static void offset_not_as_address(void)
{
	image()->parts[1].p_offset += 8;
}

static void no_size_at_all(void)
{
	image()->parts[1].p_filesz = image()->parts[1].p_memsz = 0;
}

static void only_zeroes(void)
{
	image()->parts[1].p_filesz = 0;
	image()->parts[1].p_memsz = 0x100000;
}

static void align_none(void)
{
	image()->parts[0].p_align = image()->parts[1].p_align = 0;
}

static void align_odd(void)
{
	image()->parts[0].p_align = image()->parts[1].p_align = 0x1001;
}

static void align_huge(void)
{
	image()->parts[0].p_align = 1ull << 46;
}

static void align_top_bit(void)
{
	image()->parts[0].p_align = 1ull << 63;
}

static void no_rights(void)
{
	image()->parts[1].p_flags = 0;
}

static void entry_in_data(void)
{
	image()->parts[1].p_flags = PF_R;
	image()->head.e_entry = image()->parts[1].p_vaddr;
}

static void entry_nowhere(void)
{
	image()->head.e_entry = 0x10;
}

static void entry_in_the_kernel(void)
{
	image()->head.e_entry = 0xffffffff81000000;
}

static void headers_many(void)
{
	image()->head.e_phnum = 0xffff;
}

static void headers_none(void)
{
	image()->head.e_phnum = 0;
}

static void headers_at_the_end(void)
{
	image()->head.e_phoff = FILE_SIZE - sizeof(Elf64_Phdr);
}

static void headers_before_the_start(void)
{
	image()->head.e_phoff = -64;
}

static void loads_none(void)
{
	image()->parts[0].p_type = image()->parts[1].p_type = PT_NOTE;
}

static const struct {
	const char *name;
	void (*damage)(void);
} segments[] = {
#define CASE(what)                                                                             \
	{                                                                                      \
#what, what                                                                    \
	}
	CASE(overlap_exactly),
	CASE(overlap_by_a_page),
	CASE(first_above_second),
	CASE(end_at_the_top),
	CASE(end_beyond_the_top),
	CASE(end_wraps_around),
	CASE(size_all_ones),
	CASE(file_size_all_ones),
	CASE(file_part_beyond_memory),
	CASE(offset_beyond_the_file),
	CASE(offset_below_zero),
	CASE(offset_not_as_address),
	CASE(no_size_at_all),
	CASE(only_zeroes),
	CASE(align_none),
	CASE(align_odd),
	CASE(align_huge),
	CASE(align_top_bit),
	CASE(no_rights),
	CASE(entry_in_data),
	CASE(entry_nowhere),
	CASE(entry_in_the_kernel),
	CASE(headers_many),
	CASE(headers_none),
	CASE(headers_at_the_end),
	CASE(headers_before_the_start),
	CASE(loads_none),
};

TEST_WITHIN(hostile_elf, odd_segments, 60)
{
	for (size_t i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
		char fixed, moved;

		make(ET_EXEC, false);
		segments[i].damage();
		write_file("p", FILE_SIZE);
		fixed = outcome("p");
		make(ET_DYN, false);
		segments[i].damage();
		write_file("p", FILE_SIZE);
		moved = outcome("p");
		SHOW("%s: %c %c", segments[i].name, fixed, moved);
	}
}

/* A program whose interpreter is at `path`, of which so many bytes count. */
static char with_interpreter(const char *path, size_t bytes)
{
	make(ET_DYN, true);
	memset(image()->interpreter, 0, sizeof(image()->interpreter));
	strcpy(image()->interpreter, path);
	image()->parts[2].p_filesz = bytes;
	write_file("p", FILE_SIZE);
	return outcome("p");
}

TEST_WITHIN(hostile_elf, odd_interpreters, 60)
{
	char at_end;

	make(ET_EXEC, false);
	write_file("plain", FILE_SIZE);
	CHECK_OK(mkdir("folder", 0755));
	CHECK_OK(mkfifo("fifo", 0755));
	CHECK_OK(symlink("loop", "loop"));
	put_file("script", "#!./plain\n");
	CHECK_OK(chmod("script", 0755));
	put_file("empty", "");
	CHECK_OK(chmod("empty", 0755));
	put_file("forbidden", "");
	CHECK_OK(chmod("forbidden", 0644));
	SHOW("good: %c", with_interpreter("plain", 6));
	SHOW("itself: %c", with_interpreter("p", 2));
	SHOW("nothing: %c", with_interpreter("", 1));
	SHOW("no bytes: %c", with_interpreter("plain", 0));
	SHOW("without its end: %c", with_interpreter("plain", 5));
	SHOW("with more behind: %c", with_interpreter("plain", 10));
	SHOW("too long: %c", with_interpreter("plain", 4097));
	SHOW("all ones: %c", with_interpreter("plain", -1));
	SHOW("missing: %c", with_interpreter("missing", 8));
	SHOW("folder: %c", with_interpreter("folder", 7));
	SHOW("fifo: %c", with_interpreter("fifo", 5));
	SHOW("script: %c", with_interpreter("script", 7));
	SHOW("empty: %c", with_interpreter("empty", 6));
	SHOW("forbidden: %c", with_interpreter("forbidden", 10));
	make(ET_DYN, true);
	image()->parts[2].p_offset = FILE_SIZE - 3;
	write_file("p", FILE_SIZE);
	at_end = outcome("p");
	SHOW("over the end of the file: %c", at_end);
	make(ET_DYN, true);
	image()->parts[1] = image()->parts[2]; /* two of them: the first counts */
	image()->parts[2].p_offset = 0;
	write_file("p", FILE_SIZE);
	SHOW("two: %c", outcome("p"));
}
