# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold beside a daemon whose module was replaced since it was loaded."""

import shutil
from pathlib import Path

from harness.command_case import CommandCase
from harness.daemon import Daemon
from harness.keyhold import Keyhold
from harness.settings import MODULE_NAME, installed_driver_dir, settings


class ReplacedModule(CommandCase):
    """The package of the driver is upgraded, and the daemon runs on."""

    def setUp(self) -> None:
        super().setUp()
        self.drivers = self.machine.home / "drivers"
        self.drivers.mkdir(mode=0o755)
        self.module = self.drivers / MODULE_NAME

    def replace(self, source: Path) -> None:
        """As dpkg does: a new file takes the name."""
        new = self.module.with_suffix(".dpkg-new")
        shutil.copyfile(source, new)
        new.rename(self.module)

    def assertKnown(self, keyhold: Keyhold, daemon: Daemon, isReplaced: bool) -> None:
        holder = keyhold.status()["holder"]
        self.assertEqual((holder["pid"], holder["driver"], holder["moduleReplaced"]),
                         (daemon.pid, "keyhold", isReplaced))
        isReported = "with Keyhold; its module was replaced: restart it" in keyhold.run("status").ok()
        self.assertEqual(isReported, isReplaced)

    def test_seal_works_beside_the_daemon_that_has_the_former_one(self) -> None:
        shutil.copyfile(settings().module, self.module)
        daemon = self.start(driver_dir=str(self.drivers))
        self.assertKnown(self.keyhold, daemon, False)
        self.replace(settings().module)
        self.assertKnown(self.keyhold, daemon, True)
        self.configure(seal_existing=1)
        self.assertEqual(self.keyhold.json("seal")["converted"], self.COUNT)
        self.assertFormats(self.store, "jwe", self.COUNT)

    def test_a_user_sees_it_of_a_session_daemon(self) -> None:
        user = self.machine.one
        shutil.copyfile(settings().module, self.module)
        daemon = self.start(user=user, driver_dir=str(self.drivers))
        keyhold = Keyhold(self.machine, user)
        self.assertKnown(keyhold, daemon, False)
        self.replace(settings().module)
        self.assertKnown(keyhold, daemon, True)

    def test_libvirts_own_that_was_diverted(self) -> None:
        shutil.copyfile(installed_driver_dir() / MODULE_NAME, self.module)
        daemon = self.start(driver_dir=str(self.drivers))
        self.module.rename(self.drivers / f"{MODULE_NAME}.distrib")
        self.replace(settings().module)
        holder = self.keyhold.status()["holder"]
        self.assertEqual((holder["pid"], holder["driver"], holder["moduleReplaced"]),
                         (daemon.pid, "other", True))
        self.configure(seal_existing=1)
        self.assertIn("with libvirt's own driver; stop it first", self.keyhold.run("seal").err)
