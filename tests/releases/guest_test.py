#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-qemu-run with secrets in the libvirt of this system: a guest boots from a LUKS disk whose
passphrase came with -s. Run by run.py like smoke_test.py, with boot_sector.py beside it.

    guest_test.py DRIVERS      a directory that holds our libvirt_driver_secret.so
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import boot_sector

DRIVERS = Path("/nonexistent")
UUID = "6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d10"
PASSPHRASE = "a passphrase"
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 300.0  # seconds until a test gives up; no result depends on it
CONFIGURATION = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = []
security_driver = "none"
namespaces = []
stdio_handler = "file"
"""
GUEST = """
<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'>
        <encryption format='luks'><secret type='passphrase' uuid='{uuid}'/></encryption>
      </source>
      <target dev='hda' bus='ide'/>
    </disk>
    <serial type='file'><source path='{console}'/></serial>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>"""


def make_disk(disk: Path) -> None:
    raw = disk.with_suffix(".raw")
    raw.write_bytes(boot_sector.image())
    command = ["qemu-img", "convert", "-f", "raw", "-O", "luks",
               "--object", f"secret,id=key,data={PASSPHRASE}",
               "-o", "key-secret=key,iter-time=10", str(raw), str(disk)]
    end = time.monotonic() + PATIENCE
    while True:
        made = subprocess.run(command, capture_output=True, text=True)
        # where processor time is counted in ticks, its own measurement fails now and then
        if "Unable to get accurate CPU usage" not in made.stderr or time.monotonic() > end:
            break
    if made.returncode != 0:
        raise AssertionError(made.stderr)
    raw.unlink()


class VirtQemuRun(unittest.TestCase):
    disk: Path
    directory: Path
    virtlogd: subprocess.Popen[bytes]

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(tempfile.mkdtemp(prefix="guest-"))
        cls.directory.chmod(0o755)
        cls.disk = cls.directory / "disk.luks"
        make_disk(cls.disk)
        (cls.directory / "drivers").mkdir()
        stock = next(Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_qemu.so"))
        for module in (stock, DRIVERS / "libvirt_driver_secret.so"):
            (cls.directory / "drivers" / module.name).symlink_to(module)
        # without -r nothing makes the QEMU driver write its logs itself
        cls.virtlogd = subprocess.Popen(["virtlogd"], stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not Path("/run/libvirt/virtlogd-sock").exists() and time.monotonic() < end:
            time.sleep(0.02)
        (cls.directory / "value").write_text(PASSPHRASE)
        (cls.directory / "wrong").write_text("another")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.virtlogd.terminate()
        cls.virtlogd.wait()
        shutil.rmtree(cls.directory)

    def setUp(self) -> None:
        self.console = self.directory / "console"
        self.console.unlink(missing_ok=True)
        self.guest = self.directory / "guest.xml"
        self.guest.write_text(GUEST.format(disk=self.disk, uuid=UUID, console=self.console))

    def secret(self, attributes: str) -> Path:
        path = self.directory / "secret.xml"
        path.write_text(f"<secret {attributes}><uuid>{UUID}</uuid>"
                        f"<usage type='volume'><volume>{self.disk}</volume></usage></secret>")
        return path

    def run_guest(self, attributes: str, value: str, *options: str) -> tuple[bool, str]:
        """Whether it booted, and what virt-qemu-run said until it ended."""
        process = subprocess.Popen(
            ["virt-qemu-run", *options, "-s", f"{self.secret(attributes)},{self.directory / value}",
             str(self.guest)],
            env={**os.environ, "LIBVIRT_DRIVER_DIR": str(self.directory / "drivers")}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        end = time.monotonic() + PATIENCE
        booted = False
        while not booted and process.poll() is None and time.monotonic() < end:
            booted = self.console.exists() and boot_sector.GREETING in self.console.read_text()
            time.sleep(0.02)
        process.terminate()
        return booted, process.communicate(timeout=PATIENCE)[0]

    def assertBoots(self, attributes: str, *options: str) -> None:
        booted, said = self.run_guest(attributes, "value", *options)
        self.assertTrue(booted, said)

    def root(self) -> Path:
        root = Path(tempfile.mkdtemp(prefix="root-", dir=self.directory))
        (root / "etc").mkdir()
        (root / "etc/qemu.conf").write_text(CONFIGURATION)
        # what libvirt learns of the QEMU binary, which takes seconds
        (self.directory / "capabilities").mkdir(exist_ok=True)
        (root / "cache/qemu").mkdir(parents=True)
        (root / "cache/qemu/capabilities").symlink_to(self.directory / "capabilities")
        return root

    def test_boots_in_a_root_of_its_own(self) -> None:
        for attributes in ("", "private='yes' ephemeral='yes'"):
            with self.subTest(attributes=attributes):
                self.assertBoots(attributes)

    def test_boots_in_a_root_that_is_named_and_leaves_a_persistent_secret_there(self) -> None:
        root = self.root()
        self.assertBoots("", "-r", str(root))
        self.assertEqual({path.name for path in (root / "etc/secrets").iterdir()},
                         {f"{UUID}.xml", f"{UUID}.base64"})
        self.assertBoots("", "-r", str(root))

    def test_boots_in_a_root_that_is_named_and_leaves_no_ephemeral_secret_there(self) -> None:
        root = self.root()
        self.assertBoots("private='yes' ephemeral='yes'", "-r", str(root))
        self.assertEqual(list((root / "etc/secrets").iterdir()), [])

    def test_a_wrong_value_is_named(self) -> None:
        booted, said = self.run_guest("", "wrong", "-r", str(self.root()))
        self.assertFalse(booted)
        self.assertIn("nvalid password", said)


def reaping(run: Callable[[], None]) -> int:
    """Runs `run` in a child, and reaps QEMU when it has daemonized itself: libvirt waits for that."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    pid = os.fork()
    if pid == 0:
        run()
    while True:
        done, status = os.wait()
        if done == pid:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    DRIVERS = Path(sys.argv.pop(1))
    sys.exit(reaping(unittest.main))
