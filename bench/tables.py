# SPDX-License-Identifier: MIT
"""The tables of bench/report, from results.json. The names are those of bench/run and bench/peers."""
from blocks import table

LEVELS = ("write", "disk")
# The systems by level; what else takes part is a variant of ackline.
SYSTEMS = {
    "ackline": {"write": "ackline", "disk": "ackline-disk"},
    "Redis": {"write": "redis-everysec", "disk": "redis-always"},
    "beanstalkd": {"write": "beanstalkd-F", "disk": "beanstalkd-f0"},
    "NATS": {"write": "nats", "disk": "nats-always"},
    "rsyslog": {"write": "rsyslog-relp"},
}
VARIANTS = {
    "`-service once`": {"write": "ackline-once", "disk": "ackline-once-disk"},
    "TLS": {"write": "ackline-tls"},
    "`-log sqlite:FILE`": {"write": "ackline-sqlite", "disk": "ackline-sqlite-disk"},
    "`-log -`, to a pipe": {"write": "ackline-stdout"},
    "also to stdout, a terminal": {"write": "ackline-terminal"},
    "also to stdout, a pipe": {"write": "ackline-pipe"},
    "also to stdout, a pipe that is not read": {"write": "ackline-stuck"},
    "`-next HOST:PORT`": {"write": "ackline-relay"},
    "`-next once:HOST:PORT`": {"write": "ackline-relay-once"},
    "`-receive own`": {"write": "ackline-own", "disk": "ackline-own-disk"},
    "bare responder": {"write": "floor"},
}
TURNS = {
    "ackline": "`client` with `server -quiet`",
    "floor": "`client` with the bare responder",
    "python": "a client and a server in Python, with the logging module",
    "ackline-window-64": "`client -window 64` with `server -quiet`",
    "floor-window-64": "`client -window 64` with the bare responder",
}
PLACES = {"apart": "server and client on a CPU each", "together": "both on one CPU"}
# In README.
FEW = {"write": ("1x1", "64x1", "1000x1", "8x1000"), "disk": ("1x1", "1000x1")}
FIGURES = {"lines/s": "acks_per_second", "p99": "p99_us", "CPU per line": "cpu_us_per_ack"}
NONE = "–"


def rate_of(figures):
    return figures.get("acks_per_second", figures.get("lines_per_second"))


def rate(value):
    if value >= 999500:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e3:.3g} k" if value >= 999.5 else f"{value:.0f}"


def share(value):
    """A ratio, with two digits that count."""
    if value >= 9.95:
        return f"{value:.0f}"
    if value >= 1.95:
        return f"{value:.1f}"
    return f"{value:.2g}" if value < 0.095 else f"{value:.2f}"


def spaced(cell):
    return cell.replace("x", " x ")


class Results:
    """The medians by group, cell and name."""

    def __init__(self, results):
        self.results = results
        self.found = {(one["group"], one["cell"], one["name"]): one for one in results["medians"]}

    def cells(self, names):
        """Those in which one of these was measured."""
        return list(dict.fromkeys(cell for group, cell, name in self.found if group == "cells" and name in names))

    def get(self, name, cell, group="cells"):
        return self.found.get((group, cell, name))

    def systems(self):
        names = {name for _, _, name in self.found}
        return {words: by_level for words, by_level in SYSTEMS.items() if names & set(by_level.values())}


def figures_of(one, cpu):
    if not one:
        return NONE
    words = [rate(one["acks_per_second"])]
    if cpu and "cpu_us_per_ack" in one:
        words.append(f"{one['cpu_us_per_ack']:.3g} µs")
    return ", ".join(words + [f"{one['p99_us'] / 1e3:.3g} ms"])


def system_table(results, few=None):
    """All systems in all cells with the CPU time, or in few cells without it."""
    systems = results.systems()
    rows = []
    for level in LEVELS:
        names = {by_level.get(level) for by_level in systems.values()}
        for cell in results.cells(names):
            if few and cell not in few[level]:
                continue
            ones = [results.get(by_level.get(level), cell) for by_level in systems.values()]
            rows.append([f"`{level}`, {spaced(cell)}"] + [figures_of(one, not few) for one in ones])
    return table(["", *systems], rows)


