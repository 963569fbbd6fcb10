# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold check beside a daemon: what differs between it and the files."""

import json
import shutil

from harness.check_case import CRITICAL, GOOD, UNKNOWN, WARNING, CheckCase
from harness.sealed_files import sealed_in
from harness.secret_files import Secret


class CheckBesideADaemon(CheckCase):
    def test_the_stock_driver_over_sealed_values(self) -> None:
        self.configure(encrypt=False)
        daemon = self.start_stock()
        self.assertFound(WARNING, "driver")
        daemon.stop()
        self.configure()
        self.keyhold.run("seal").ok()
        daemon = self.start_stock()
        self.assertFound(CRITICAL, "other-driver")
        self.assertIn("cannot read sealed values (3 here)", self.check().out)
        [store] = json.loads(self.check("--json").out)["stores"]
        self.assertEqual((store["counts"]["unreadable"], store["counts"]["sealed"]), (self.COUNT, self.COUNT))
        self.assertRegex(self.check("--prometheus").out, r"(?m)^keyhold_secrets_unreadable\{.*\} 3$")
        self.assertIn(" unreadable=3 ", self.check("--nagios").out)
        self.assertEqual(self.keyhold.status()["unreadable"], self.COUNT)
        status = self.keyhold.run("status").ok()
        self.assertRegex(status, "unreadable +3\n")
        self.assertIn("  other-driver: libvirtd (process ", status)
        daemon.stop()
        self.assertFound(GOOD)
        self.assertIn(" unreadable=0 ", self.check("--nagios").out)

    def test_a_rotation_that_failed(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.start()
        held = sealed_in(self.store, self.secrets[0])
        self.machine.run("chattr", "+i", str(held)).ok()
        try:
            rotated = self.keyhold.run("encrypt", "rotate", "--key", str(self.machine.home / "new-key"))
            self.assertEqual(rotated.code, 2, rotated.out + rotated.err)
            self.assertComes(WARNING, "unfinished")
        finally:
            self.machine.run("chattr", "-i", str(held)).ok()
        self.keyhold.run("encrypt", "rotate").ok()
        self.assertNotIn("unfinished", self.check().out)

    def test_the_store_has_gone_or_was_exchanged(self) -> None:
        self.start()
        self.assertFound(GOOD)
        away = self.etc / "away"
        self.store.rename(away)
        self.assertFound(CRITICAL, "store")
        self.store.mkdir(mode=0o700)
        self.assertFound(CRITICAL, "store")
        shutil.rmtree(self.store)
        away.rename(self.store)
        self.assertFound(GOOD)

    def test_settings_that_the_daemon_has_not_read(self) -> None:
        daemon = self.start()
        self.assertFound(GOOD)
        self.configure(encrypt=False)
        self.assertFound(WARNING, "driver")
        daemon.reload()
        self.assertFound(GOOD)

    def test_definitions_that_the_daemon_has_not_read(self) -> None:
        daemon = self.start()
        secret = Secret(usage="dropped in")
        secret.write(self.store, b"value")
        self.assertFound(WARNING, "drift")
        daemon.reload()
        self.assertFound(GOOD)
        secret.xml_in(self.store).rename(self.etc / "away")
        secret.value_in(self.store).unlink()
        self.assertFound(WARNING, "drift")
        daemon.reload()
        self.assertFound(GOOD)

    def test_there_is_no_store(self) -> None:
        shutil.rmtree(self.store)
        self.assertFound(UNKNOWN, "unseen")
