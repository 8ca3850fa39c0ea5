#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the cost of work grows: with connections, with the length of lines, with what a relay has not forwarded, and
with the size of the log. Prints tables in Markdown; the last column is the cost for a unit of work beside that of the
first row, so that 1 is linear.

    bench/growth.py [-document FILE] [-small] BUILD_FOLDER [connections|lines|backlogs|logs]...

-document puts each table into FILE, where that has a place for it; -small only shows that all of this works. All
but logs take six minutes at most, and they are what is measured where none is named. logs writes up to 100 GB into
the current folder, as far as there is space, and takes a minute or more for 10 GB; all of it is deleted again.
"""
import atexit
import datetime
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import blocks  # pylint: disable=wrong-import-position

PROGRAMS = "server", "client", "runall", "bench/lineload"  # of the build folder
ROUNDS = 5
CONNECTIONS = 64, 1000, 10_000, 19_000, 30_000
LENGTHS = 10, 100, 1000, 10_000
BACKLOGS = 100_000, 1_000_000, 10_000_000
GIGABYTES = 1, 10, 50, 100
SMALL = {"CONNECTIONS": (4, 64), "LENGTHS": (10, 100), "BACKLOGS": (1000, 10_000), "GIGABYTES": (0.001, 0.01)}
# Seconds after which no round begins; the first one is always made.
BUDGETS = {"connections": 100, "lines": 80, "backlogs": 150}
LEAST_LINES = 200_000
SPARE_DESCRIPTORS = 100
CLIENT = "-quiet", "-nt", "8", "-connect", "each", "-order", "free", "-window", "1000"


def start(build, *options):
    """Starts a server at a free port. Returns the process and its port."""
    reads, writes = os.pipe()
    command = [f"{build}/server", "-port", "0", "-quiet", "-ready", str(writes), *options]
    process = subprocess.Popen(command, pass_fds=[writes])
    atexit.register(process.kill)  # does nothing to one that has ended
    os.close(writes)
    with os.fdopen(reads) as ready:
        words = ready.readline().split()
        if not words:
            sys.exit(f"it does not start: {' '.join(command)}")
        return process, int(words[1])


def stop(process):
    process.terminate()
    if process.wait() != 0:
        sys.exit(f"a server ended with status {process.returncode}")


def seconds_of(pid):
    """The CPU time of a process, in s."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid() has it


def most_memory(pid):
    """The most resident memory that a process ever had, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def number(value):
    if isinstance(value, str):
        return value
    return f"{round(value):,}" if isinstance(value, int) or value >= 1000 else f"{value:.3g}"


def medians(axis, sizes, measure):
    """Measures all sizes in turn until the time is over. Returns the medians by size, and how many rounds
    that were, in words."""
    found = {size: [] for size in sizes}
    began = time.monotonic()
    rounds = 0
    while rounds < ROUNDS and (not rounds or (time.monotonic() - began) / rounds * (rounds + 1) < BUDGETS[axis]):
        for size in sizes:
            found[size].append(measure(size))
        rounds += 1
    return {size: [statistics.median(one) for one in zip(*each)] for size, each in found.items()}, told(rounds)


def told(rounds):
    return f"Medians of {rounds} rounds" if rounds > 1 else "A single round"


def make_table(head, rows, left_out, rounds):
    """rows: by size the figures, of which the last is a cost; that is shown beside the first one's, too."""
    first = next(iter(rows.values()))[-1]
    lines = [[number(size), *map(number, figures), f"{figures[-1] / first:.2f}"] for size, figures in rows.items()]
    lines += [[number(size), f"not measured: {why}", *[""] * (len(head) - 1)] for size, why in left_out.items()]
    return blocks.table([*head, "beside the first"], lines) + made(rounds)


def made(rounds):
    """How and when a table was, for the line behind it."""
    return f"\n{rounds}, {datetime.date.today().isoformat()}.\n"


def load(build, port, pid, connections, window, lines):
    """Has lines acknowledged. Returns what bench/lineload says."""
    command = [f"{build}/bench/lineload", "line", "127.0.0.1", str(port), str(connections), str(window), str(lines),
               "-pid", str(pid)]
    return json.loads(run(*command))


def run(*command):
    """Runs a program. Returns what it prints."""
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"it fails: {' '.join(command)[:200]}\n{done.stderr.decode(errors='replace')[:500]}")
    return done.stdout


def measure_connections(build):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    left_out = {one: f"{limit:,} open files at most" for one in CONNECTIONS if one + SPARE_DESCRIPTORS > limit}

    def measure(connections):
        process, port = start(build, "-log", "connections.log", "-overwrite", "-connections", str(connections + 10))
        before = most_memory(process.pid)
        lines = max(LEAST_LINES, 4 * connections)
        result = load(build, port, process.pid, connections, 1, lines)
        memory = (most_memory(process.pid) - before) / connections / 1000
        stop(process)
        return memory, result["cpu_us_per_ack"]

    rows, rounds = medians("connections", [one for one in CONNECTIONS if one not in left_out], measure)
    head = "connections, a line in flight on each", "memory per connection, kB", "CPU per line, µs"
    return make_table(head, rows, left_out, rounds)


