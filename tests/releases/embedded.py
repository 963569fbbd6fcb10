# SPDX-License-Identifier: LGPL-2.1-or-later
"""Embedded roots that the libvirt of each release opens, with its own driver or with ours."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.secret_files import Secret, write_file
from pairs import PATIENCE, Side

AGENT = Path(__file__).resolve().parent / "agent.py"


@dataclass(frozen=True)
class Driver:
    """The secret driver of a release, or ours there."""

    side: Side
    is_stock: bool

    @property
    def name(self) -> str:
        return f"{'stock' if self.is_stock else 'Keyhold on'} {self.side.name}"


@dataclass
class Answer:
    listed: set[str]
    values: dict[str, bytes]
    errors: dict[str, tuple[int, str]]
    key_missing: int  # VIR_ERR_INVALID_ENCR_KEY_SECRET where this libvirt has it


class Root:
    """An embedded root in `shared`, the directory that all sides have and AGENT is in. Key files are there
    as well."""

    def __init__(self, shared: Path, name: str, original: Root | None = None) -> None:
        self.shared, self.directory = shared, shared / name
        self.store = self.directory / "etc/secrets"
        if original:
            shutil.copytree(original.directory, self.directory)
        else:
            self.store.mkdir(parents=True)

    def formats(self) -> set[str]:
        """What the names of value files end in."""
        return {path.name.partition(".")[2] for path in self.store.iterdir()} - {"xml"}

    def configure(self, driver: Driver, text: str) -> None:
        """Puts a secret.conf where the driver reads it, with the paths that its side sees."""
        text = text.replace(str(self.shared), str(driver.side.shared))
        if not driver.is_stock:
            write_file(self.directory / "etc/secret.conf", text)
            return
        subprocess.run(driver.side.command("tee", "/etc/libvirt/secret.conf"), input=text, text=True,
                       stdout=subprocess.DEVNULL, check=True)

    def write(self, driver: Driver, values: dict[Secret, bytes]) -> None:
        self._ask(driver, "write", json.dumps(
            [[secret.xml, base64.b64encode(value).decode()] for secret, value in values.items()]))

    def read(self, driver: Driver) -> Answer:
        said: dict[str, Any] = json.loads(self._ask(driver, "read"))
        return Answer(set(said["listed"]),
                      {uuid: base64.b64decode(text) for uuid, text in said["values"].items()},
                      {uuid: (code, text) for uuid, (code, text) in said["errors"].items()},
                      said["key_missing"])

    def _ask(self, driver: Driver, action: str, stdin: str = "") -> str:
        side = driver.side
        ours = [] if driver.is_stock else ["env", f"LIBVIRT_DRIVER_DIR={side.drivers}"]
        done = subprocess.run(
            side.command(*ours, "/usr/bin/python3", "-B", side.shared / AGENT.name, action,
                         side.shared / self.directory.name),
            input=stdin, text=True, capture_output=True, timeout=5 * PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{driver.name}, {action}: {done.stderr[-2000:]}")
        return done.stdout
