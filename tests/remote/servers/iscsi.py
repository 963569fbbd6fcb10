# SPDX-License-Identifier: LGPL-2.1-or-later
"""An iSCSI target with CHAP: tgtd, which needs no kernel module."""

import subprocess
from pathlib import Path

from harness.machine import Machine
from harness.waiting import wait_for

PORT = 3260


class Target:
    """One target with one disk, on the loopback of the machine."""

    IQN, USER, PASSWORD = "iqn.2020-01.com.example:disks", "guest", "password of the target"

    def __init__(self, machine: Machine, disk: Path) -> None:
        self._machine = machine
        self._environment = {"TGT_IPC_SOCKET": str(machine.home / "tgtd")}
        with (machine.home / "tgtd.out").open("wb") as output:
            self._process = machine.popen(
                "tgtd", "--foreground", "--iscsi", f"portal=127.0.0.1:{PORT}", env=self._environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for("tgtd answers", lambda: self._try("--op", "show", "--mode", "system"))
        self._admin("--op", "new", "--mode", "target", "--tid", "1", "--targetname", self.IQN)
        self._admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1",
                    "--backing-store", str(disk))
        self._admin("--op", "new", "--mode", "account", "--user", self.USER, "--password", self.PASSWORD)
        self._admin("--op", "bind", "--mode", "account", "--tid", "1", "--user", self.USER)
        self._admin("--op", "bind", "--mode", "target", "--tid", "1", "--initiator-address", "ALL")

    def _try(self, *arguments: str) -> bool:
        return self._machine.run("tgtadm", "--lld", "iscsi", *arguments, env=self._environment).code == 0

    def _admin(self, *arguments: str) -> None:
        self._machine.run("tgtadm", "--lld", "iscsi", *arguments, env=self._environment).ok()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
