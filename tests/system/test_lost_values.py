# SPDX-License-Identifier: LGPL-2.1-or-later
"""A value file that goes under a running daemon is found before the value is lost."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

from harness.command_case import CommandCase
from harness.keyhold import Keyhold
from harness.sealed_files import sealed_in
from harness.secret_files import Secret, write_file
from harness.settings import settings
from harness.waiting import wait_for


class LostValues(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.store.chmod(0o700)

    def found(self, keyhold: Keyhold | None = None) -> list[str]:
        """What drift is found, a line for every file."""
        keyhold = keyhold or self.keyhold
        status = keyhold.status()
        found = [each["text"] for each in status["findings"] if each["kind"] == "drift"]
        self.assertEqual(status["drift"]["withoutValue"], len(found))
        return found

    def lose(self, *secrets: Secret) -> None:
        for secret in secrets:
            secret.value_in(self.store).unlink()

    def reported(self, count: str = "withoutValue") -> int:
        report = json.loads((self.machine.state / "keyhold-report.json").read_text())
        return int(report["counts"][count])

    def test_it_names_the_secret_and_the_remedy_works(self) -> None:
        self.begin()
        self.assertEqual(self.found(), [])
        lost = self.secrets[0]
        self.lose(lost)
        [text] = self.found()
        remedy = f"keyhold get --reveal {lost.uuid} | keyhold set {lost.uuid}"
        for words in ("has lost its value file", "still serves the value",
                      "loses it at its next reload or start", remedy):
            self.assertIn(words, text)
        self.assertEqual(self.keyhold.run("check").code, 1)
        self.assertServed()
        command = remedy.replace("keyhold", settings().command)
        self.machine.run("sh", "-c", command).ok()
        self.assertEqual(self.found(), [])
        self.daemon.reload()
        self.assertServed()

    def test_sealed_values_and_a_private_one(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.begin()
        sealed_in(self.store, self.secrets[0]).unlink()
        hidden = Secret(usage="hidden", private=True)
        self.define(self.connection, hidden, b"private")
        wait_for("the daemon has reported it", lambda: self.reported("sealed") == self.COUNT + 1)
        sealed_in(self.store, hidden).unlink()
        texts = self.found()
        self.assertEqual(len(texts), 2)
        [private] = [text for text in texts if hidden.uuid in text]
        self.assertIn(f"from where it came, because it is private: keyhold set {hidden.uuid}", private)
        self.assertNotIn("--reveal", private)

    def test_many_are_one_line_and_each_has_its_own_with_verbose(self) -> None:
        self.begin()
        self.lose(*self.secrets[1:])
        write_file(self.secrets[0].value_in(self.store), b"")
        for command in ("status", "check"):
            printed = self.keyhold.run(command).out
            self.assertEqual(printed.count("has lost its value file"), 1, printed)
            self.assertIn(f"and {self.COUNT - 1} more: has lost its value file", printed)
            self.assertIn("keyhold get --reveal SECRET", printed)
            printed = self.keyhold.run(command, "--verbose").out
            for secret in self.secrets:
                self.assertIn(f"keyhold get --reveal {secret.uuid}", printed)

    def test_secrets_that_have_no_value_are_none(self) -> None:
        Secret(usage="from the start").write(self.store)
        self.begin()
        self.define(self.connection, Secret(usage="defined since"))
        self.define(self.connection, Secret(usage="in memory", ephemeral=True), b"passing")
        self.assertEqual(self.found(), [])
        Secret(usage="by hand").write(self.store)
        self.daemon.reload()
        self.assertEqual(self.found(), [])
        wait_for("the daemon has reported all", lambda: self.reported() == 3)

    def test_a_value_that_was_set_since_the_start(self) -> None:
        late = Secret(usage="late")
        late.write(self.store)
        self.begin()
        self.connection.secretLookupByUUIDString(late.uuid).setValue(b"late")
        wait_for("the daemon has reported it", lambda: self.reported() == 0)
        self.lose(late)
        self.assertEqual(len(self.found()), 1)

    def test_changes_at_the_same_time_are_none(self) -> None:
        self.begin()
        connection = self.daemon.open()
        is_over = threading.Event()

        def change() -> None:
            while not is_over.is_set():
                secret = Secret(usage="passing")
                handle = self.define(connection, secret)
                handle.setValue(b"value")
                self.define(connection, secret, b"again")
                handle.undefine()
        with ThreadPoolExecutor() as pool:
            changing = pool.submit(change)
            try:
                for _ in range(5):
                    self.assertEqual(self.keyhold.status()["drift"]["withoutValue"], 0)
            finally:
                is_over.set()
            changing.result()

    def test_of_a_session_daemon(self) -> None:
        user = self.machine.one
        keyhold = Keyhold(self.machine, user)
        daemon = self.start(user=user)
        secret = Secret(usage="session")
        self.define(daemon.open(), secret, b"value")
        wait_for("the daemon has reported it", lambda: keyhold.status()["driverState"]["counts"]["plain"] == 1)
        secret.value_in(user.store).unlink()
        [text] = self.found(keyhold)
        self.assertIn(f"keyhold set {secret.uuid} --session", text)
