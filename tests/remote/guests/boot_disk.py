# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks to boot from."""

import fcntl
import shutil
from pathlib import Path

from harness.machine import Machine, User
from harness.settings import settings
from harness.waiting import wait_for

from . import boot_sector

PASSPHRASE = b"a passphrase"


def write_raw(path: Path) -> None:
    path.write_bytes(boot_sector.image())


def write_luks(machine: Machine, path: Path, user: User | None = None) -> None:
    """A LUKS image with the boot sector inside, under PASSPHRASE."""
    # made once a run, because that takes seconds
    template = Path(settings().work) / "boot.luks"
    with template.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            fresh = machine.home / "boot.luks"
            _make_luks(machine, fresh)
            fresh.rename(template)
    shutil.copyfile(template, path)
    if user is not None:
        user.owns(path)


def _make_luks(machine: Machine, path: Path) -> None:
    raw, key = path.with_suffix(".raw"), path.with_suffix(".key")
    write_raw(raw)
    key.write_bytes(PASSPHRASE)

    def convert() -> bool:
        made = machine.run(
            "qemu-img", "convert", "-f", "raw", "-O", "luks", "--object", f"secret,id=key,file={key}",
            "-o", "key-secret=key,iter-time=10", str(raw), str(path))
        # where processor time is counted in ticks, its own measurement fails now and then
        if "Unable to get accurate CPU usage" in made.err:
            return False
        made.ok()
        return True
    wait_for("qemu-img makes an image", convert)
