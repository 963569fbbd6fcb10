# SPDX-License-Identifier: LGPL-2.1-or-later
"""What run.py passes to the processes that run the tests."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "KEYHOLD_SYSTEM_TESTS"
MODULE_NAME = "libvirt_driver_secret.so"
INSTALLED_DRIVER_DIRS = (
    *Path("/usr/lib").glob("*-linux-gnu*/libvirt/connection-driver"),
    Path("/usr/lib64/libvirt/connection-driver"),
    Path("/usr/lib/libvirt/connection-driver"),
)


@dataclass(frozen=True)
class Settings:
    tests: str  # the directory of the test_*.py
    work: str  # a directory of this run, removed at its end
    secret_only: str  # a driver directory that holds the secret module alone
    with_qemu: str = ""  # the same with the installed QEMU module beside it
    installed: str = ""  # where the installed libvirt loads its drivers from
    stock: bool = False  # the module under test is libvirt's own
    command: str = ""  # the operator's command; empty if it was not given
    patience: float = 60.0  # seconds after which something that should happen counts as not happening

    @property
    def module(self) -> Path:
        return Path(self.secret_only) / MODULE_NAME

    def export(self) -> None:
        os.environ[VARIABLE] = json.dumps(asdict(self))


def settings() -> Settings:
    return Settings(**json.loads(os.environ[VARIABLE]))


def installed_driver_dir() -> Path:
    for directory in INSTALLED_DRIVER_DIRS:
        if directory.is_dir():
            return directory
    raise SystemExit("no installed libvirt driver directory: install libvirt-daemon")
