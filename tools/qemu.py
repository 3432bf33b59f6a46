# SPDX-License-Identifier: MIT
"""The only place that starts an emulator: QEMU's and Bochs' command lines, and whether KVM works.

Every QEMU guest gets -no-reboot (a triple fault ends it), its serial line in a log, and the exit
device of kernel/debug/exit.h, which turns a write of v into exit status 2v + 1.
"""
import os
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QEMU = "qemu-system-x86_64"
OVMF = "/usr/share/ovmf/OVMF.fd"
EXIT_DEVICE = "isa-debug-exit,iobase=0xf4,iosize=4"

# Exit statuses of QEMU that the kernel chooses (kernel/debug/exit.h, 2v + 1).
EXIT_OK, EXIT_FAILED, EXIT_PANIC, EXIT_HUNG = 33, 35, 37, 39

# A boot sector that writes EXIT_OK's value to the exit device:
#     mov dx, 0xf4; mov al, 0x10; out dx, al; hlt
PROBE_SECTOR = bytes.fromhex("baf400b010eef4").ljust(510, b"\0") + b"\x55\xaa"
PROBE_SECONDS = 15


# A guest with more memory than this gets it without asking the host to promise it: untouched pages
# cost nothing, and a host of 16 GiB can run a guest of 64.
UNRESERVED_FROM = 4 << 30


def size_of(memory):
    """Bytes of "128M", "16G"; a number alone is MiB, as for QEMU's -m."""
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(memory[-1].upper())
    return int(memory[:-1]) * unit if unit else int(memory) << 20


def clean_env():
    """The environment without what an outer make put there for its own children."""
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH", "CC", "DEBUG", "TESTS", "V")
    return {name: value for name, value in os.environ.items() if name not in outer}


def command(*, kernel=None, iso=None, machine="q35", memory="256M", cpus=4, append="", initrd=None,
            accel="tcg", cpu=None, uefi=False, serial, monitor=None, extra=()):
    """QEMU's argument list. `serial` is the value of a -chardev with id=serial."""
    if size_of(memory) > UNRESERVED_FROM:
        machine += ",memory-backend=ram"
        extra = ["-object", f"memory-backend-ram,id=ram,size={memory},reserve=off", *extra]
    argv = [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-machine", machine, "-accel", accel,
            "-cpu", cpu or ("host" if accel == "kvm" else "max"), "-smp", str(cpus), "-m", memory,
            "-display", "none", "-chardev", serial, "-serial", "chardev:serial", "-device", EXIT_DEVICE]
    if uefi:
        argv += ["-bios", OVMF]
    if kernel:
        argv += ["-kernel", kernel, "-append", append]
    if initrd:
        argv += ["-initrd", initrd]
    if iso:
        argv += ["-cdrom", iso, "-boot", "d"]
        # GRUB needs a screen for its own messages, and UEFI's GOP comes from it.
        argv += ["-device", "VGA"]
    if monitor:
        argv += ["-monitor", monitor]
    return argv + list(extra)


def bochs_config(*, iso, log, memory_mib, cpus, model):
    """A bochsrc without a display, the serial line in `log`."""
    share = "/usr/share/bochs"
    return "\n".join([
        f"megs: {memory_mib}",
        f"cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0",
        f"romimage: file={share}/BIOS-bochs-latest", "vgaromimage: file=/usr/share/vgabios/vgabios.bin",
        "vga: extension=none", # GRUB 2.06 crashes when it sets a VESA mode here, and it would: we ask for a frame buffer
        "display_library: rfb, options=\"timeout=0\"",
        f"ata0-master: type=cdrom, path={iso}, status=inserted", "boot: cdrom",
        f"com1: enabled=1, mode=file, dev={log}", f"log: {log}.bochs", "panic: action=fatal",
        "plugin_ctrl: speaker=0, gameport=0, parallel=0, usb_uhci=0", ""])


def bochs_command(config):
    """Debian's Bochs starts in its debugger: the commands in config.rc tell it to go on."""
    with open(config + ".rc", "w") as f:
        f.write("continue\n")
    return ["bochs", "-q", "-f", config, "-rc", config + ".rc"]


def kvm_is_offered():
    """Whether /proc/cpuinfo and /dev/kvm say that there is KVM: necessary, and proves nothing."""
    with open("/proc/cpuinfo") as f:
        flags = next((line.split() for line in f if line.startswith("flags")), [])
    return ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def probe(accel):
    """Whether a guest comes up: runs PROBE_SECTOR, which ends QEMU with EXIT_OK."""
    with tempfile.TemporaryDirectory() as scratch:
        disk = os.path.join(scratch, "probe.img")
        with open(disk, "wb") as f:
            f.write(PROBE_SECTOR.ljust(1440 * 1024, b"\0"))
        argv = command(machine="pc", memory="16M", cpus=1, accel=accel, serial="null,id=serial",
                       extra=["-drive", f"if=floppy,format=raw,file={disk}", "-boot", "a"])
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=PROBE_SECONDS)
        except (subprocess.TimeoutExpired, OSError):
            return False
        return done.returncode == EXIT_OK


def best_accel():
    """"kvm" when a guest really comes up under it, "tcg" otherwise. Asked once per host boot."""
    if not kvm_is_offered():
        return "tcg"
    with open("/proc/sys/kernel/random/boot_id") as f:
        boot_id = f.read().strip()
    cache = os.path.join(ROOT, "build", "kvm-probe")
    try:
        with open(cache) as f:
            seen_boot, answer = f.read().split()
        if seen_boot == boot_id:
            return answer
    except (OSError, ValueError):
        pass
    answer = "kvm" if probe("kvm") else "tcg"
    os.makedirs(os.path.dirname(cache), exist_ok=True)
    with open(cache, "w") as f:
        f.write(f"{boot_id} {answer}\n")
    return answer
