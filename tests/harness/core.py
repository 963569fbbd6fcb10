# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cores of processes, and what is in them."""

import mmap
import os
import re
import signal
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .waiting import wait_for

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
# all mappings but those of files that nobody wrote to (core(5))
ALL_MEMORY = "0x3b"
LOAD = 1  # PT_LOAD of elf(5)
PAGE = 4096
EMPTY = bytes(PAGE)


@dataclass(frozen=True)
class Region:
    """A mapping of a process, as /proc/PID/smaps shows it."""

    begin: int
    end: int
    mode: str
    name: str
    flags: frozenset[str]

    def __str__(self) -> str:
        if self.name or "dd" not in self.flags:
            return self.name or "anonymous memory"
        # of what is left out of cores, a forked child has the key memory not at all
        return "key memory" if "dc" in self.flags else "scratch memory"


def regions(pid: int) -> list[Region]:
    found = []
    heading = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
            heading = line
        elif line.startswith("VmFlags:"):
            words = heading.split(maxsplit=5)
            begin, end = (int(word, 16) for word in words[0].split("-"))
            found.append(Region(begin, end, words[1], words[5] if len(words) > 5 else "",
                                frozenset(line.split()[1:])))
    return found


@dataclass(frozen=True)
class Finding:
    needle: str
    address: int  # 0 in registers, which are in the notes of a core
    region: str

    def __str__(self) -> str:
        return f"{self.needle} at {self.address:#x} in {self.region}"


@dataclass
class Core:
    """A core file and, for what it does not have, the mappings that the process had."""

    path: Path
    regions: list[Region]
    _segments: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.path.open("rb") as file:
            header = file.read(64)
            assert header[:5] == b"\x7fELF\x02", f"{self.path} is no 64-bit ELF file"
            offset, size, count = (*struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54))
            for number in range(count):
                file.seek(offset + number * size)
                kind, _, start, address, _, length = struct.unpack("<IIQQQQ", file.read(40))
                if kind == LOAD:
                    self._segments.append((start, start + length, address))

    def findings(self, needles: Mapping[str, Sequence[bytes]]) -> list[Finding]:
        """Where any piece of the needles is, each page of each needle once."""
        found: dict[tuple[str, int], Finding] = {}
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
            used = list(_used(data))
            for name, pieces in needles.items():
                for piece in pieces:
                    for offset in _places(data, used, piece):
                        found.setdefault((name, offset // PAGE), self._finding(name, offset))
        return list(found.values())

    def _finding(self, name: str, offset: int) -> Finding:
        for begin, end, base in self._segments:
            if begin <= offset < end:
                address = base + offset - begin
                return Finding(name, address, self._region_of(address))
        return Finding(name, 0, "registers")

    def _region_of(self, address: int) -> str:
        for region in self.regions:
            if region.begin <= address < region.end:
                return str(region)
        return "no mapping"


def _used(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """The stretches of pages that hold anything."""
    begin = None
    for at in range(0, len(data), PAGE):
        if data[at:at + PAGE] != EMPTY:
            begin = at if begin is None else begin
        elif begin is not None:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, len(data)


def _places(data: mmap.mmap, used: Sequence[tuple[int, int]], piece: bytes) -> Iterator[int]:
    for begin, end in used:
        at = data.find(piece, begin, end)
        while at >= 0:
            yield at
            at = data.find(piece, at + 1, end)


def cores_to(directory: Path) -> list[str]:
    """What to put before a command, for a kernel core of it to come to `directory`."""
    pattern = CORE_PATTERN.read_text().strip()
    if pattern.startswith(("|", "/")):
        raise AssertionError(f"{CORE_PATTERN} is '{pattern}': cores do not come to the directory of the "
                             "process; 'sysctl kernel.core_pattern=core' makes them")
    return ["prlimit", "--core=unlimited:unlimited", "env", "-C", str(directory)]


def kernel_core(process: subprocess.Popen[bytes], directory: Path) -> Core:
    """Ends a process that was started behind cores_to(directory)."""
    seen = regions(process.pid)
    Path(f"/proc/{process.pid}/coredump_filter").write_text(ALL_MEMORY)
    os.kill(process.pid, signal.SIGABRT)
    wait_for("the process ends", lambda: process.poll() is not None)
    saved = list(directory.glob("core*"))
    assert process.returncode == -signal.SIGABRT and len(saved) == 1, (process.returncode, saved)
    return Core(saved[0], seen)


def debugger_core(pid: int, path: Path, everything: bool = True) -> Core:
    """What gdb's gcore saves, with `everything` also the pages that are to be left out of cores."""
    seen = regions(pid)
    command = ["gcore", *(["-a"] if everything else []), "-o", str(path), str(pid)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    saved = path.with_name(f"{path.name}.{pid}")
    assert saved.exists(), f"gcore: {done.stdout}{done.stderr}"
    return Core(saved, seen)
