# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk whose boot sector says on the serial port that it was read."""

import fcntl
import shutil
from pathlib import Path

from harness.machine import Machine, User
from harness.settings import settings
from harness.waiting import wait_for

GREETING = "booted from this disk"
PASSPHRASE = b"a passphrase"
# xor ax,ax; mov ds,ax; mov si,text; mov dx,0x3f8
# next: lodsb; test al,al; jz stop; out dx,al; jmp next
# stop: hlt; jmp stop
# text: at 0x7c00 + 21, where the BIOS puts it
_CODE = bytes.fromhex("31c0 8ed8 be157c baf803  ac 84c0 7403 ee ebf8  f4 ebfd")
SIZE = 1 << 20


def boot_sector() -> bytes:
    return (_CODE + GREETING.encode() + b"\n\0").ljust(510, b"\0") + b"\x55\xaa"


def write_raw(path: Path) -> None:
    path.write_bytes(boot_sector().ljust(SIZE, b"\0"))


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