def measure_lines(build):
    def measure(length):
        lines = min(5 * LEAST_LINES, 2_000_000_000 // (length + 70))
        process, port = start(build, "-records", "received", "-log", "lines.log")
        before = seconds_of(process.pid)
        run(f"{build}/client", *CLIENT, "-port", str(port), "-message", "x" * length, "-ni", str(lines // 8))
        cost = seconds_of(process.pid) - before
        stop(process)
        written = os.path.getsize("lines.log")
        os.remove("lines.log")
        return cost / lines * 1e6, cost / written * 1e9

    rows, rounds = medians("lines", LENGTHS, measure)
    return make_table(("bytes of a line, 8 x 1000", "CPU per line, µs", "CPU per byte of the log, ns"), rows, {}, rounds)


def write_log(build, name, size):
    """Makes a log of so many bytes, of the service once."""
    process, port = start(build, "-service", "once", "-log", name, "-records", "received")
    with socket.create_connection(("127.0.0.1", port)) as sender:
        lines = (b"x" * 100 + b"\n") * 10_000
        sender.sendall(b"from growth 1\n")
        answers = sender.makefile("rb")
        answers.readline()
        while os.path.getsize(name) < size:
            sender.sendall(lines)
            if answers.read(30_000) != b"ok\n" * 10_000:
                sys.exit("a line was not acknowledged")
    stop(process)


def forget(name):
    """Drops a file from the page cache, so that it is read from the disk."""
    descriptor = os.open(name, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def time_of(log, action):
    forget(log)
    began = time.monotonic()
    action()
    return time.monotonic() - began


def measure_logs(build):
    rows, left_out = {}, {}
    for gigabytes in GIGABYTES:
        size = gigabytes * 1_000_000_000
        room = os.statvfs(".")
        if size * 1.1 > room.f_bavail * room.f_frsize:
            left_out[gigabytes] = "no space on this disk"
            continue
        with tempfile.TemporaryDirectory(dir=".") as folder:
            log = os.path.join(folder, "once.log")
            write_log(build, log, size)
            options = "-service", "once", "-log", log, "-append"
            begin = statistics.median(time_of(log, lambda: stop(start(build, *options)[0])) for _ in range(ROUNDS))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            check = time_of(log, lambda: run(f"{build}/runall", "-check", log))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows[gigabytes] = begin * 1000, check, cpu / gigabytes, check / gigabytes
    head = "GB of the log", "start with `-append`, ms", "`-check`, s", "CPU of it, s per GB", "s per GB"
    return make_table(head, rows, left_out, f"Start: {told(ROUNDS).lower()}; `-check`: a single one")


def count_lines(name):
    """How many received lines a log has; a million bytes at a time."""
    found, rest = 0, b""
    with open(name, "rb") as file:
        while data := file.read(1 << 20):
            found += (rest + data).count(b" received: ") - rest.count(b" received: ")
            rest = (rest + data)[-16:]
    return found


def fill_backlog(build, log, lines):
    """Makes the log of a relay that has not forwarded any of these lines."""
    process, own = start(build, "-log", log, "-records", "received")
    run(f"{build}/client", *CLIENT, "-port", str(own), "-ni", str(lines // 8))
    stop(process)


def await_lines(name, lines):
    """Waits until a log has so many lines. Returns when it was written to last."""
    size, grown = -1, time.monotonic()
    while True:
        found = os.path.getsize(name)
        if found != size:
            size, grown = found, time.monotonic()
        elif count_lines(name) >= lines:
            return grown
        time.sleep(0.01 if lines < LEAST_LINES else 0.1)


def measure_backlogs(build):
    def measure(lines):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            log, saved = os.path.join(folder, "relay.log"), os.path.join(folder, "save.log")
            fill_backlog(build, log, lines)
            save, port = start(build, "-service", "once", "-log", saved, "-records", "received")
            began = time.monotonic()
            relay, _ = start(build, "-next", f"once:127.0.0.1:{port}", "-log", log, "-append")
            seconds = await_lines(saved, lines) - began
            memory = most_memory(relay.pid) / 1e6
            stop(relay)
            stop(save)
        return memory, seconds, seconds / lines * 1e6

    rows, rounds = medians("backlogs", BACKLOGS, measure)
    head = "lines not yet forwarded", "memory of the relay, MB", "s until all are saved", "µs per line"
    return make_table(head, rows, {}, rounds)


AXES = {"connections": measure_connections, "lines": measure_lines, "backlogs": measure_backlogs, "logs": measure_logs}


def shrink():
    globals().update(SMALL, ROUNDS=1, LEAST_LINES=1000)


def main(arguments, name, usage, axes, usual, small):
    """Measures those of the axes that are given, or the usual ones. name: of the tables in a document."""
    document = None
    if arguments[:1] == ["-document"] and len(arguments) > 1:
        document = os.path.abspath(arguments[1])
        arguments = arguments[2:]
    if arguments[:1] == ["-small"]:
        small()
        arguments = arguments[1:]
    if not arguments or any(one not in axes for one in arguments[1:]):
        sys.exit(usage)
    build = os.path.abspath(arguments[0])
    home = os.getcwd()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # as an end: nothing is left behind
    for program in PROGRAMS:
        if not os.access(f"{build}/{program}", os.X_OK):
            sys.exit(f"there is no {build}/{program}: make {program}")
    for axis in arguments[1:] or usual:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=home) as folder:
            os.chdir(folder)
            try:
                table = axes[axis](build)
            finally:
                os.chdir(home)
        print(table, flush=True)
        print(f"{name}.py: {axis} took {time.monotonic() - began:.0f} s", file=sys.stderr)
        if document:
            blocks.replace_in(document, {f"{name} {axis}": table})


if __name__ == "__main__":
    main(sys.argv[1:], "growth", __doc__, AXES, BUDGETS, shrink)
