# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret:///session and secret+unix:///session: a daemon of the user's own, which the client starts."""

import os
import signal
from pathlib import Path

from every_call import EveryCall
from harness.daemon import loaded
from harness.machine import User
from harness.secret_files import Secret
from harness.settings import MODULE_NAME, settings
from harness.waiting import wait_for
from remote_case import RemoteCase

SHORT, LONG = "secret:///session", "secret+unix:///session"


class SessionCase(RemoteCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # such a daemon inherits no LIBVIRT_DRIVER_DIR: it loads from where libvirt is installed
        cls.machine.bind(Path(settings().secret_only), settings().installed)
        for user in (cls.machine.one, cls.machine.two):
            cls.addClassCleanup(cls.end_daemon, user)

    @staticmethod
    def daemon_pid(user: User) -> int:
        return int((user.runtime / "libvirtd.pid").read_text())

    @classmethod
    def end_daemon(cls, user: User) -> None:
        try:
            pid = cls.daemon_pid(user)
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            return
        wait_for("the session daemon ends", lambda: not Path(f"/proc/{pid}").exists())


class SessionUri(EveryCall, SessionCase):
    uri = SHORT

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.user = cls.machine.one


class SessionUriWithItsTransport(SessionUri):
    uri = LONG


class TwoUsers(SessionCase):
    def test_each_has_a_daemon_and_sees_no_secret_of_the_other(self) -> None:
        users = (self.machine.one, self.machine.two)
        secrets = {user: Secret(usage="same") for user in users}
        for user, secret in secrets.items():
            definition = user.home / "definition.xml"
            definition.write_text(secret.xml)
            definition.chmod(0o644)
            self.virsh(user, SHORT, "secret-define", str(definition))
        self.assertNotEqual(*(self.daemon_pid(user) for user in users))
        for user, other in (users, reversed(users)):
            self.assertEqual(loaded(self.daemon_pid(user), MODULE_NAME),
                             {settings().module.stat().st_ino})
            for uri in (SHORT, LONG):
                listed = self.virsh(user, uri, "secret-list").splitlines()[2:]
                self.assertEqual([line.split()[0] for line in listed], [secrets[user].uuid])
                missing = self.machine.virsh("secret-dumpxml", secrets[other].uuid, uri=uri, user=user)
                self.assertIn("Secret not found: no secret with matching uuid "
                              f"'{secrets[other].uuid}'", missing.failed())

    def virsh(self, user: User, uri: str, *command: str) -> str:
        return self.machine.virsh(*command, uri=uri, user=user).ok()

    def test_the_socket_of_another_user_is_out_of_reach(self) -> None:
        one, two = self.machine.one, self.machine.two
        self.virsh(one, SHORT, "uri")
        error = self.machine.virsh("secret-list", uri=f"{SHORT}?socket={one.runtime}/libvirt-sock",
                                   user=two).failed()
        self.assertIn("Permission denied", error)
