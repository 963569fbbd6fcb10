# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of docs/performance.md: what was measured, in full."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from measuring.rounds import median, ratio

from .targets import CALLS, bytes_a_secret, measured_sizes, size

Found = dict[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def time(seconds: float) -> str:
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.0f} ns"


def cell(samples: Found, side: str, figure: str = "seconds") -> str:
    return time(median(samples[side][figure])) if side in samples else "-"


def times(samples: Found, of: str, to: str, figure: str = "seconds") -> str:
    if of not in samples or to not in samples:
        return "-"
    return f"{ratio(samples[of][figure], samples[to][figure]):.2f}"


def load(found: Found) -> str:
    rows = []
    for form in ("plain", "sealed"):
        for count in measured_sizes(found, f"load {form} "):
            samples = found[f"load {form} {count}"]
            rows.append([form, size(count),
                         *(cell(samples, side, figure) for side in ("stock", "ours", "floor")
                           for figure in ("wall", "cpu")),
                         times(samples, "ours", "floor", "wall"), times(samples, "ours", "floor", "cpu")])
    head = ["values", "secrets", "stock", "stock, CPU", "ours", "ours, CPU", "floor", "floor, CPU",
            "ours/floor", "ours/floor, CPU"]
    return table(head, rows)


def calls(found: Found) -> str:
    rows = []
    for count in measured_sizes(found, "calls "):
        for name, samples in found[f"calls {count}"].items():
            rows.append([CALLS[name], size(count), *(cell(samples, side) for side in
                                                     ("stock", "ours", "floor")),
                         times(samples, "ours", "stock"), times(samples, "ours", "floor")])
    return table(["call", "secrets", "stock", "ours", "floor", "ours/stock", "ours/floor"], rows)


def threads(found: Found) -> str:
    return table(["threads", "stock, calls/s", "ours, calls/s", "ours/stock"], [
        [count, *(f"{median(samples[side]['per_second']):,.0f}" for side in ("stock", "ours")),
         times(samples, "ours", "stock", "per_second")]
        for count, samples in found["get by threads"].items()])


def stalls(found: Found) -> str:
    rows = []
    for name, beside in found["stalls"].items():
        for side in ("stock", "ours"):
            rows.append([CALLS[name], side,
                         *(cell(beside[what], side, figure) for what in ("idle", "set", "bare")
                           for figure in ("mean", "p99", "max"))])
    head = ["call", "driver", "idle: mean", "p99", "max", "beside a writer: mean", "p99", "max",
            "beside bare calls: mean", "p99", "max"]
    return table(head, rows)


def changes(found: Found) -> str:
    names = {"set-one 1": "set, 1 writer, one secret", "set-one 4": "set, 4 writers",
             "redefine-one 1": "redefine, 1 writer, one secret", "redefine-one 4": "redefine, 4 writers"}
    rows = []
    for count in measured_sizes(found, "changes "):
        for name, samples in found[f"changes {count}"].items():
            rows.append([names.get(name, name), size(count), *(cell(samples, side) for side in
                                                               ("stock", "ours", "floor")),
                         times(samples, "ours", "stock"), times(samples, "ours", "floor")])
    return table(["change", "secrets", "stock", "ours", "floor", "ours/stock", "ours/floor"], rows)


def daemons(found: Found) -> str:
    rows = [[CALLS.get(name, name), size(count), cell(samples, "stock"), cell(samples, "ours"),
             times(samples, "ours", "stock")]
            for count in measured_sizes(found, "daemons ")
            for name, samples in found[f"daemons {count}"].items()]
    return table(["call", "secrets", "stock", "ours", "ours/stock"], rows)


def start_and_reload(found: Found) -> str:
    large = size(found["plan"]["large"])
    start, reload = found["daemon start"], found["reload"]
    rows = [
        ["libvirtd, start to first answer, empty: stock", cell(start, "stock, empty", "wall")],
        ["the same, ours", cell(start, "ours, empty", "wall")],
        [f"the same, ours, {large} secrets", cell(start, "ours", "wall")],
        [f"reload, nothing changed, {large} secrets", cell(reload, "ours", "wall")],
        ["the same, processor time", cell(reload, "ours", "cpu")],
        ["calls of read in it", f"{median(reload['ours']['reads']):.0f}"],
        [f"floor: every file of {large} secrets read", cell(reload, "floor", "wall")],
    ]
    for name in ("get", "usage"):
        for beside in ("idle", "reload"):
            rows.append([f"{CALLS[name]}, {'during reloads' if beside == 'reload' else 'idle'}: p99",
                         cell(reload[name], beside, "p99")])
    return table(["what", "measured"], rows)


def costs(found: Found) -> str:
    count = found["plan"]["costs"]
    plain, sealed = found[f"load plain {count}"], found[f"load sealed {count}"]
    stock = median(plain["stock"]["wall"])
    rows = [["load", time(stock), cell(plain, "ours", "wall"), cell(sealed, "ours", "wall"),
             f"{median(plain['ours']['wall']) / stock:.3f}",
             f"{median(sealed['ours']['wall']) / stock:.3f}"]]
    for name, samples in found["costs"].items():
        rows.append([name, *(cell(samples, side) for side in ("stock", "ours", "sealed")),
                     times(samples, "ours", "stock"), times(samples, "sealed", "stock")])
    return table(["call", "stock", "ours, plain", "ours, sealed", "plain/stock", "sealed/stock"], rows)


