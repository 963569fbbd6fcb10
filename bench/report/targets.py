# SPDX-License-Identifier: LGPL-2.1-or-later
"""The targets, and what was measured for each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from measuring.rounds import median, ratio

Found = dict[str, Any]
NOT_SHOWN = "not shown"
READS_WITHOUT_FILES = 100  # the settings, the keys, /proc


@dataclass(frozen=True)
class Row:
    what: str
    at: str
    target: str
    measured: str
    verdict: str


def size(count: int) -> str:
    for factor, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= factor and count % (factor // 10) == 0:
            return f"{count / factor:g}{letter}"
    return str(count)


def at_most(value: float, limit: float) -> str:
    return "met" if value <= limit else f"not met: {100 * (value / limit - 1):.0f} % above"


def at_least(value: float, limit: float) -> str:
    return "met" if value >= limit else f"not met: {100 * (1 - value / limit):.0f} % below"


def per_round(samples: Found, of: str, to: str, figure: str = "seconds") -> float:
    return ratio(samples[of][figure], samples[to][figure])


def measured_sizes(found: Found, prefix: str) -> list[int]:
    return sorted(int(name.removeprefix(prefix)) for name in found
                  if name.startswith(prefix) and name.removeprefix(prefix).isdigit())


def load_ratio(found: Found, form: str, count: int, figure: str) -> float:
    """Ours to the floor, without what the opening of an empty root takes."""
    samples = found[f"load {form} {count}"]
    empty = median(found["empty root"]["ours"][figure])
    return ratio([value - empty for value in samples["ours"][figure]], samples["floor"][figure])


def load(found: Found) -> Iterator[Row]:
    for form in ("plain", "sealed"):
        counts = measured_sizes(found, f"load {form} ")
        for count in counts:
            for figure, word in (("wall", "time"), ("cpu", "processor time")):
                value = load_ratio(found, form, count, figure)
                yield Row(f"load, {form}: {word}", size(count), "at most 1.4 times the floor",
                          f"{value:.2f}", at_most(value, 1.4))
        if 10_000 in counts and counts[-1] > 10_000:
            yield load_linear(found, form, counts[-1])


def load_linear(found: Found, form: str, count: int) -> Row:
    def growth(side: str) -> float:
        large, small = (median(found[f"load {form} {n}"][side]["wall"]) / n for n in (count, 10_000))
        return large / small
    ours, floor = growth("ours"), growth("floor")
    return Row(f"load, {form}: time a secret", f"{size(count)} to 10k",
               "at most 1.3 times, or the floor's own", f"{ours:.2f} (floor {floor:.2f})",
               at_most(ours, max(1.3, floor)))


def start_and_reload(found: Found, large: int) -> Iterator[Row]:
    samples = found["daemon start"]
    empty = median(samples["ours, empty"]["wall"])
    start = ratio([value - empty for value in samples["ours"]["wall"]], samples["floor"]["wall"])
    yield Row("daemon, start to first answer, less that of an empty one", size(large),
              "at most 1.4 times the floor", f"{start:.2f}", at_most(start, 1.4))
    samples = found["reload"]
    reload = per_round(samples, "ours", "floor", "wall")
    yield Row("reload, nothing changed", size(large), "at most 1.4 times the floor", f"{reload:.2f}",
              at_most(reload, 1.4))
    reads = median(samples["ours"]["reads"])
    yield Row("reload, nothing changed: files read", size(large), "none of the store's",
              f"{reads:.0f} calls of read", "met" if reads < READS_WITHOUT_FILES else "not met")
    for name in ("get", "usage"):
        value = per_round(samples[name], "reload", "idle", "p99")
        yield Row(f"p99 of {CALLS[name]} during reloads", size(large), "at most 2 times idle",
                  f"{value:.2f}", at_most(value, 2))


CALLS = {"uuid": "lookup by uuid", "usage": "lookup by usage", "miss": "lookup by usage, miss",
         "get": "get value", "xml": "get definition", "count": "count", "list": "list",
         "uuids": "list of uuids"}


def lookups(found: Found) -> Iterator[Row]:
    counts = measured_sizes(found, "calls ")
    small, large = counts[0], counts[-1]
    for name in ("uuid", "usage", "miss"):
        def seconds(count: int, side: str, name: str = name) -> float:
            return median(found[f"calls {count}"][name][side]["seconds"])
        growth = seconds(large, "ours") / seconds(small, "ours")
        caches = seconds(large, "floor") - seconds(small, "floor")
        less = (seconds(large, "ours") - caches) / seconds(small, "ours")
        yield Row(CALLS[name], f"{size(small)} to {size(large)}",
                  "flat within 2 times, less the floor's own growth",
                  f"{less:.2f} ({growth:.2f} with it)", at_most(less, 2))
        value = per_round(found[f"calls {small}"][name], "ours", "stock")
        yield Row(CALLS[name], size(small), "no slower than stock", f"{value:.2f} times its time",
                  at_most(value, 1))


def get(found: Found, calls: int) -> Iterator[Row]:
    for threads, samples in found["get by threads"].items():
        value = per_round(samples, "ours", "stock", "per_second")
        yield Row(f"get value, {threads} thread{'s' if threads != '1' else ''}", size(calls),
                  "at least stock's throughput", f"{value:.2f} times", at_least(value, 1))


def count_and_list(found: Found, calls: int) -> Iterator[Row]:
    samples = found[f"calls {calls}"]
    bare = per_round(samples["count"], "ours", "floor")
    yield Row("count", size(calls), "at most 1.25 times the bare access checks", f"{bare:.2f}",
              at_most(bare, 1.25))
    stock = per_round(samples["count"], "stock", "ours")
    yield Row("count", size(calls), "at least 1.5 times faster than stock", f"{stock:.2f}",
              at_least(stock, 1.5))
    bare = per_round(samples["list"], "ours", "floor")
    yield Row("list", size(calls), "at most 1.25 times the bare checks and virGetSecret",
              f"{bare:.2f}", at_most(bare, 1.25))
    stock = per_round(samples["list"], "ours", "stock")
    yield Row("list", size(calls), "never slower than stock", f"{stock:.2f} times its time",
              at_most(stock, 1))


def changes(found: Found) -> Iterator[Row]:
    counts = measured_sizes(found, "changes ")
    for name in ("define", "redefine", "set", "undefine"):
        for count in counts:
            samples = found[f"changes {count}"][name]
            value = per_round(samples, "ours", "floor")
            measured = f"{value:.2f}"
            if "whole" in samples:
                whole = per_round(samples, "ours", "whole")
                measured += f" ({whole:.2f} times those that remove both files or neither)"
            yield Row(f"{name}, durable", size(count), "at most 1.15 times the bare system calls",
                      measured, at_most(value, 1.15))
        if len(counts) > 1:
            small, large = (median(found[f"changes {n}"][name]["ours"]["seconds"])
                            / median(found[f"changes {n}"][name]["floor"]["seconds"])
                            for n in (counts[0], counts[-1]))
            yield Row(f"{name}, durable", f"{size(counts[0])} to {size(counts[-1])}",
                      "flat: the ratio to the floor grows by at most 15 %", f"{large / small:.2f}",
                      at_most(large / small, 1.15))
    samples = found[f"changes {counts[0]}"]
    for name, word in (("set-one", "set"), ("redefine-one", "redefine")):
        value = per_round(samples[f"{name} 4"], "floor", "ours")
        scale = median(samples[f"{name} 1"]["floor"]["seconds"]) \
            / median(samples[f"{name} 4"]["floor"]["seconds"])
        own = median(samples[f"{name} 1"]["ours"]["seconds"]) \
            / median(samples[f"{name} 4"]["ours"]["seconds"])
        yield Row(f"{word}, 4 writers on 4 secrets", size(counts[0]),
                  "at least 0.8 times 4 bare writers",
                  f"{value:.2f} (4 to 1: ours {own:.1f} times, bare {scale:.1f})", at_least(value, 0.8))


def stalls(found: Found, calls: int) -> Iterator[Row]:
    for name, samples in found["stalls"].items():
        values = {what: ratio(samples[beside][side]["p99"], samples["idle"][side]["p99"])
                  for what, side, beside in (("ours", "ours", "set"), ("stock", "stock", "set"),
                                             ("bare", "ours", "bare"))}
        yield Row(f"p99 of {CALLS[name]} beside a writer", size(calls), "at most 2 times idle",
                  f"{values['ours']:.2f} (stock {values['stock']:.2f}; beside bare system calls "
                  f"{values['bare']:.2f})", at_most(values["ours"], 2))


def bytes_a_secret(found: Found, side: str, count: int, figure: str) -> float:
    empty = median(found["empty root"][side][figure])
    return (median(found[f"load plain {count}"][side][figure]) - empty) / count


def memory(found: Found, limit: int) -> Iterator[Row]:
    large = max(count for count in measured_sizes(found, "load plain ") if count <= limit)
    for figure, word in (("resident", "after load"), ("peak", "at most during load")):
        value = bytes_a_secret(found, "ours", large, figure)
        yield Row(f"memory a secret, {word}", size(large), "at most stock's 840 B", f"{value:.0f} B",
                  at_most(value, 840))


def daemons(found: Found) -> Iterator[Row]:
    for count in measured_sizes(found, "daemons "):
        for name, samples in found[f"daemons {count}"].items():
            value = per_round(samples, "ours", "stock")
            measured = f"{value:.2f} times"
            if name in ("define", "redefine", "set", "undefine"):
                more = median(samples["ours"]["seconds"]) - median(samples["stock"]["seconds"])
                measured += f" ({1e6 * more:+.0f} µs)"
            yield Row(f"libvirtd: {CALLS.get(name, name)}", size(count), "at most stock's time + 5 %",
                      measured, at_most(value, 1.05))


def opening(found: Found) -> Iterator[Row]:
    value = per_round(found["empty root"], "ours", "stock", "wall")
    milliseconds = {side: 1000 * median(found["empty root"][side]["wall"]) for side in ("ours", "stock")}
    yield Row("opening of an empty root", "0", "at most 2 times stock",
              f"{value:.2f} ({milliseconds['ours']:.2f} ms, stock {milliseconds['stock']:.2f} ms)",
              at_most(value, 2))


def rotation(found: Found, costs: int) -> Iterator[Row]:
    value = per_round(found["rotation"], "ours", "floor", "per_second")
    rate = median(found["rotation"]["ours"]["per_second"])
    yield Row("rotation", size(costs), "at least 0.8 times bare durable replacements",
              f"{value:.2f} ({rate:.0f} values/s)", at_least(value, 0.8))


def audit(found: Found) -> Iterator[Row]:
    seconds = {place: {side: median(samples["seconds"]) for side, samples in sides.items()}
               for place, sides in found["audit"].items()}
    more = 1e6 * (seconds["in process"]["without sync"] - seconds["in process"]["off"])
    yield Row("get value with a record, without sync", "1k", "at most 10 µs more", f"{more:+.1f} µs",
              at_most(more, 10))
    value = per_round(found["audit"]["libvirtd"], "without sync", "off")
    yield Row("libvirtd: get value with a record, without sync", "1k", "at most 1.10 times",
              f"{value:.2f}", at_most(value, 1.1))
    more = 1e6 * (seconds["writer"]["1 caller"] - seconds["writer"]["bare"])
    yield Row("record with sync, one caller", "", "at most 20 µs more than write and fdatasync",
              f"{more:+.0f} µs", at_most(more, 20))
    shared = median(found["audit"]["writer"]["16 callers"]["per_write"])
    yield Row("record with sync, 16 callers", "", "at least 8 records a sync", f"{shared:.1f}",
              at_least(shared, 8))


def command(found: Found, large: int) -> Iterator[Row]:
    for name, samples in found["command"].items():
        seconds, megabytes = median(samples["cpu"]), median(samples["peak"]) / 1e6
        yield Row(f"keyhold {name}, with a lost key: processor time", size(large), "at most 10 s",
                  f"{seconds:.1f} s", at_most(seconds, 10))
        yield Row(f"keyhold {name}, with a lost key: memory", size(large), "at most 200 MB",
                  f"{megabytes:.0f} MB", at_most(megabytes, 200))


def trail(found: Found) -> Iterator[Row]:
    seen = found["reading of a trail"]
    for name, samples in seen["commands"].items():
        seconds, megabytes = median(samples["cpu"]) / seen["bytes"] * 1e9, median(samples["peak"]) / 1e6
        yield Row(f"keyhold {name}: processor time for 1 GB", f"{seen['bytes'] / 1e6:.0f} MB", "at most 60 s",
                  f"{seconds:.0f} s", at_most(seconds, 60))
        yield Row(f"keyhold {name}: memory", f"{seen['bytes'] / 1e6:.0f} MB", "at most 50 MB",
                  f"{megabytes:.0f} MB", at_most(megabytes, 50))


def rows(found: Found) -> list[Row]:
    plan = found["plan"]
    parts: Sequence[tuple[str, Callable[[], Iterator[Row]]]] = (
        ("load", lambda: load(found)),
        ("daemon start and reload", lambda: start_and_reload(found, plan["large"])),
        ("lookups", lambda: lookups(found)),
        ("get value", lambda: get(found, plan["calls"])),
        ("count and list", lambda: count_and_list(found, plan["calls"])),
        ("durable changes", lambda: changes(found)),
        ("reads beside a writer", lambda: stalls(found, plan["calls"])),
        ("memory", lambda: memory(found, plan["large"])),
        ("libvirtd on a unix socket", lambda: daemons(found)),
        ("opening of an empty root", lambda: opening(found)),
        ("rotation", lambda: rotation(found, plan["costs"])),
        ("audit", lambda: audit(found)),
        ("keyhold", lambda: command(found, plan["large"])),
        ("keyhold audit", lambda: trail(found)),
    )
    result: list[Row] = []
    for what, part in parts:
        made: list[Row] = []
        try:
            for row in part():
                made.append(row)
        except (KeyError, IndexError, ValueError, ZeroDivisionError) as problem:
            made.append(Row(what, "", "", f"not measured ({type(problem).__name__}: {problem})",
                            NOT_SHOWN))
        result += made or [Row(what, "", "", "not measured", NOT_SHOWN)]
    return result
