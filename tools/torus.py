# SPDX-License-Identifier: MIT
"""The commands of ./torus. Each prints what it runs when asked with --print."""
import argparse
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import debian  # noqa: E402
import pack  # noqa: E402
import qemu  # noqa: E402

ROOT = qemu.ROOT


def build(*targets, debug="0"):
    """Builds by make, quietly; a failure shows make's own output and ends the program."""
    done = subprocess.run(["make", "-s", "-C", ROOT, f"DEBUG={debug}", *targets], env=qemu.clean_env(),
                          stdout=sys.stderr)
    if done.returncode:
        sys.exit(done.returncode)


def kernel_path(args):
    if args.kernel:
        return args.kernel
    debug = {"release": "0", "debug": "1", "kasan": "kasan"}[args.variant]
    if not args.print:
        build("all", debug=debug)
    return os.path.join(ROOT, "build/x86_64", args.variant, "torus")


def guest(args, **more):
    """The QEMU command of these options."""
    accel = qemu.best_accel() if args.accel == "auto" else args.accel
    append = " ".join(["console=ttyS0"] + args.append)
    return qemu.command(kernel=kernel_path(args), machine=args.machine, memory=args.memory, cpus=args.smp,
                        append=append, initrd=args.initrd, accel=accel, cpu=args.cpu, **more)


def show(argv):
    print(" ".join(shlex.quote(word) for word in argv))


def run(args):
    """What the machine starts: a program, a root filesystem, an initrd, or a shell."""
    if args.bare or args.initrd:
        if args.program:
            sys.exit("torus: a program needs the initramfs that --initrd and --bare replace; --rootfs takes a folder or a tar")
        return run_interactively(args)
    quiet = [] if any(word.startswith(("loglevel", "quiet", "strace")) for word in " ".join(args.append).split()) else ["quiet"]
    with tempfile.NamedTemporaryFile(suffix=".cpio") as image:
        exact = bool(args.program) and not os.isatty(1)
        if not args.print:
            build("build/user/init")
            stdin = own_stdin() if args.program else None
            try:
                image.write(pack.initramfs(init=os.path.join(ROOT, "build/user/init"), argv=args.program, rootfs=args.rootfs,
                                           stdin=stdin, exact=exact, add=args.add))
            except (pack.Missing, debian.Unavailable, OSError) as why:
                sys.exit(f"torus: {why}")
            image.flush()
        args.initrd = image.name
        if not (args.rootfs and not args.program):
            args.append = [*quiet, "rdinit=/torus/init", "exit=qemu", *args.append]
        elif not os.path.lexists(os.path.join(args.rootfs, "init")) and os.path.isdir(args.rootfs):
            args.append = ["rdinit=/sbin/init", *args.append]
        if args.program:
            return run_program(args)
        run_interactively(args)


def own_stdin():
    """What a file or a pipe gives to the program; None: the program's input is the terminal."""
    mode = os.fstat(0).st_mode
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        return sys.stdin.buffer.read()
    return None if os.isatty(0) else b""


