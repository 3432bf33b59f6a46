# SPDX-License-Identifier: MIT
"""Mistakes made on purpose (`crash=`, kernel/debug/crash.c): each must be called by its name, with
the right backtrace and the exit status of a panic. A mistake that only a debug kernel sees must
be seen there."""
from cases import EXIT_HUNG, EXIT_PANIC, Boot

TRACE = r"backtrace of CPU \d+:"
BY = r"crash_main\+0x"
OTHER = r"CPU [01]: thread (boot|idle/00[01]|console), interrupts o"  # whichever does not run the crash


def recognised(crash, says, expect, variants=("debug", "release"), status=EXIT_PANIC, append="", **more):
    for variant in variants:
        Boot(f"crash.{crash}" + ("" if variant == variants[0] else f"_{variant}"), f"{says} ({variant} kernel)",
             variant=variant, cpus=more.pop("cpus", 2), append=f"crash={crash} {append}".strip(), status=status,
             expect=[rf"crash: {crash}", *expect, r"end of panic"], reject=[r"nothing stopped it"], **more)


recognised("panic", "a panic stops the other CPU and shows every backtrace",
        [r"panic: crash on request", TRACE, r"crash_panic\+0x", BY, r"thread_main\+0x", OTHER])
recognised("assert", "a failed assertion shows its text and place",
        [r"panic: assertion failed: one == 2 \(kernel/debug/crash\.c:\d+\)", TRACE, r"crash_assert\+0x"])
recognised("null", "a null dereference is called one",
        [r"panic: null dereference: crash_null\+0x\w+ wrote address 0", r"vector 14 error 2", TRACE, r"crash_null\+0x"])
recognised("wildjump", "a jump into data is called a wild jump",
        [r"panic: wild jump: to 0x\w+, which is data, not code", r"vector 14 error 11", TRACE, r"crash_wildjump\.data\+0",
         r"thread_main\+0x"])
recognised("writetext", "a write to code is called one",
        [r"panic: write to read-only code: crash_writetext\+0x\w+ wrote 0x", r"vector 14 error 3", TRACE, r"crash_writetext\+0x"])
recognised("stackoverflow", "endless recursion is called a stack overflow, and the backtrace shows it",
        [r"panic: stack overflow: thread crash, stack 0x\w+-0x\w+, touched 0x", TRACE] + [r"recurse\+0x"] * 5)
recognised("doublefault", "a double fault is reported on a stack of its own",
        [r"panic: double fault: stack pointer 0x", r"vector 8 ", TRACE, r"arch_context_switch\+0x", BY])
recognised("deadlock", "locks taken in the wrong order are reported by name, with who holds what",
        [r"panic: lock order: crash-outer \(rank \d+\) at crash_deadlock\+0x\w+: a lock of a higher rank is held: "
         r"crash-inner \(rank \d+\) since crash_deadlock", TRACE, r"crash_deadlock\+0x", r"locks of CPU \d, thread crash",
         r"holds crash-inner", r"last [1-9]\d* trace entries", r"CPU \d switch: thread \d+ -> \d+"], variants=("debug",))
recognised("ubsan", "a signed overflow is called undefined behaviour",
        [r"panic: undefined behaviour: 2147483647 \+ 1 does not fit 'int' \(kernel/debug/crash\.c:\d+:\d+\)", TRACE,
         r"crash_ubsan\+0x"], variants=("debug",))
recognised("uaf", "a read of freed memory is called use after free",
        [r"kasan: use-after-free in crash_uaf\+0x\w+: read of 1 bytes at 0x", r"byte 8 of a mem-64 object", r"allocated by",
         r"crash_uaf\+0x", r"freed by", r"crash_uaf\+0x", r"panic: kasan: use-after-free", TRACE, r"crash_uaf\+0x"],
        variants=("kasan",))
recognised("hang", "the watchdog finds a CPU that holds preemption off",
        [r"watchdog: CPU \d holds preemption off for \d+ ms", r"panic: watchdog: CPU \d", TRACE, r"crash_hang\+0x"],
        status=EXIT_HUNG, append="watchdog=1,panic")
recognised("hardhang", "the watchdog finds a CPU that takes no interrupts, from another",
        [r"watchdog: CPU \d takes no interrupts for \d+ ms", r"panic: watchdog: CPU \d", r"CPU \d: thread crash, interrupts off",
         r"crash_hardhang\+0x"], status=EXIT_HUNG, append="watchdog=1,panic")
