# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions and files of secrets, as clients and deployment tools write them."""

import base64
import os
import uuid as uuids
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

_CHILD = {"volume": "volume", "iscsi": "target"}


@dataclass(frozen=True)
class Secret:
    """A definition that a test chose; `xml` is the text the stock driver answers and writes."""

    uuid: str = field(default_factory=lambda: str(uuids.uuid4()))
    usage: str = ""
    type: str = "ceph"
    description: str = ""
    ephemeral: bool = False
    private: bool = False

    @property
    def xml(self) -> str:
        answer = {True: "yes", False: "no"}
        child = _CHILD.get(self.type, "name")
        lines = [f"<secret ephemeral='{answer[self.ephemeral]}' private='{answer[self.private]}'>",
                 f"  <uuid>{self.uuid}</uuid>"]
        if self.description:
            lines.append(f"  <description>{escape(self.description)}</description>")
        if self.usage:
            lines += [f"  <usage type='{self.type}'>", f"    <{child}>{escape(self.usage)}</{child}>",
                      "  </usage>"]
        return "\n".join([*lines, "</secret>", ""])

    def xml_in(self, store: Path) -> Path:
        return store / f"{self.uuid}.xml"

    def value_in(self, store: Path) -> Path:
        return store / f"{self.uuid}.base64"

    def write(self, store: Path, value: bytes | None = None, newline: bool = False) -> None:
        """Writes both files as a tool does that knows the directory."""
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(self.xml_in(store), self.xml)
        if value is not None:
            write_value(self.value_in(store), value, newline)


def write_file(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def write_value(path: Path, value: bytes, newline: bool = False) -> None:
    write_file(path, base64.b64encode(value) + (b"\n" if newline else b""))


def snapshot(store: Path, ignore: Iterable[str] = ()) -> dict[str, bytes | str]:
    """What is in the store: contents of files, targets of links, marks for the rest."""
    found: dict[str, bytes | str] = {}
    for path in sorted(store.iterdir()):
        if path.name in ignore:
            continue
        if path.is_symlink():
            found[path.name] = f"link to {os.readlink(path)}"
        elif path.is_file():
            found[path.name] = path.read_bytes()
        else:
            found[path.name] = "directory" if path.is_dir() else "special"
    return found
