# SPDX-License-Identifier: LGPL-2.1-or-later
"""What drivers make of encrypted value files under a wrong key, and of files that somebody altered.

The same experiments with a stock driver that encrypts (libvirt 12.1 and later) and with ours. Each of
them is one root in which each secret is one case; a driver opens it and is asked for every value. Prints
the table of docs/tampering.md."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded import Driver, Root
from harness.sealed_files import KeyFile, secret_conf
from harness.secret_files import Secret
from pairs import Side, equal

WRONG_KEY_CASES = 1000
RANDOM_FILES = 4096
RANDOM_BYTES = 64
VALUE_SIZE = 28  # of a cephx key
Note = Callable[[str, bool, str], None]
Alter = Callable[[list[Path]], None]


@dataclass(frozen=True)
class Outcome:
    """Of one driver in one experiment."""

    secrets: int
    listed: int
    served: int  # values that were given out, right or wrong
    wrong: int  # of them, those that are not what was stored

    def __str__(self) -> str:
        share = f" ({100 * self.wrong / self.secrets:.1f} %)" if self.wrong else ""
        return f"{self.wrong}{share} of {self.secrets}, {self.listed} listed"


@dataclass(frozen=True)
class Form:
    """What a driver writes."""

    suffix: str
    writer: Driver
    read_by: Sequence[Driver]


def swap(files: list[Path]) -> None:
    one, two = (path.read_bytes() for path in files)
    files[0].write_bytes(two)
    files[1].write_bytes(one)


def flip_each_bit(files: list[Path]) -> None:
    """Another bit of each file, until there is none left."""
    for number, path in enumerate(files):
        content = bytearray(path.read_bytes())
        content[number // 8] ^= 1 << number % 8
        path.write_bytes(content)


def truncate_everywhere(files: list[Path]) -> None:
    for length, path in enumerate(files):
        os.truncate(path, length)


def fill_with_random(files: list[Path]) -> None:
    """Well-formed files: only what should be encrypted is random."""
    for path in files:
        if path.suffix == ".jwe":
            header = path.read_text().partition(".")[0]
            parts = [header, "", *(base64.urlsafe_b64encode(os.urandom(size)).decode().rstrip("=")
                                   for size in (12, RANDOM_BYTES, 16))]
            path.write_text(".".join(parts))
        else:
            path.write_bytes(base64.b64encode(os.urandom(RANDOM_BYTES)))


class Experiments:
    def __init__(self, shared: Path, form: Form) -> None:
        self.shared, self.form = shared, form
        self.key = KeyFile.make(shared / "experiment")
        self.count = 0

    def files(self, root: Root) -> list[Path]:
        return sorted(root.store.glob(f"*.{self.form.suffix}"))

    def written(self, count: int) -> tuple[Root, dict[Secret, bytes]]:
        """A root in which the writer has stored `count` values."""
        self.count += 1
        root = Root(self.shared, f"experiment-{self.form.suffix}-{self.count}")
        values = {Secret(usage=f"number {number}"): os.urandom(VALUE_SIZE) for number in range(count)}
        root.configure(self.form.writer, secret_conf(key=self.key))
        root.write(self.form.writer, values)
        equal("value files", len(self.files(root)), count)
        return root, values

    def size(self) -> int:
        """Bytes of one file; all are alike."""
        return self.files(self.written(1)[0])[0].stat().st_size

    def outcomes(self, count: int, alter: Alter, key: KeyFile | None = None) -> dict[Driver, Outcome]:
        root, values = self.written(count)
        alter(self.files(root))
        found = {}
        for driver in self.form.read_by:
            self.count += 1
            copied = Root(self.shared, f"experiment-{self.form.suffix}-{self.count}", root)
            copied.configure(driver, secret_conf(key=key or self.key))
            answer = copied.read(driver)
            right = {secret.uuid: value for secret, value in values.items()}
            wrong = sum(value != right[uuid] for uuid, value in answer.values.items())
            found[driver] = Outcome(count, len(answer.listed), len(answer.values), wrong)
        return found

    def all(self) -> Iterator[tuple[str, dict[Driver, Outcome]]]:
        size = self.size()
        yield "another key of 32 bytes", self.outcomes(
            WRONG_KEY_CASES, lambda _files: None, KeyFile.make(self.shared / "wrong"))
        yield f"{RANDOM_BYTES} random bytes where the encrypted value should be", self.outcomes(
            RANDOM_FILES, fill_with_random)
        yield "one bit of the file flipped, each in turn", self.outcomes(8 * size, flip_each_bit)
        yield "the files of two secrets swapped", self.outcomes(2, swap)
        yield "the file cut short, at each length", self.outcomes(size, truncate_everywhere)


def print_table(rows: dict[str, dict[Driver, Outcome]], drivers: Sequence[Driver]) -> None:
    print("| experiment |" + "".join(f" {driver.name} |" for driver in drivers))
    print("|---|" + "---|" * len(drivers))
    for name, outcomes in rows.items():
        print(f"| {name} |" + "".join(f" {outcomes[driver]} |" for driver in drivers))


def check(drivers: Sequence[Driver], rows: dict[str, dict[Driver, Outcome]], served: int | None) -> None:
    for name, outcomes in rows.items():
        for driver in drivers:
            outcome = outcomes[driver]
            equal(f"{driver.name}, {name}: definitions", outcome.listed, outcome.secrets)
            if served is not None:
                equal(f"{driver.name}, {name}: values served", outcome.served, served)


def run(sides: Sequence[Side], shared: Path, note: Note) -> None:
    """Of `sides` the last one has a libvirt that encrypts."""
    stock = Driver(sides[-1], is_stock=True)
    ours = [Driver(side, is_stock=False) for side in (sides[-1], sides[0])]
    try:
        theirs = dict(Experiments(shared, Form("aes256cbc", stock, [stock, *ours])).all())
        sealed = dict(Experiments(shared, Form("jwe", ours[0], ours)).all())
    except (AssertionError, subprocess.TimeoutExpired) as failure:
        note("experiments with altered files", False, str(failure))
        return
    print("wrong values served, each driver's own files:")
    print_table({name: {**sealed[name], stock: theirs[name][stock]} for name in sealed}, [stock, *ours])
    print("wrong values served, files that stock has encrypted:")
    print_table(theirs, [stock, *ours])
    for what, test in {
        "no value of an altered sealed file is served": lambda: check(ours, sealed, 0),
        "no definition is lost for an altered file of stock": lambda: check(ours, theirs, None),
        "stock serves wrong values, so that the experiments can fail":
            lambda: equal("wrong values", any(row[stock].wrong for row in theirs.values()), True),
    }.items():
        try:
            test()
            note(what, True, "")
        except AssertionError as failure:
            note(what, False, str(failure))
