# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold status says what the driver that holds a store does."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import jsonschema

from harness.command_case import CommandCase
from harness.embedded import EmbeddedProcess
from harness.keyhold import Keyhold
from harness.secret_files import Secret, snapshot
from harness.settings import MODULE_NAME, settings
from harness.waiting import wait_for

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "driver-report.schema.json").read_text())
NAME = "keyhold-report.json"


class DriverStateCase(CommandCase):
    def told(self, state: Path) -> Any:
        """The state file, which the schema allows."""
        wait_for("the driver has told its state", (state / NAME).exists)
        self.assertEqual((state / NAME).stat().st_mode & 0o777, 0o600)
        told = json.loads((state / NAME).read_text())
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        jsonschema.Draft202012Validator(SCHEMA).validate(told)
        return told

    def wait_told(self, member: str, value: Any, state: Path | None = None) -> None:
        wait_for(f"{member} is {value}", lambda: self.told(state or self.machine.state)[member] == value)

    def of_driver(self, keyhold: Keyhold | None = None) -> list[str]:
        status = (keyhold or self.keyhold).status()
        return [each["text"] for each in status["findings"] if each["kind"] in ("driver", "store")]

    def assertTells(self, *words: str, keyhold: Keyhold | None = None) -> None:
        found = self.of_driver(keyhold)
        self.assertTrue(any(all(word in text for word in words) for text in found), found)
        printed = (keyhold or self.keyhold).run("status").ok()  # exit 0, as keyhold(1) says
        self.assertRegex(printed, "driver: |store: ")