def run_interactively(args):
    log = os.path.join(ROOT, "build", "run.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    argv = guest(args, serial=f"stdio,id=serial,mux=on,signal=off,logfile={log}", monitor="chardev:serial")
    if args.print:
        return show(argv)
    print(f"torus: {args.kernel or args.variant + ' kernel'}, {args.smp} CPUs, {args.memory}, {argv[argv.index('-accel') + 1]}; "
          f"Ctrl-A X quits; log in {os.path.relpath(log)}", file=sys.stderr)
    status = subprocess.run(argv).returncode
    sys.exit(0 if status == qemu.EXIT_OK else status)


def run_program(args):
    """Passes the program's output through, byte by byte, and ends with its exit status."""
    argv = guest(args, serial="stdio,id=serial,mux=on,signal=off" if os.isatty(0) else "stdio,id=serial,signal=off",
                 monitor="chardev:serial" if os.isatty(0) else None)
    if args.print:
        return show(argv)
    machine = subprocess.Popen(argv, stdin=None if os.isatty(0) else subprocess.DEVNULL, stdout=subprocess.PIPE)
    status = pass_output(machine.stdout)
    machine.wait()
    if status is None:
        sys.exit(f"torus: the machine ended ({machine.returncode}) before the program's exit status was known")
    sys.exit(status)


def pass_output(source):
    """Copies to our standard output until init's mark; the exit status in it, or None. What follows the mark
    is the kernel's: the log."""
    held, status = b"", None
    while data := os.read(source.fileno(), 65536):
        if status is not None:
            continue
        held += data
        at = held.find(pack.EXIT_MARK)
        if at >= 0:
            end = held.find(b"\x1e", at + len(pack.EXIT_MARK))
            if end >= 0:
                status = int(held[at + len(pack.EXIT_MARK):end])
                show_bytes(held[:at])
            continue
        keep = next((n for n in range(len(pack.EXIT_MARK), 0, -1) if held.endswith(pack.EXIT_MARK[:n])), 0)
        show_bytes(held[:len(held) - keep])
        held = held[len(held) - keep:]
    if status is None:
        show_bytes(held)
    return status


def show_bytes(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def debug(args):
    """QEMU stopped before its first instruction, and gdb attached to it."""
    if args.variant == "release":
        args.variant = "debug"
    log = os.path.join(ROOT, "build", "debug.log")
    with tempfile.TemporaryDirectory() as scratch:
        socket = os.path.join(scratch, "gdb")
        args.append.append("nokaslr")
        argv = guest(args, serial=f"file,id=serial,path={log}",
                     extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"])
        gdb = ["gdb", "-q", "-ex", f"target remote {socket}"]
        helpers = os.path.join(ROOT, "tools/gdb/torus.py")
        if os.path.exists(helpers):
            gdb += ["-x", helpers]
        gdb.append(argv[argv.index("-kernel") + 1])
        if args.print:
            show(argv)
            return show(gdb)
        print(f"torus: serial log in {log}", file=sys.stderr)
        machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        try:
            while not os.path.exists(socket) and machine.poll() is None:
                pass
            subprocess.run(gdb)
        finally:
            machine.terminate()
            machine.wait()


GRUB_CONFIG = """set timeout=0
insmod all_video
set gfxpayload=keep
serial --unit=0 --speed=115200
terminal_output console serial
menuentry "Torus" {{
	multiboot2 /boot/torus {append}
{modules}	boot
}}
"""


def make_iso(kernel, out, append, initrd=None):
    """A hybrid ISO that GRUB boots from BIOS and UEFI, by Multiboot2."""
    with tempfile.TemporaryDirectory() as scratch:
        boot = os.path.join(scratch, "boot")
        os.makedirs(os.path.join(boot, "grub"))
        subprocess.run(["objcopy", "--strip-debug", kernel, os.path.join(boot, "torus")], check=True)
        if initrd:
            shutil.copy(initrd, os.path.join(boot, "initrd"))
        modules = "\tmodule2 /boot/initrd\n" if initrd else ""
        with open(os.path.join(boot, "grub/grub.cfg"), "w") as f:
            f.write(GRUB_CONFIG.format(append=append, modules=modules))
        os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
        done = subprocess.run(["grub-mkrescue", "-o", out, scratch], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"grub-mkrescue failed:\n{done.stdout}")


def image(args):
    out = args.output or os.path.join(ROOT, "build/x86_64/torus.iso")
    make_iso(kernel_path(args), out, " ".join(["console=ttyS0"] + args.append), args.initrd)
    print(out)


def test(args):
    words = (["--full"] if args.full else []) + args.pattern
    runner = os.path.join(ROOT, "tests/run")
    os.execv(runner, [runner] + words)


def bench(args):
    runner = os.path.join(ROOT, "bench/run")
    if not os.path.exists(runner):
        sys.exit("torus: there are no benchmarks yet (bench/run)")
    build("all")
    os.execv(runner, [runner] + args.args)


def main():
    parser = argparse.ArgumentParser(prog="torus", description="Builds, runs, tests and debugs Torus.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    boot = argparse.ArgumentParser(add_help=False)
    boot.add_argument("-m", "--memory", default="256M", help="RAM, as QEMU's -m (256M)")
    boot.add_argument("--smp", type=int, default=4, help="CPUs (4)")
    boot.add_argument("--append", action="append", default=[], help="words for the kernel command line")
    boot.add_argument("--initrd", help="an initial RAM disk")
    boot.add_argument("--kernel", help="this image instead of a fresh build")
    boot.add_argument("--machine", default="q35", help="q35, pc, microvm, or what QEMU's -machine takes")
    boot.add_argument("--cpu", help="QEMU's -cpu (max; host under KVM)")
    boot.add_argument("--accel", default="auto", choices=["auto", "kvm", "tcg"], help="auto: KVM if it works")
    boot.add_argument("--variant", default="release", choices=["release", "debug", "kasan"], help="which build")
    boot.add_argument("--debug", dest="variant", action="store_const", const="debug", help="the debug kernel")
    boot.add_argument("--print", action="store_true", help="show the commands instead of running them")

    sub = commands.add_parser("run", parents=[boot], help="run a program, a root filesystem or a shell in QEMU",
                              description="Runs PROGRAM of this machine, with the loader and libraries that it needs, on Torus in QEMU: "
                              "its output comes out unchanged, and its exit status is that of this command (128 + n after signal n). "
                              "Without PROGRAM: the init of --rootfs or --initrd, or a shell (busybox).")
    sub.add_argument("--rootfs", metavar="DIR|TAR", help="the root filesystem; PROGRAM is a path inside it")
    sub.add_argument("--add", action="append", default=[], metavar="HOST[:GUEST]", help="a file or folder to put beside the program")
    sub.add_argument("--bare", action="store_true", help="no programs: the kernel alone, with its own console")
    sub.add_argument("program", nargs="*", metavar="-- PROGRAM ARGUMENT", help="what to run")
    commands.add_parser("debug", parents=[boot], help="boot under gdb, stopped at the first instruction")
    sub = commands.add_parser("image", parents=[boot], help="write a hybrid ISO for BIOS and UEFI")
    sub.add_argument("-o", "--output", help="where (build/x86_64/torus.iso)")
    sub = commands.add_parser("test", help="run the tests whose name matches a pattern, or all")
    sub.add_argument("--full", action="store_true", help="the slow ones too")
    sub.add_argument("pattern", nargs="*", help="such as 'mm.*' or 'boot.pvh_*'")
    sub = commands.add_parser("bench", help="run the benchmarks")
    sub.add_argument("args", nargs=argparse.REMAINDER, help="arguments of bench/run")

    args = parser.parse_args()
    {"run": run, "debug": debug, "image": image, "test": test, "bench": bench}[args.command](args)


main()
