# SPDX-License-Identifier: MIT
"""Commands for gdb, loaded by `make debug`. They read the kernel's own structures, and stop at nothing.

    kps            every thread: state, CPU, where it is
    klocks         what each CPU and each thread holds or waits for (debug kernel)
    klog [N]       the last N lines of the log (all)
    kpages         free pages by zone and order
"""
import gdb

THREAD_STATES = ("ready", "running", "blocking", "blocked", "changing", "dead")  # enum thread_state
POINTER = 8
ADDRESSES = 1 << 64
OF_THE_SCHEDULER = ("sched_", "runq_", "arch_context")


def value(expression):
    return gdb.parse_and_eval(expression)


def symbol(address):
    """"name+0x12" of an address, or the number."""
    text = gdb.execute(f"info symbol {int(address):#x}", to_string=True)
    return text.split(" in section")[0].replace(" ", "") if " in section" in text else f"{int(address):#x}"


def owner(node, type_name, member):
    """container_of"""
    kind = gdb.lookup_type(type_name)
    offset = next(field.bitpos // 8 for field in kind.fields() if field.name == member)
    return gdb.Value(int(node) - offset).cast(kind.pointer()).dereference()


def nodes(head):
    """The nodes of a struct list."""
    end, node = int(head["head"].address), head["head"]["next"]
    while int(node) and int(node) != end:
        yield node
        node = node["next"]


def cpus():
    """struct cpu of each CPU that exists."""
    array = value("cpus")
    for index in range(array.type.range()[1] + 1):
        if int(array[index]):
            yield array[index].dereference()


def percpu(name, file, cpu):
    """The copy of a PERCPU variable that this CPU has."""
    own = value(f"'{file}'::{name}")
    return gdb.Value((int(own.address) + int(cpu["percpu_offset"])) % ADDRESSES).cast(own.type.pointer()).dereference()


def threads():
    """All threads: around the circle from one that a CPU runs; the head of the list is no thread."""
    first = next((cpu["current"].dereference() for cpu in cpus() if int(cpu["current"])), None)
    if first is None:
        return
    start = node = first["all_link"].address
    while True:
        if "in section" not in gdb.execute(f"info symbol {int(node):#x}", to_string=True) or node == start:
            yield owner(node, "struct thread", "all_link")
        node = node.dereference()["next"]
        if int(node) in (0, int(start)):
            return


class Threads(gdb.Command):
    """Every thread: number, state, CPU, name, where it is."""

    def __init__(self):
        super().__init__("kps", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        for thread in threads():
            state = THREAD_STATES[int(thread["state"])]
            where = ""
            if state != "running" and "rsp" in [field.name for field in thread["ctx"].type.fields()]:
                where = self.return_address(int(thread["ctx"]["rsp"]), thread)
            print(f"{int(thread['id']):5} {state:8} cpu {int(thread['cpu']):3}  {thread['name'].string():24} {where}")

    @staticmethod
    def return_address(stack, thread):
        """The first return address on a saved stack that is not the scheduler's own."""
        top, word = int(thread["kstack_top"]), gdb.lookup_type("unsigned long").pointer()
        for slot in range(stack, min(stack + 64 * POINTER, top), POINTER):
            address = int(gdb.Value(slot).cast(word).dereference())
            is_code = "in section .text" in gdb.execute(f"info symbol {address:#x}", to_string=True)
            if is_code and not symbol(address).startswith(OF_THE_SCHEDULER):
                return symbol(address)
        return ""


class Locks(gdb.Command):
    """What each CPU and each thread holds, or waits for."""

    def __init__(self):
        super().__init__("klocks", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        for cpu in cpus():
            self.show(f"cpu {int(cpu['id'])}", percpu("cpu_held", "kernel/sync/lock_check.c", cpu))
        for thread in threads():
            self.show(f"thread {int(thread['id'])} {thread['name'].string()}", thread["held"])

    @staticmethod
    def show(who, held):
        for index in range(int(held["nr"])):
            lock = held["held"][index]
            verb = "waits for" if lock["is_waiting"] else "holds"
            print(f"{who} {verb} {lock['name'].string()} (rank {int(lock['rank'])}) since {symbol(lock['taken_at'])}")


class Log(gdb.Command):
    """The lines of the log that are still in its ring."""

    def __init__(self):
        super().__init__("klog", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        file = "kernel/debug/log.c"
        first, after = value(f"'{file}'::first"), value(f"'{file}'::next")
        ring = value(f"'{file}'::ring")
        record = gdb.lookup_type("struct record").pointer()
        offset, lines = int(first["offset"]), []
        for _ in range(int(after["seq"]) - int(first["seq"])):
            line = gdb.Value(int(ring.address) + offset).cast(record)
            if line["is_wrap"]:
                offset, line = 0, ring.address.cast(record)
            text = gdb.selected_inferior().read_memory(int(line) + record.target().sizeof, int(line["len"]))
            lines.append(f"[{int(line['time_ns']) / 1e9:12.6f}] {text.tobytes().decode(errors='replace')}")
            offset = (offset + int(line["size"])) % ring.type.sizeof
        print(*lines[-int(argument or len(lines)):], sep="\n")


class Pages(gdb.Command):
    """Free blocks of pages by zone and order."""

    def __init__(self):
        super().__init__("kpages", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        zones = value("'kernel/mm/page.c'::zones")
        for index in range(zones.type.range()[1] + 1):
            free = zones[index]["free"]
            counts = [sum(1 for _ in nodes(free[order])) for order in range(free.type.range()[1] + 1)]
            total = sum(count << order for order, count in enumerate(counts))
            print(f"zone {index}: {int(zones[index]['nr_raw'])} pages never touched, {total} free in blocks; "
                  f"by order: {' '.join(map(str, counts))}")


for command in (Threads, Locks, Log, Pages):
    command()