class DriverState(DriverStateCase):
    def test_it_is_of_this_process_and_names_no_secret(self) -> None:
        self.configure()
        daemon = self.start()
        self.wait_told("newValues", "sealed")
        told = self.told(self.machine.state)
        self.assertEqual((told["pid"], told["counts"]["secrets"]), (daemon.pid, self.COUNT))
        self.assertCounts(plain=self.COUNT)
        self.assertIsNone(told["reencryption"]["last"])
        text = (self.machine.state / NAME).read_text()
        for secret in self.secrets:
            self.assertNotIn(secret.uuid, text)
        self.assertNothingIn(text, self.values)
        self.assertEqual(self.of_driver(), [])
        self.assertEqual(self.keyhold.status()["newValues"], "sealed")

    def test_settings_that_were_not_reloaded(self) -> None:
        daemon = self.start()
        self.wait_told("newValues", "plain")
        self.configure()
        status = self.keyhold.status()
        self.assertEqual((status["newValues"], status["newValuesBySettings"]), ("plain", "sealed"))
        self.assertTells("was changed since", "reload it")
        self.assertTells(self.key.id, "does not have")
        self.define(daemon.open(), Secret(usage="new"), b"new")
        daemon.reload()
        self.wait_told("newValues", "sealed")
        self.assertEqual(self.keyhold.status()["newValues"], "sealed")
        self.assertEqual(self.of_driver(), [])

    def test_a_reload_of_a_moment_ago_is_waited_for(self) -> None:
        daemon = self.start()
        self.wait_told("newValues", "plain")
        for key in (self.key, self.other_key):
            self.configure(key)
            os.kill(daemon.pid, signal.SIGHUP)
            status = self.keyhold.status()
            self.assertEqual((status["newValues"], status["currentKey"]), ("sealed", key.id))
            self.assertEqual([each["text"] for each in status["findings"] if each["kind"] == "driver"], [])

    def test_the_stock_driver_in_possession(self) -> None:
        self.configure()
        self.start_stock()
        status = self.keyhold.status()
        self.assertEqual((status["newValues"], status["newValuesBySettings"]), ("unknown", "sealed"))
        self.assertTells("another driver than Keyhold")

    def test_a_session_daemon(self) -> None:
        user = self.machine.one
        keyhold = Keyhold(self.machine, user)
        self.start(user=user)
        state = user.runtime / "secrets" / "run"
        self.wait_told("newValues", "plain", state)
        self.assertEqual(keyhold.status()["newValues"], "plain")
        self.assertEqual(self.of_driver(keyhold), [])

    def test_the_module_was_replaced(self) -> None:
        drivers = self.machine.home / "drivers"
        drivers.mkdir(mode=0o755)
        module = drivers / MODULE_NAME
        shutil.copyfile(settings().module, module)
        self.start(driver_dir=str(drivers))
        self.wait_told("newValues", "plain")
        shutil.copyfile(settings().module, module.with_suffix(".new"))
        module.with_suffix(".new").rename(module)
        self.assertTells("module", "was replaced", "restart")

    def test_the_directory_is_gone_and_another_is_in_its_place(self) -> None:
        self.start()
        self.wait_told("newValues", "plain")
        self.store.rename(self.etc / "away")
        self.assertTells("has gone, and libvirtd")
        self.assertEqual(self.keyhold.findings(), [("store", "secrets")])  # exit 1
        self.assertEqual(self.keyhold.run("verify", "--system").code, 1)
        self.store.mkdir(mode=0o700)
        self.assertTells("is not the directory that libvirtd")
        self.assertEqual(self.keyhold.findings(), [("store", "secrets")])
        self.store.rmdir()
        (self.etc / "away").rename(self.store)
        self.assertEqual(self.of_driver(), [])

    def test_drift_by_files_that_others_write_and_remove(self) -> None:
        daemon = self.start()
        self.assertEqual(self.keyhold.status()["drift"],
                         {"unknown": None, "unlisted": 0, "withoutFile": 0, "withoutValue": 0})
        self.define(daemon.open(), Secret(usage="in memory", ephemeral=True), b"passing")
        new = Secret(usage="by hand")
        new.write(self.store, b"by hand")
        self.secrets[0].xml_in(self.store).unlink()
        self.assertEqual(self.keyhold.status()["drift"],
                         {"unknown": None, "unlisted": 1, "withoutFile": 1, "withoutValue": 0})
        printed = self.keyhold.run("status").ok()
        self.assertIn(f"not listed by it; reload it; such as {new.uuid}", printed)
        self.assertIn(f"such as {self.secrets[0].uuid}", printed)
        daemon.reload()
        self.assertEqual(self.keyhold.status()["drift"]["unlisted"], 0)
        self.assertEqual(self.keyhold.status()["drift"]["withoutFile"], 0)

    def test_no_daemon_is_started_to_ask(self) -> None:
        self.assertIsNone(self.keyhold.status()["drift"])
        self.assertFalse((self.machine.run_dir / "libvirt-sock").exists())

    def test_a_daemon_that_does_not_answer_is_not_waited_for(self) -> None:
        daemon = self.start()
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            self.assertIn("no answer in", self.keyhold.status()["drift"]["unknown"])
        finally:
            os.kill(daemon.pid, signal.SIGCONT)

    def test_a_file_of_a_dead_process_is_ignored(self) -> None:
        daemon = self.start()
        self.wait_told("newValues", "plain")
        dead = (self.machine.state / NAME).read_text()
        os.kill(daemon.pid, 9)
        daemon.process.wait()
        self.assertEqual((self.machine.state / NAME).read_text(), dead)
        self.assertIsNone(self.keyhold.status()["driverState"])  # nobody holds the store
        drivers = self.machine.home / "drivers"
        self.start()
        wait_for("the new daemon has told", lambda: self.told(self.machine.state)["pid"] != daemon.pid)
        (self.machine.state / NAME).write_text(dead)
        status = self.keyhold.status()
        self.assertEqual(status["newValues"], "unknown")
        self.assertIn("of an earlier process", status["driverState"]["unknown"])

    def test_a_key_that_is_missing(self) -> None:
        self.configure()
        self.key.path.unlink()
        self.start()
        self.wait_told("newValues", "refused")
        told = self.told(self.machine.state)
        self.assertIn(str(self.key.path), told["missingKeys"])
        self.assertEqual(self.keyhold.status()["newValues"], "refused")

    def test_values_by_format_and_those_of_a_missing_key(self) -> None:
        self.configure(seal_existing=1)
        self.start()
        wait_for("the values are sealed", lambda: self.told(self.machine.state)["reencryption"]["last"])
        told = self.told(self.machine.state)
        self.assertEqual(told["reencryption"]["last"] | {"ended": 0},
                         {"ended": 0, "reencrypted": self.COUNT, "failed": 0})
        self.assertLessEqual(abs(told["reencryption"]["last"]["ended"] - told["written"]), 60)
        self.assertCounts(sealed=self.COUNT)
        self.assertRegex(self.keyhold.run("status").ok(), rf"re-encrypted +{self.COUNT} by 20\d\d-")

    def test_a_lost_key_by_its_id(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.key.path.unlink()
        self.start()
        self.wait_told("newValues", "refused")
        self.assertCounts(sealed=self.COUNT, unreadable=self.COUNT, unreadableByKey={self.key.id: self.COUNT})

    def assertCounts(self, **others: Any) -> None:
        expected = {"secrets": self.COUNT, "ephemeral": 0, "withoutValue": 0, "unreadable": 0, "plain": 0,
                    "aes256cbc": 0, "sealed": 0, "unreadableByKey": {}, **others}
        self.assertEqual(self.told(self.machine.state)["counts"], {**expected, "storedWithoutValue": []})
        self.assertEqual(self.keyhold.status()["driverState"]["counts"], expected)

    def test_a_file_that_cannot_be_written_fails_nothing(self) -> None:
        self.machine.state.mkdir()
        (self.machine.state / f"{NAME}.new").mkdir()
        daemon = self.start()
        secret = Secret(usage="new")
        self.define(daemon.open(), secret, b"new")
        self.assertEqual(self.value_of(daemon.open(), secret), b"new")
        wait_for("the log says so", lambda: NAME in daemon.log())
        self.assertEqual(self.keyhold.status()["newValues"], "unknown")

    def test_one_that_cannot_be_replaced_goes(self) -> None:
        daemon = self.start()
        self.wait_told("newValues", "plain")
        (self.machine.state / f"{NAME}.new").mkdir()
        self.define(daemon.open(), Secret(usage="new"), b"new")
        wait_for("what is no longer true has gone", lambda: not (self.machine.state / NAME).exists())
        self.assertEqual(self.keyhold.status()["newValues"], "unknown")

    def test_at_a_clean_end_it_goes(self) -> None:
        daemon = self.start()
        self.wait_told("newValues", "plain")
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn(NAME, snapshot(self.machine.state))


class OtherPidNamespace(DriverStateCase):
    NEW = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")

    def status_in(self, *before: str) -> Any:
        done = self.machine.run(*before, settings().command, "status", "--json").ok()
        [store] = json.loads(done)["stores"]
        return store

    def begin_in_one(self) -> int:
        """Starts a daemon that is process 1 of its namespace; its number here."""
        self.daemon = self.start(before=self.NEW)
        self.wait_told("pid", 1)
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text()
        return int(children.split()[0])

    def test_from_outside_it_is_believed(self) -> None:
        pid = self.begin_in_one()
        status = self.keyhold.status()
        self.assertEqual((status["holder"]["pid"], status["newValues"]), (pid, "plain"))
        self.assertEqual(status["driverState"]["counts"]["secrets"], self.COUNT)

    def test_from_inside_it_is_believed(self) -> None:
        pid = self.begin_in_one()
        status = self.status_in("nsenter", "--target", str(pid), "--pid", "--mount", "--")
        self.assertEqual((status["holder"]["pid"], status["newValues"]), (1, "plain"))

    def test_from_beside_it_is_unknown(self) -> None:
        self.begin_in_one()
        self.assertUnknownIn(self.NEW)

    def test_of_a_daemon_outside_it_is_unknown(self) -> None:
        self.start()
        self.wait_told("newValues", "plain")
        self.assertUnknownIn(self.NEW)

    def assertUnknownIn(self, before: tuple[str, ...]) -> None:
        status = self.status_in(*before)
        self.assertEqual((status["holder"]["pid"], status["newValues"]), (0, "unknown"))
        self.assertIn("another pid namespace", status["driverState"]["unknown"])
        self.assertIn("another pid namespace",
                      self.machine.run(*before, settings().command, "status").ok())


class EmbeddedRoot(DriverStateCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.machine.home / "root"
        self.state = self.directory / "run" / "secrets"
        Secret(usage="embedded").write(self.directory / "etc" / "secrets", b"value")
        self.program = EmbeddedProcess(self.machine)
        self.addCleanup(self.program.close)
        self.program("open", f"secret:///embed?root={self.directory}")

    def status(self) -> Any:
        return self.keyhold.status("--root", str(self.directory))

    def test_that_is_open(self) -> None:
        told = self.told(self.state)
        self.assertEqual((told["pid"], told["counts"]["plain"]), (self.program.pid, 1))
        status = self.status()
        self.assertEqual((status["holder"]["pid"], status["newValues"]), (self.program.pid, "plain"))
        self.assertEqual(status["driverState"]["counts"]["plain"], 1)

    def test_that_was_closed(self) -> None:
        self.program("close")
        self.assertNotIn(NAME, snapshot(self.state))
        status = self.status()
        self.assertEqual((status["holder"], status["driverState"]), (None, None))

    def test_whose_process_was_killed(self) -> None:
        self.program.close()
        self.assertTrue((self.state / NAME).exists())
        status = self.status()
        self.assertEqual((status["holder"], status["driverState"]), (None, None))
        self.assertEqual(status["newValues"], "plain")
