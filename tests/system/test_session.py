# SPDX-License-Identifier: LGPL-2.1-or-later
"""The session instance of an unprivileged user, whose daemon the client itself starts."""

import base64
import os
import signal
from pathlib import Path

from harness.case import SystemCase
from harness.daemon import loaded
from harness.machine import Result
from harness.secret_files import Secret, write_file
from harness.settings import MODULE_NAME, settings
from harness.waiting import wait_for

URI = "secret:///session"


class SessionInstance(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        # such a daemon inherits no LIBVIRT_DRIVER_DIR: it loads from where libvirt is installed
        self.machine.bind(Path(settings().secret_only), settings().installed)
        self.user = self.machine.one
        self.addCleanup(self.end_daemon, signal.SIGKILL)

    def daemon_pid(self) -> int:
        return int((self.user.runtime / "libvirtd.pid").read_text())

    def end_daemon(self, number: int) -> None:
        try:
            pid = self.daemon_pid()
            os.kill(pid, number)
        except (FileNotFoundError, ProcessLookupError):
            return
        wait_for("the session daemon ends", lambda: not Path(f"/proc/{pid}").exists())

    def virsh(self, *command: str) -> str:
        return self.try_virsh(*command).ok()

    def try_virsh(self, *command: str) -> Result:
        return self.machine.virsh(*command, uri=URI, user=self.user)

    def define(self, secret: Secret, value: bytes | None = None) -> None:  # type: ignore[override]
        definition = self.user.home / "definition.xml"
        write_file(definition, secret.xml, 0o644)
        self.virsh("secret-define", str(definition))
        if value is not None:
            self.virsh("secret-set-value", secret.uuid, "--base64", base64.b64encode(value).decode())

    def test_the_daemon_that_virsh_starts_loads_the_module_under_test(self) -> None:
        self.virsh("secret-list")
        self.assertEqual(loaded(self.daemon_pid(), MODULE_NAME), {settings().module.stat().st_ino})

    def test_a_secret_lives_from_definition_to_undefinition(self) -> None:
        secret = Secret(usage="mine", description="of one")
        self.define(secret, b"value")
        self.assertEqual(self.virsh("secret-get-value", secret.uuid), "dmFsdWU=")
        self.assertEqual(self.virsh("secret-dumpxml", secret.uuid), secret.xml.strip())
        self.assertIn(secret.uuid, self.virsh("secret-list"))
        self.virsh("secret-undefine", secret.uuid)
        self.assertNotIn(secret.uuid, self.virsh("secret-list"))
        self.assertEqual(list(self.user.store.iterdir()), [])

    def test_files_are_the_users_own_and_nobody_elses(self) -> None:
        secret = Secret(usage="mine")
        self.define(secret, b"value")
        store, state = self.user.store, self.user.runtime / "secrets/run"
        self.assertEqual({path.name for path in store.iterdir()},
                         {f"{secret.uuid}.xml", f"{secret.uuid}.base64"})
        for path in (*store.iterdir(), store, state):
            mode = 0o700 if path.is_dir() else 0o600
            self.assertEqual((path.stat().st_mode & 0o7777, path.stat().st_uid), (mode, self.user.uid))
        self.assertEqual((state / "driver.pid").read_text(), str(self.daemon_pid()))
        self.assertFalse(self.machine.store.exists())

    def test_without_xdg_variables_the_files_are_below_the_home_directory(self) -> None:
        secret = Secret(usage="mine")
        definition = self.user.home / "definition.xml"
        write_file(definition, secret.xml, 0o644)
        unset = ("env", "-u", "XDG_CONFIG_HOME", "-u", "XDG_CACHE_HOME")
        self.machine.run(*unset, "virsh", "-c", URI, "secret-define", str(definition),
                         user=self.user).ok()
        self.assertTrue(secret.xml_in(self.user.home / ".config/libvirt/secrets").exists())

    def test_secrets_outlive_the_daemon_whether_it_is_stopped_or_killed(self) -> None:
        secret = Secret(usage="mine")
        self.define(secret, b"value")
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.end_daemon(number)
            self.assertEqual(self.virsh("secret-get-value", secret.uuid), "dmFsdWU=")

    def test_a_private_value_is_refused_to_its_own_user(self) -> None:
        secret = Secret(usage="mine", private=True)
        self.define(secret, b"value")
        self.assertIn("secret is private", self.try_virsh("secret-get-value", secret.uuid).failed())

    def test_other_paths_than_session_are_refused(self) -> None:
        self.virsh("secret-list")
        socket = self.user.runtime / "libvirt-sock"
        for path in ("system", "bogus", ""):
            result = self.machine.virsh("uri", uri=f"secret:///{path}?socket={socket}", user=self.user)
            self.assertIn(f"unexpected secret URI path '/{path}', try secret:///session",
                          result.failed())

    def test_two_users_have_two_stores(self) -> None:
        mine, theirs = Secret(usage="same"), Secret(usage="same")
        self.define(mine, b"one")
        daemon = self.start(user=self.machine.two)
        super().define(daemon.open(), theirs, b"two")
        self.assertIn(mine.uuid, self.virsh("secret-list"))
        self.assertNotIn(theirs.uuid, self.virsh("secret-list"))
        self.assertListed(daemon.open(), theirs)

    def test_a_system_daemon_and_a_session_daemon_share_nothing(self) -> None:
        mine, system = Secret(usage="same"), Secret(usage="same")
        self.define(mine, b"one")
        daemon = self.start()
        super().define(daemon.open(), system, b"two")
        self.assertListed(daemon.open(), system)
        self.assertNotIn(system.uuid, self.virsh("secret-list"))
