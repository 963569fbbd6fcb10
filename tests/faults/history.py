# SPDX-License-Identifier: LGPL-2.1-or-later
"""What writers were answered, and so what a store must and may hold."""

import hashlib
from dataclasses import dataclass, replace

WRITERS = 4
SECRETS = 3  # of each writer


@dataclass(frozen=True)
class State:
    """Of a defined secret. What was written is known by its number."""

    description: int
    value: int | None = None


Possible = frozenset[State | None]


def uuid_of(writer: int, secret: int) -> str:
    return f"5ec2e700-0000-4000-8000-{writer:06}{secret:06}"


def value_of(number: int, largest: int) -> bytes:
    """Of up to `largest` bytes; no two numbers have the same."""
    block = hashlib.sha256(str(number).encode()).digest()
    size = 16 + int.from_bytes(block[:4], "big") % (largest - 15)
    return (b"%d " % number + block * (size // len(block) + 1))[:size]


def applied(change: str, number: int, before: State | None) -> State | None:
    if change == "undefine":
        return None
    if change == "define":
        return replace(before, description=number) if before else State(number)
    return replace(before, value=number) if before else None


class History:
    """Lines of writers.py, as they come."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.refused = 0
        self._possible: dict[str, Possible] = {}
        self._begun: dict[str, tuple[str, int, str]] = {}

    def add(self, line: str) -> None:
        word, writer, *rest = line.split()
        if word == "begin":
            change, number, uuid = rest
            self._begun[writer] = change, int(number), uuid
            return
        change, number, uuid = self._begun.pop(writer)
        before = self.possible(uuid)
        after = frozenset(applied(change, number, state) for state in before)
        # what was refused may be there all the same, where it could not be taken back
        self._possible[uuid] = after if word == "done" else before | after
        self.acknowledged += word == "done"
        self.refused += word != "done"

    def end(self) -> None:
        """What was in flight counts as refused."""
        for writer in list(self._begun):
            self.add(f"refused {writer}")

    def possible(self, uuid: str) -> Possible:
        return self._possible.get(uuid, frozenset({None}))

    def complaints(self, found: dict[str, State | None]) -> list[str]:
        uuids = {uuid_of(writer, secret) for writer in range(WRITERS) for secret in range(SECRETS)}
        wrong = [f"{uuid} is nobody's" for uuid in found.keys() - uuids]
        for uuid in sorted(uuids):
            if found.get(uuid) not in self.possible(uuid):
                wrong.append(f"{uuid} is {found.get(uuid)}, and may be {set(self.possible(uuid))}")
        return wrong
