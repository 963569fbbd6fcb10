# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret+ssh://root@example.com/system: a command on the server, started by sshd, carries the calls."""

from pathlib import Path

from every_call import EveryCall
from example_host import NAME
from remote_case import RemoteCase
from servers.ssh import Sshd

URI = f"secret+ssh://root@{NAME}/system"


class SshCase(RemoteCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sshd = Sshd(cls.machine)
        cls.addClassCleanup(cls.sshd.close)
        cls.serve()


class SshUri(EveryCall, SshCase):
    uri = URI


class SshUriWithTheHelperOfLibvirt(EveryCall, SshCase):
    uri = f"{URI}?proxy=native"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine.bind(Path("/dev/null"), "/usr/bin/nc")


class SshUriWithNetcat(EveryCall, SshCase):
    uri = f"{URI}?proxy=netcat"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine.bind(Path("/dev/null"), "/usr/bin/virt-ssh-helper")


class SshUriToAHostWithoutTheHelper(SshCase):
    """The client takes netcat where the server has nothing better."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine.bind(Path("/dev/null"), "/usr/bin/virt-ssh-helper")

    def test_secrets_are_listed(self) -> None:
        self.assertIn(self.secret.uuid, self.machine.virsh("secret-list", uri=URI).ok())
        self.assertIn("error:", self.machine.virsh("uri", uri=f"{URI}?proxy=native").failed())


class SshRefusals(SshCase):
    def refused_with(self, text: str) -> None:
        for proxy in ("native", "netcat"):
            with self.subTest(proxy=proxy):
                self.assertRefused(f"{URI}?proxy={proxy}", text)

    def test_unknown_host_key(self) -> None:
        self.sshd.known_hosts.unlink()
        self.refused_with("error: Cannot recv data: Host key verification failed.")

    def test_other_host_key_than_the_known_one(self) -> None:
        self.sshd.know_host(self.sshd.identity)
        self.refused_with("REMOTE HOST IDENTIFICATION HAS CHANGED!")

    def test_unknown_client_key(self) -> None:
        self.sshd.know_host(self.sshd.host_key)
        self.sshd.replace_identity()
        self.refused_with(f"error: Cannot recv data: root@{NAME}: Permission denied (publickey).")
