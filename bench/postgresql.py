#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a log in PostgreSQL costs beside one in a file, with a primary and two standbys that contrib/postgresql/cluster
makes in the current folder. All of it runs on this machine, and what is compared is measured in turn: so the ratios
say more than the figures. Prints tables in Markdown.

    bench/postgresql.py [-document FILE] [-small] BUILD_FOLDER [batches|servers|quorum|senders|latency|space]...

-document puts each table into FILE, where that has a place for it; -small only shows that all of this works. All
tables take seven minutes at most. Where root measures, the user postgres has to be able to enter the current folder.
"""
import atexit
import concurrent.futures
import functools
import itertools
import json
import os
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import blocks  # pylint: disable=wrong-import-position
import growth  # pylint: disable=wrong-import-position

WINDOWS = 2, 16, 64, 250, 1000, 4000, 8000  # lines in flight
MANY = 1000  # of them, where that is not what is measured
SERVERS = 1, 2, 4
SENDERS = 1, 100, 1000, 10_000  # of the service once, each with a connection
DAY = 11_574  # lines/s: a billion a day
RATES = 100, 1000, 5000  # lines/s
LENGTHS = 10, 100, 1000  # bytes of a line
DURATION = "2s"
LONGER = "10s"  # than it takes until all senders have connected
TRANSACTIONS, MOST_LINES = 200, 100_000  # of one load
SMALL = {"WINDOWS": (2, 16), "MANY": 4, "SERVERS": (1, 2), "SENDERS": (1, 20), "DAY": 100, "RATES": (100,),
         "LENGTHS": (10, 100), "DURATION": "300ms", "LONGER": "300ms", "TRANSACTIONS": 20, "MOST_LINES": 1000}
# Names of standbys that must confirm, and -sync; s0 is the primary, so both others are ANY 2.
CONFIRMED = {"no standby": ("", "disk"), "one of two": ("ANY 1 (s0, s1, s2)", "disk"),
             "one of two, `-sync write`": ("ANY 1 (s0, s1, s2)", "write"), "both": ("ANY 2 (s0, s1, s2)", "disk")}
USUAL = CONFIRMED["one of two"][0]
BUDGET = 100  # seconds for a table, after which no round begins
PATIENCE = 30
FILE = "file.log"
HOME = os.getcwd()
CLUSTER = os.path.abspath(f"{os.path.dirname(__file__)}/../contrib/postgresql/cluster")


def cluster(command, *arguments):
    return growth.run(CLUSTER, command, f"{folder()}/db", *arguments).decode().strip()


def ask(*statements):
    """Has the primary run each of them. Returns what the last one returns."""
    return cluster("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *(word for one in statements for word in ("-c", one)))


@functools.cache
def folder():
    """Where the cluster is."""
    path = tempfile.mkdtemp(dir=HOME)
    os.chmod(path, 0o755)  # the servers can have another user
    atexit.register(shutil.rmtree, path)
    return path


@functools.cache
def database(build):
    """What -log is: the cluster is started for it, and ends with this program."""
    folder()  # deleted last
    atexit.register(cluster, "stop")
    cluster("start")
    log = f"postgresql:{cluster('conninfo')}"
    growth.run(f"{build}/server", "-log", log, "-init", "run")
    return log


def set_standbys(names):
    """Sets which ones must confirm, and waits until that holds."""
    ask(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'", "SELECT pg_reload_conf()")
    end = time.monotonic() + PATIENCE
    while ask("SHOW synchronous_standby_names") != names:
        if time.monotonic() > end:
            sys.exit(f"synchronous_standby_names does not become '{names}'")
        time.sleep(0.05)


def serve(build, log, sync="disk", service="ok"):
    """Starts a server with one record for each line. Returns the process and its port."""
    own = ("-overwrite",) if log == FILE else ("-timeout", "60s")
    return growth.start(build, "-service", service, "-log", log, "-sync", sync, "-records", "received", *own)


def rate(build, window, *logs, sync="disk"):
    """Lines/s over one connection to each server: as many servers as there are logs."""
    lines = min(TRANSACTIONS * window, MOST_LINES) // len(logs)
    servers = [serve(build, log, sync) for log in logs]
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            loads = [pool.submit(growth.load, build, port, process.pid, 1, window, lines) for process, port in servers]
        return lines * len(logs) / max(load.result()["seconds"] for load in loads)
    finally:
        for process, _ in servers:
            growth.stop(process)


def per_transaction():
    """How many lines the last server has stored in a transaction, on average."""
    lines, batches = ask("SELECT (SELECT count(*) FROM record WHERE server = batch.server AND event = 'received'), last"
                         " FROM batch ORDER BY time DESC LIMIT 1").split("|")
    return int(lines) / int(batches)


def measure_batches(build):
    log = database(build)

    def measure(window):
        stored = rate(build, window, log)
        return per_transaction(), stored, rate(build, window, FILE)

    rows, rounds = growth.medians("batches", WINDOWS, measure)
    lines = [[growth.number(window), *map(growth.number, figures), f"{figures[1] / figures[2]:.2f}"]
             for window, figures in rows.items()]
    head = "lines in flight", "lines in a transaction", "lines/s", "lines/s in a file", "beside the file"
    return blocks.table(head, lines) + growth.made(rounds)


def measure_servers(build):
    log = database(build)

    def measure(count):
        return (rate(build, MANY, *[log] * count),)

    rows, rounds = growth.medians("servers", SERVERS, measure)
    return growth.make_table((f"servers, {MANY} lines in flight to each", "lines/s"), rows, {}, rounds)


def measure_quorum(build):
    log = database(build)

    def measure(name):
        names, sync = CONFIRMED[name]
        set_standbys(names)
        return rate(build, 1, log, sync=sync), rate(build, MANY, log, sync=sync)

    rows, rounds = growth.medians("quorum", CONFIRMED, measure)
    set_standbys(USUAL)
    first = next(iter(rows.values()))
    lines = [[name, *(cell for figure, alone in zip(figures, first)
                      for cell in (growth.number(figure), f"{figure / alone:.2f}"))]
             for name, figures in rows.items()]
    head = "confirmed by", "lines/s, 1 in flight", "beside none", f"lines/s, {MANY} in flight", "beside none"
    return blocks.table(head, lines) + growth.made(rounds)


def client(build, port, *options):
    """What a client reports."""
    return json.loads(growth.run(f"{build}/client", *growth.CLIENT, "-port", str(port), "-report", "json", *options))


def latency(build, port, rate_of_lines, duration, *options):
    """p50 and p99 of the answers at that rate, in ms."""
    found = client(build, port, "-rate", str(rate_of_lines), "-duration", duration, *options)["latency"]
    return found["p50"] / 1e6, found["p99"] / 1e6


def measure_senders(build):
    log = database(build)

    def measure(count):
        process, port = serve(build, log, service="once")
        names = itertools.count()

        def senders():
            return "-service", "once", "-source", f"bench{process.pid}-{next(names)}", "-nt", str(count)

        try:
            most = client(build, port, *senders(), "-window", "16", "-ni", str(max(MOST_LINES // 2 // count, 4)))
            return most["acknowledged"] / most["seconds"], *latency(build, port, DAY, LONGER, *senders())
        finally:
            growth.stop(process)

    rows, rounds = growth.medians("senders", SENDERS, measure)
    head = "senders", "lines/s, 16 in flight of each", f"p50, ms, at {growth.number(DAY)} lines/s", "p99, ms"
    return blocks.table(head, [[growth.number(count), *map(growth.number, figures)] for count, figures in rows.items()]
                        ) + growth.made(rounds)


def measure_latency(build):
    log = database(build)

    def measure(lines):
        figures = ()
        for one in log, FILE:
            process, port = serve(build, one)
            try:
                figures += latency(build, port, lines, DURATION)
            finally:
                growth.stop(process)
        return figures

    rows, rounds = growth.medians("latency", RATES, measure)
    lines = [[growth.number(one), *map(growth.number, figures), f"{figures[0] / figures[2]:.1f}",
              f"{figures[1] / figures[3]:.1f}"] for one, figures in rows.items()]
    head = ("lines/s", "p50, ms", "p99, ms", "p50 in a file, ms", "p99 in a file, ms", "p50 beside the file",
            "p99 beside the file")
    return blocks.table(head, lines) + growth.made(rounds)


def written():
    """How many bytes of WAL there were, and how many the tables of records have."""
    return map(int, ask("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, (SELECT sum(pg_total_relation_size(relid))"
                        " FROM pg_partition_tree('record'))").split("|"))


def measure_space(build):
    log = database(build)

    def measure(length):
        lines = MOST_LINES // 5
        ask("TRUNCATE record", "CHECKPOINT")
        before = written()
        process, port = serve(build, log)
        growth.run(f"{build}/client", *growth.CLIENT, "-port", str(port), "-message", "x" * length, "-ni",
                   str(lines // 8))
        growth.stop(process)
        return [(after - size) / lines for after, size in zip(written(), before)]

    rows, rounds = growth.medians("space", LENGTHS, measure)
    lines = [[growth.number(length), *(f"{size:.0f}" for size in figures)] for length, figures in rows.items()]
    head = "bytes of a line", "bytes of WAL, to the disk and to each standby", "bytes of the tables"
    return blocks.table(head, lines) + growth.made(rounds)


AXES = {"batches": measure_batches, "servers": measure_servers, "quorum": measure_quorum, "senders": measure_senders,
        "latency": measure_latency, "space": measure_space}


def shrink():
    growth.shrink()
    globals().update(SMALL)


if __name__ == "__main__":
    growth.BUDGETS.update(dict.fromkeys(AXES, BUDGET), senders=2 * BUDGET)
    growth.main(sys.argv[1:], "postgresql", __doc__, AXES, AXES, shrink)
