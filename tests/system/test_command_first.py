# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirtd that starts while keyhold has the store."""

import os
import signal

from harness.command_case import CommandCase
from harness.keyhold import wait_stopped
from harness.secret_files import Secret
from harness.waiting import wait_for


class BesideTheCommand(CommandCase):
    """A daemon that a client's connection starts while the command works."""

    def test_the_daemon_reads_and_changes_once_the_command_has_ended(self) -> None:
        self.configure()
        command = self.keyhold.start_stopped("seal", at_sync=4)
        self.addCleanup(command.wait)
        self.addCleanup(command.kill)
        pid = wait_stopped(self.machine.state / "driver.pid")

        daemon = self.start()
        connection = daemon.open()
        for secret, value in zip(self.secrets, self.values):
            self.assertEqual(self.value_of(connection, secret), value)
        error = self.refusal(self.define, connection, Secret(usage="new"))
        self.assertIn(f"in use by keyhold (process {pid}); try again once that has ended", str(error))
        os.kill(pid, signal.SIGCONT)
        wait_for("the command ends", lambda: command.poll() is not None)
        self.assertEqual(command.returncode, 0)
        self.assertFormats(self.store, "jwe", self.COUNT)

        self.define(connection, Secret(usage="new"), b"new")
        self.assertFormats(self.store, "jwe", self.COUNT + 1)
        for secret, value in zip(self.secrets, self.values):
            self.assertEqual(self.value_of(connection, secret), value)
        self.assertEqual(self.keyhold.status()["holder"]["pid"], daemon.pid)