def best_other(results, level, cell, figure):
    """The other system with the best value of a figure, and that value; None: there is none."""
    found = []
    for words, by_level in results.systems().items():
        one = results.get(by_level.get(level), cell)
        if words != "ackline" and one and one.get(figure):  # 0: too short for the clock of CPU time
            found.append((one[figure], words))
    if not found:
        return None
    return max(found) if figure == "acks_per_second" else min(found)


def level_of(place):
    return next(i for i, level in enumerate(LEVELS) if place.startswith(f"`{level}`"))


def best_table(results):
    """ackline's figures as ratios to the best other system, and a sentence about those that are no lead."""
    head = ["", *(f"`{level}`: {words}" for level in LEVELS for words in FIGURES)]
    behind = {words: [] for words in FIGURES}
    rows = []
    for cell in results.cells({"ackline", "ackline-disk"}):
        row = [spaced(cell)]
        for level in LEVELS:
            ours = results.get(SYSTEMS["ackline"][level], cell)
            for words, figure in FIGURES.items():
                other = best_other(results, level, cell, figure) if ours else None
                if not other or figure not in ours:
                    row.append(NONE)
                    continue
                ratio = ours[figure] / other[0]
                row.append(share(ratio))
                if ratio < 0.995 if words == "lines/s" else ratio > 1.005:
                    behind[words].append(f"`{level}` {spaced(cell)} ({other[1]})")
        rows.append(row)
    sentences = [
        f"Another system is better in {words} at {', '.join(sorted(places, key=level_of))}." if places
        else f"No other system is better in {words}."
        for words, places in behind.items()
    ]
    return table(head, rows) + "\n" + " ".join(sentences) + "\n"


def ratios(one, base):
    """lines/s, CPU time and p99 beside the base's."""
    words = []
    for figure in ("acks_per_second", "cpu_us_per_ack", "p99_us"):
        known = one.get(figure) is not None and base.get(figure)
        words.append(share(one[figure] / base[figure]) if known else NONE)
    return ", ".join(words)


def rate_ratio(one, base):
    return share(rate_of(one) / rate_of(base)) if one and base and rate_of(base) else NONE


def turns_ratio(results):
    return rate_ratio(results.get("ackline", "apart", "turns"), results.get("ackline", "1x1"))


def variant_table(results):
    """Variants of ackline beside the plain file at the same level."""
    names = {name for by_level in VARIANTS.values() for name in by_level.values()}
    cells = results.cells(names)
    rows = []
    for level in LEVELS:
        for words, by_level in VARIANTS.items():
            row = [f"`{level}`, {words}"]
            for cell in cells:
                one, base = results.get(by_level.get(level), cell), results.get(SYSTEMS["ackline"][level], cell)
                row.append(ratios(one, base) if one and base else NONE)
            if set(row[1:]) != {NONE}:
                rows.append(row)
        if level == "write" and "1x1" in cells:
            turns = [turns_ratio(results) if cell == "1x1" else NONE for cell in cells]
            rows.append(["`write`, `client` with five threads in strict turns", *turns])
    return table(["", *(spaced(cell) for cell in cells)], rows)


def turns_table(results):
    """Rates, and their shares of the first row."""
    rows = []
    for name, words in TURNS.items():
        row = [words]
        for place in PLACES:
            one, base = results.get(name, place, "turns"), results.get("ackline", place, "turns")
            row.append(f"{rate(rate_of(one))} ({rate_ratio(one, base)})" if one and base else NONE)
        rows.append(row)
    return table(["", *PLACES.values()], rows)


def conditions(results):
    """Where and when it was measured, and what was left out."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {words}" for name, words in results["versions"].items() if words)
    left_out = "; ".join(results.get("left_out", [])) or "nothing"
    return (
        f"Medians of {results['rounds']} round{'s' if results['rounds'] > 1 else ''} in {results['seconds']} s, {results['date']}; "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib']} MiB, "
        f"{machine['kernel']}, {machine['filesystem']}, {machine['compiler']}; {versions}. Left out: {left_out}.\n"
    )


def make_blocks(measured):
    """The parts of the documents, by name."""
    results = Results(measured)
    return {
        "systems": system_table(results),
        "best": best_table(results),
        "variants": variant_table(results),
        "turns": turns_table(results),
        "conditions": conditions(measured),
        "README": system_table(results, FEW),
    }
