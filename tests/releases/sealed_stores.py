# SPDX-License-Identifier: LGPL-2.1-or-later
"""A store that stock libvirt 12.1 or later has encrypted: under our driver on every release it opens, its
values are sealed, the key is rotated, all is taken back to plain files, and the stock drivers of all
releases open those."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded import Answer, Driver, Root
from harness.sealed_files import KeyFile, key_id_of, secret_conf
from harness.secret_files import Secret
from pairs import Side, equal

SIZES = (1, 15, 16, 17, 28, 31, 32, 33, 1024, 65536)
# what stock had written, kept because nothing in it proves the key
QUARANTINED = "aes256cbc.aside-1"
Note = Callable[[str, bool, str], None]


def secrets() -> dict[Secret, bytes]:
    values = {Secret(usage=f"of {size} bytes"): os.urandom(size) for size in SIZES}
    values |= {
        Secret(usage="/a/volume", type="volume", description="d & <d>"): b"a value\0with a NUL and \xff\n",
        Secret(usage="iqn.2026-11.org.example:target", type="iscsi"): b"\0" * 48,
        Secret(usage="tls", type="tls"): b"\x10" * 16,  # is padding all over
        Secret(usage="vtpm", type="vtpm"): b"text",
        Secret(): b"of no use",
    }
    return values


def opens(what: str, answer: Answer, values: dict[Secret, bytes]) -> None:
    equal(f"{what}: errors", answer.errors, {})
    equal(f"{what}: listed", answer.listed, {secret.uuid for secret in values})
    for secret, value in values.items():
        equal(f"{what}: value of '{secret.usage}'", answer.values[secret.uuid], value)


def is_encrypted(root: Root) -> None:
    equal("forms that stock has written", root.formats(), {"aes256cbc"})


def check(ours: Driver, here: Driver, command: Path, stock: Sequence[Driver], original: Root,
          key: KeyFile, values: dict[Secret, bytes]) -> None:
    shared = original.shared
    root = Root(shared, f"opened-by-{ours.side.name}", original)

    lost = KeyFile(shared / "lost", b"")
    root.configure(ours, secret_conf(key=lost))
    answer = root.read(ours)
    equal("listed without the key", answer.listed, {secret.uuid for secret in values})
    equal("error codes without the key", {code for code, _ in answer.errors.values()},
          {answer.key_missing})
    equal("values without the key", answer.values, {})

    root.configure(ours, secret_conf(key=key))
    opens("with the key that encrypted it", root.read(ours), values)
    is_encrypted(root)

    root.configure(ours, secret_conf(key=key, seal_existing=1))
    opens("sealed", root.read(ours), values)
    equal("formats, sealed", root.formats(), {"jwe", QUARANTINED})
    equal("keys, sealed", {key_id_of(path) for path in root.store.glob("*.jwe")}, {key.id})

    new = KeyFile.make(shared / f"new-of-{ours.side.name}")
    root.configure(ours, secret_conf(key=new, earlier=[key]))
    opens("rotated", root.read(ours), values)
    equal("keys, rotated", {key_id_of(path) for path in root.store.glob("*.jwe")}, {new.id})

    other = Root(shared, f"unsealed-from-{ours.side.name}", root)
    root.configure(ours, secret_conf(encrypt=False, earlier=[new], unseal_existing=1))
    opens("taken back by settings", root.read(ours), values)
    goes_to_stock(root, stock, values)

    other.configure(here, secret_conf(key=new))
    done = subprocess.run([command, "unseal", "--root", other.directory], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL)
    equal(f"keyhold unseal ({done.stderr})", done.returncode, 0)
    goes_to_stock(other, stock, values)


def goes_to_stock(root: Root, stock: Sequence[Driver], values: dict[Secret, bytes]) -> None:
    equal("formats, taken back", root.formats(), {"base64", QUARANTINED})
    for driver in stock:
        root.configure(driver, "")
        copied = Root(root.shared, f"{root.directory.name}-for-{driver.side.name}", root)
        opens(driver.name, copied.read(driver), values)


def run(sides: Sequence[Side], command: Path, shared: Path, note: Note) -> None:
    """Of `sides` the first one is this system, where `command` is run, and the last one has a libvirt
    that encrypts."""
    stock = [Driver(side, is_stock=True) for side in sides]
    key = KeyFile.make(shared / "key")
    values = secrets()
    original = Root(shared, "encrypted")
    writer = stock[-1]
    original.configure(writer, secret_conf(key=key))
    try:
        original.write(writer, values)
        is_encrypted(original)
        opens(writer.name, original.read(writer), values)
    except (AssertionError, subprocess.TimeoutExpired) as failure:
        note(f"{writer.name} encrypts a store", False, str(failure))
        return
    for side in sides:
        what = f"a store of {writer.name} under Keyhold on {side.name}, and back"
        try:
            check(Driver(side, is_stock=False), Driver(sides[0], is_stock=False), command, stock, original,
                  key, values)
            note(what, True, "")
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            note(what, False, str(failure))
