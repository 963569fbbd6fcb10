# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base of the tests of connections: one host and its servers for a class."""

from typing import Any

from harness.case import SystemCase
from harness.daemon import Daemon
from harness.machine import User
from harness.secret_files import Secret, snapshot
from harness.waiting import wait_for

from example_host import ExampleHost


class RemoteCase(SystemCase):
    machine: ExampleHost
    daemon: Daemon  # of the system instance; made by `serve`
    secret: Secret  # what it had before it started

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine = ExampleHost()
        cls.addClassCleanup(cls.machine.close)

    def setUp(self) -> None:
        """Not a machine a test, as the base has it."""

    @classmethod
    def serve(cls, **options: Any) -> None:
        """Starts libvirtd; returns when it serves clients."""
        cls.secret = Secret(usage="of the host")
        cls.secret.write(cls.machine.store, b"value")
        cls.daemon = Daemon(cls.machine, **options)
        cls.addClassCleanup(cls.daemon.close)
        cls.daemon.answers()

    def assertRefused(self, uri: str, text: str, logged: str = "", user: User | None = None) -> None:
        """virsh fails with the text, learns nothing and changes nothing; the daemon logs the reason
        where the client does not get it."""
        new = Secret(usage="new")
        definition = self.machine.home / "new.xml"
        definition.write_text(new.xml)
        before, log = snapshot(self.machine.store), self.daemon.log_file.stat().st_size
        done = self.machine.virsh(f"secret-list; secret-define {definition}", uri=uri, user=user)
        self.assertIn(text, done.failed())
        wait_for(f"the log says: {logged}",
                 lambda: logged in self.daemon.log_file.read_bytes()[log:].decode())
        self.assertNotIn(self.secret.uuid, done.out)
        self.assertNotIn(new.uuid, done.out)
        self.assertEqual(snapshot(self.machine.store), before)
        self.assertIn(self.secret.value_in(self.machine.store).name, before)
