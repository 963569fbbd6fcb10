# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with a network of its own, on which it is example.com."""

import os
import shutil
from pathlib import Path

from harness.machine import Machine
from harness.secret_files import write_file

NAME, OTHER_NAME = "example.com", "other.example.com"
HOSTS = f"127.0.0.1 {NAME} {OTHER_NAME}\n"
# sshd lets nobody in whose password is locked with "!"
SHADOW = "root:*:20000:0:99999:7:::\n"


class ExampleHost(Machine):
    """Beside what a Machine has, as seen from outside the namespaces: system_etc = /etc, with hosts,
    pki, sasl2, krb5.conf and shadow of its own, root_home = /root and system_run = /run."""

    namespaces = ("mount", "net", "uts")

    def __init__(self) -> None:
        super().__init__()
        self.system_etc, self.root_home = self.home / "system-etc", self.home / "root"
        self._make_etc()
        self.root_home.mkdir(mode=0o700)
        self.system_run = self.home / "system-run"
        (self.system_run / "libvirt").mkdir(parents=True)
        self.bind_all({self.system_etc: "/etc", self.root_home: "/root", self.system_run: "/run"})
        self.bind(self.run_dir, "/run/libvirt")
        self.run("sh", "-eu", "-c", f"ip link set lo up; hostname {NAME}").ok()

    def _make_etc(self) -> None:
        """A directory of links to the real entries, less those that the tests replace."""
        real = self.home / "real-etc"
        real.mkdir()
        self.system_etc.mkdir()
        self.run("mount", "--rbind", "/etc", str(real)).ok()
        own = {"hosts", "pki", "sasl2", "krb5.conf", "shadow"}
        for entry in Path("/etc").iterdir():
            if entry.name not in own:
                target = os.readlink(entry) if entry.is_symlink() else str(real / entry.name)
                (self.system_etc / entry.name).symlink_to(target)
        write_file(self.system_etc / "hosts", HOSTS, 0o644)
        write_file(self.system_etc / "shadow", SHADOW)

    def copy_client(self) -> Path:
        """The client program and what it needs, where every user can read them."""
        target = self.home / "client"
        here = Path(__file__).resolve().parent
        if not target.exists():
            shutil.copytree(here.parent / "harness", target / "harness",
                            ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(here / "client.py", target)
        return target / "client.py"