def audit(found: Found) -> str:
    names = {"in process": "get value, in process", "libvirtd": "get value, libvirtd"}
    rows = [[name, *(cell(found["audit"][place], side) for side in ("off", "without sync", "with sync"))]
            for place, name in names.items()]
    writer = found["audit"]["writer"]
    return "\n\n".join((
        table(["call", "audit off", "on, without sync", "on, with sync"], rows),
        table(["a record with sync", "time", "records a second", "records a sync"], [
            ["bare write and fdatasync", cell(writer, "bare"), "-", "1"],
            *([side, cell(writer, side), f"{median(writer[side]['per_second']):,.0f}",
               f"{median(writer[side]['per_write']):.1f}"] for side in ("1 caller", "16 callers"))])))


def trail(found: Found) -> str:
    seen = found["reading of a trail"]
    rows = [[f"keyhold {name}", time(median(samples["wall"])), time(median(samples["cpu"])),
             time(median(samples["cpu"]) / seen["bytes"] * 1e9), f"{median(samples['peak']) / 1e6:.0f} MB"]
            for name, samples in seen["commands"].items()]
    return f"A sealed trail of {seen['bytes'] / 1e6:.0f} MB.\n\n" + table(
        ["command", "time", "processor time", "processor time for 1 GB", "memory at most"], rows)


def memory(found: Found) -> str:
    counts = measured_sizes(found, "load plain ")
    rows = [[side, size(count), *(f"{bytes_a_secret(found, side, count, figure):.0f}"
                                  for figure in ("resident", "peak"))]
            for side in ("stock", "ours") for count in counts
            if count >= 10_000 and side in found[f"load plain {count}"]]
    return table(["driver", "secrets", "bytes a secret after load", "at most during load"], rows)


def core(found: Found) -> str:
    return table(["part", "time"], [[name.replace("/", ", "), time(nanoseconds * 1e-9)]
                                    for name, nanoseconds in found["core"].items()])


def limits(found: Found) -> str:
    seen = found["limits"]
    items = (
        f"{seen['listed']:,} secrets: all are listed, in {time(seen['seconds'])} with their handles.",
        f"One more: virConnectListAllSecrets is refused, `{seen['list above']}`, and virConnectListSecrets"
        f" with room for all of them too, `{seen['uuids above']}`. virConnectNumOfSecrets answers"
        f" {seen['counted above']:,}; lookups and every other call go on, and the filters of"
        " virConnectListAllSecrets narrow a list to what fits. In a process of its own (an embedded root)"
        " neither limit exists.",
        "A value of 65,536 bytes is set and read.",
        f"One byte more is refused in the client, before the daemon sees it: `{seen['value above']}`. The"
        f" value before it {'is kept' if seen['value kept'] else 'IS LOST'}.",
    )
    return "\n".join(("libvirt's RPC carries at most 16,384 secrets in one list and 64 KiB in one value. "
                      "Seen on the", "socket of a libvirtd with this driver:", "",
                      *(textwrap.fill(f"* {item}", 105, subsequent_indent="  ") for item in items)))


SECTIONS: Sequence[tuple[str, str, Callable[[Found], str]]] = (
    ("Load", "A process opens an embedded root; the libraries are loaded within it.", load),
    ("Calls", "In a process with an embedded root, one thread. The floor of a lookup is a hash table of "
     "the standard library over the same secrets, without locks, access checks or handles; that of "
     "count and list is below.", calls),
    ("Values by several threads", "Calls of virSecretGetValue a second, the value checked each time.",
     threads),
    ("Reads beside a writer", "One thread calls. Another sets the value of one secret in a loop, or makes "
     "the bare system calls of such a change (create, write, fsync, close, rename, fsync of the directory) "
     "without any driver: what is left of the machine then is no matter of the driver.", stalls),
    ("Changes", "In a process with an embedded root. With success ours is on stable storage, name "
     "included; the stock driver syncs the file and not the directory, and an undefine not at all.",
     changes),
    ("Through libvirtd", "One libvirtd with each driver, a client on the unix socket of each; "
     "the daemons on one processor, the clients on another.", daemons),
    ("Start and reload", "", start_and_reload),
    ("Sealed values", "What sealing costs. The stock driver of 9.0 has plain values only.", costs),
    ("Audit trail", "A record is in the trail, or on its way there in a file in memory, before its value "
     "is given out. With sync it is on stable storage by then; calls that come at the same time share a "
     "sync.", audit),
    ("Reading an audit trail", "The output goes to /dev/null.", trail),
    ("Memory", "Resident memory of the process, less that of one with an empty root; where it goes is in "
     "[performance-steps.md](performance-steps.md).", memory),
    ("Parts without libvirt", "Google Benchmark; the number is bytes of the value, or secrets in the "
     "index.", core),
    ("Limits that are libvirt's", "", limits),
)
