# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold on stores that nobody has open."""

import json
import os
import pty
import shutil
import signal
import subprocess
import termios

from harness.command_case import CommandCase
from harness.keyhold import Keyhold
from harness.sealed_files import KeyFile, sealed_in, secret_conf
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import settings
from harness.waiting import wait_for


class Conversions(CommandCase):
    def test_seal_and_unseal_give_the_same_files_back(self) -> None:
        before = snapshot(self.store)
        self.configure()
        sealed = self.keyhold.json("seal")
        self.assertEqual((sealed["converted"], sealed["remaining"]), (3, 0))
        self.assertFormats(self.store, "jwe", 3)
        self.assertEqual(self.keyhold.status()["sealed"], {self.key.id: 3})
        self.assertEqual(self.keyhold.findings(), [])
        unsealed = self.keyhold.json("unseal")
        self.assertEqual((unsealed["converted"], unsealed["remaining"]), (3, 0))
        self.assertIn("encrypt_data = 0", unsealed["advice"])
        self.assertEqual(snapshot(self.store), before)

    def test_unseal_of_what_secret_conf_does_not_encrypt_needs_no_advice(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        self.configure(encrypt=False)
        self.assertEqual(self.keyhold.json("unseal")["advice"], "")
        self.assertFormats(self.store, "base64", 3)

    def test_unseal_says_that_seal_existing_would_undo_it(self) -> None:
        self.configure(seal_existing=1)
        self.keyhold.json("seal")
        self.assertIn("seal_existing", self.keyhold.json("unseal")["advice"])

    def test_rekey_takes_values_from_an_earlier_key(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        self.configure(self.other_key, earlier=[self.key])
        self.assertEqual(self.keyhold.status()["outdated"], 3)
        self.assertEqual(self.keyhold.json("rekey")["converted"], 3)
        self.assertEqual(self.keyhold.status()["sealed"], {self.other_key.id: 3})

    def test_rekey_leaves_plain_values(self) -> None:
        self.configure()
        before = snapshot(self.store)
        self.assertEqual(self.keyhold.json("rekey")["converted"], 0)
        self.assertEqual(snapshot(self.store), before)

    def test_a_key_on_the_command_line_opens_values(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        (self.machine.etc / "secret.conf").unlink()
        self.assertEqual(self.keyhold.json("unseal", code=1)["converted"], 0)
        self.assertEqual(self.keyhold.json("unseal", "--key", str(self.key.path))["converted"], 3)

    def test_a_credential_is_a_key(self) -> None:
        directory = self.machine.home / "credentials"
        directory.mkdir()
        shutil.copy(self.key.path, directory / "secrets-encryption-key")
        env = {"CREDENTIALS_DIRECTORY": str(directory)}
        self.assertEqual(self.keyhold.json("seal", env=env)["converted"], 3)
        self.assertEqual(self.keyhold.findings(env=env), [])
        self.assertEqual({kind for kind, _ in self.keyhold.findings()}, {"missing-key"})

    def test_nothing_is_sealed_that_secret_conf_does_not_ask_for(self) -> None:
        before = snapshot(self.store)
        for text in ("", secret_conf(key=self.key, encrypt=False)):
            write_file(self.machine.etc / "secret.conf", text)
            for command in ("seal", "rekey"):
                result = self.keyhold.run(command)
                self.assertEqual(result.code, 2)
                self.assertIn("does not ask for encryption", result.failed())
        self.assertEqual(snapshot(self.store), before)

    def test_a_key_that_is_not_there_seals_nothing(self) -> None:
        before = snapshot(self.store)
        self.key.path.unlink()
        self.configure()
        self.assertIn(str(self.key.path), self.keyhold.run("seal").failed())
        self.assertEqual(snapshot(self.store), before)

    def test_what_cannot_be_read_stays_and_the_rest_is_converted(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        damaged = sealed_in(self.store, self.secrets[0])
        damaged.write_bytes(damaged.read_bytes()[:-1])
        text = damaged.read_bytes()
        result = self.keyhold.json("unseal", code=1)
        self.assertEqual([each["kind"] for each in result["findings"]], ["damaged"])
        self.assertEqual(result["converted"], 2)
        self.assertEqual(damaged.read_bytes(), text)

    def test_no_output_holds_a_value(self) -> None:
        self.configure()
        for command in ("status", "verify", "seal", "verify", "status", "unseal"):
            result = self.keyhold.run(command)
            self.assertNothingIn(result.out + result.err, self.values)

    def test_people_at_a_terminal_see_how_far_it_is(self) -> None:
        self.configure()
        terminal, other_end = pty.openpty()
        with open(terminal, "rb", buffering=0) as screen:
            process = self.machine.popen(settings().command, "seal", stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=other_end)
            os.close(other_end)
            self.assertEqual(process.wait(), 0)
            self.assertIn(b"seal: 1 of 3 values", screen.read(4096))

    def seal_and_signal(self, option: str, number: int) -> int:
        """How many values are sealed when the signal comes at the first: the terminal that is to show
        this takes no output until the signal is sent. `option` is one of env."""
        screen, terminal = pty.openpty()
        termios.tcflow(terminal, termios.TCOOFF)
        process = self.machine.popen(
            "env", option, settings().command, "seal", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=terminal)
        try:
            wait_for("a value is sealed", lambda: list(self.store.glob("*.jwe")))
            os.kill(process.pid, number)
            termios.tcflow(terminal, termios.TCOON)
            code = process.wait(settings().patience)
        finally:
            process.kill()
            process.wait()
            os.close(screen)
            os.close(terminal)
        sealed = len(list(self.store.glob("*.jwe")))
        self.assertEqual(code, 0 if sealed == self.COUNT else 2)
        return sealed

    def test_a_signal_ends_it_after_the_value_in_hand(self) -> None:
        self.configure()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                name = number.name.removeprefix("SIG")
                self.assertEqual(self.seal_and_signal(f"--default-signal={name}", number), 1)
                self.keyhold.json("unseal")

    def test_a_signal_that_its_caller_ignores_stays_ignored(self) -> None:
        """As `nohup keyhold seal &` asks for."""
        self.configure()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                name = number.name.removeprefix("SIG")
                self.assertEqual(self.seal_and_signal(f"--ignore-signal={name}", number), self.COUNT)
                self.keyhold.json("unseal")

    def test_another_users_store_is_left_to_that_user(self) -> None:
        root = self.machine.home / "root"
        Secret().write(root / "etc/secrets", b"value")
        self.machine.one.owns(root / "etc/secrets")
        self.assertIn("belongs to user", self.keyhold.run("unseal", "--root", str(root)).failed())

    def test_root_converts_the_systems_store_whoever_owns_its_directory(self) -> None:
        """As deployment tools leave it; the daemon is root there as well."""
        self.machine.one.owns(self.store, *self.store.iterdir())
        self.store.chmod(0o770)
        self.configure()
        self.assertEqual(self.keyhold.json("seal")["converted"], 3)
        self.assertFormats(self.store, "jwe", 3)
        self.assertEqual(self.store.stat().st_uid, self.machine.one.uid)

    def test_a_user_converts_the_session_store(self) -> None:
        user = self.machine.one
        secret = Secret()
        secret.write(user.store, b"value")
        key = KeyFile.make(user.home / "key")
        write_file(user.store.parent / "secret.conf", secret_conf(key=key))
        user.owns(user.home / "key", user.store.parent, user.store, *user.store.iterdir(),
                  user.store.parent / "secret.conf")
        keyhold = Keyhold(self.machine, user)
        self.assertEqual(keyhold.json("seal")["converted"], 1)
        self.assertEqual(sealed_in(user.store, secret).stat().st_uid, user.uid)
        self.assertEqual(keyhold.status()["instance"], "session")
        self.assertIn("Permission denied", keyhold.run("status", "--system").failed())


class Findings(CommandCase):
    def test_each_kind_has_its_name(self) -> None:
        a, b, c = self.secrets
        self.configure()
        self.keyhold.json("seal")
        write_file(a.value_in(self.store), "dmFsdWU=")  # goes before the sealed one
        orphan = Secret()
        write_file(sealed_in(self.store, orphan), "x")
        write_file(self.store / f"{b.uuid}.jwe.keyhold-new", "x")
        write_file(self.store / f"{b.uuid}.jwe.aside-1", "x")
        write_file(self.store / f"{b.uuid}.jwe~", "x")
        write_file(self.store / f"{b.uuid.upper()}.xml", b.xml)
        sealed_in(self.store, b).chmod(0o644)
        c.xml_in(self.store).chmod(0o666)
        self.machine.one.owns(sealed_in(self.store, c))
        sealed_in(self.store, c).write_text("a.b.c.d.e")
        self.store.chmod(0o755)
        self.assertCountEqual(self.keyhold.findings(), [
            ("directory", "secrets"),
            ("shadowed", f"{a.uuid}.jwe"),
            ("orphan", f"{orphan.uuid}.jwe"),
            ("leftover", f"{b.uuid}.jwe.keyhold-new"),
            ("aside", f"{b.uuid}.jwe.aside-1"),
            ("unknown", f"{b.uuid}.jwe~"),
            ("definition", f"{b.uuid.upper()}.xml"),
            ("mode", f"{b.uuid}.jwe"),
            ("mode", f"{c.uuid}.xml"),
            ("owner", f"{c.uuid}.jwe"),
            ("damaged", f"{c.uuid}.jwe"),
        ])

    def test_a_lost_key_is_named(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        lost = self.key.id
        self.configure(self.other_key)
        status = self.keyhold.status()
        self.assertEqual((status["unreadable"], status["sealed"]), (3, {lost: 3}))
        text = self.keyhold.run("verify").out
        self.assertIn(lost, text)
        self.assertEqual((text.count("missing-key: "), text.count(" and 2 more: ")), (1, 1))
        self.assertEqual(self.keyhold.run("status").out.count("missing-key: "), 1)
        for command in ("status", "verify"):
            self.assertEqual(self.keyhold.run(command, "--verbose").out.count("missing-key: "), 3)
        [store] = self.keyhold.json("verify", code=1)["stores"]
        self.assertEqual((len(store["findings"]), [each["count"] for each in store["causes"]]), (3, [3]))

    def test_who_may_not_look_is_told_who_may(self) -> None:
        for command in (("status",), ("verify",), ("list",), ("show", "ceph:use 0")):
            refused = self.machine.run(settings().command, *command, "--system", user=self.machine.one)
            self.assertEqual(refused.code, 2)
            self.assertIn("run the command as root", refused.err)

    def test_settings_that_cannot_be_understood(self) -> None:
        (self.machine.etc / "secret.conf").write_text("encrypt_data = \n")
        self.assertEqual([kind for kind, _ in self.keyhold.findings()], ["settings"])
        self.assertEqual(self.keyhold.status()["newValues"], "refused")

    def test_a_key_file_that_others_read(self) -> None:
        self.configure()
        self.key.path.chmod(0o644)
        self.assertIn("chmod 0600", self.keyhold.run("verify").out)

    def test_looking_changes_nothing(self) -> None:
        write_file(self.store / f"{self.secrets[0].uuid}.base64.keyhold-old", "x")
        before = snapshot(self.machine.etc), snapshot(self.store)
        for command in ("status", "verify"):
            self.keyhold.run(command)
        self.assertEqual((snapshot(self.machine.etc), snapshot(self.store)), before)
        self.assertFalse(self.machine.state.exists())

    def test_files_that_are_too_large_cost_neither_memory_nor_time(self) -> None:
        """Sparse: they take no room on the disk. The command gets less memory than one of them has."""
        for form in ("base64", "jwe", "aes256cbc"):
            for secret in self.secrets:
                with open(self.store / f"{secret.uuid}.{form}", "wb") as file:
                    file.truncate(512 << 20)
        self.configure()
        done = self.machine.run("prlimit", f"--as={400 << 20}", settings().command, "verify", "--json")
        [store] = json.loads(done.out)["stores"]
        self.assertEqual(sum("is larger than" in each["text"] for each in store["findings"]), 9)

    def test_a_host_without_secrets(self) -> None:
        shutil.rmtree(self.store)
        self.assertEqual(self.keyhold.json("verify")["stores"], [])
        self.assertIn("no directory", self.keyhold.run("verify", "--system").failed())


class Killed(CommandCase):
    """kill -9 at every call that changes the directory; the next run finishes."""

    COUNT = 2
    CALLS = ("fsync", "linkat", "renameat", "unlinkat")

    def killed_at_every_call(self, command: str) -> int:
        """The number of runs that were killed; the store begins each as it is now."""
        begin = snapshot(self.store)
        killed = 0
        for call in self.CALLS:
            for when in range(1, 1000):
                self.restore(begin)
                done = self.machine.run(
                    "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
                    "-e", f"inject={call}:signal=KILL:when={when}", settings().command, command)
                if done.code == 0:
                    break
                self.assertIn(done.code, (-signal.SIGKILL, 128 + signal.SIGKILL), done.err)
                killed += 1
                self.assertEqual(self.keyhold.status()["unreadable"], 0)
                self.assertEqual(self.keyhold.run(command).code, 0)
                self.check(command)
        return killed

    def restore(self, content: dict[str, bytes | str]) -> None:
        shutil.rmtree(self.store)
        self.store.mkdir(mode=0o700)
        for name, data in content.items():
            write_file(self.store / name, data)

    def check(self, command: str) -> None:
        self.assertEqual(self.keyhold.findings(), [])
        if command == "unseal":
            self.assertEqual(snapshot(self.store), self.plain)
        else:
            self.assertFormats(self.store, "jwe", self.COUNT)
            self.keyhold.json("unseal")
            self.assertEqual(snapshot(self.store), self.plain)

    def setUp(self) -> None:
        super().setUp()
        self.plain = snapshot(self.store)
        self.configure()

    def test_unseal(self) -> None:
        self.keyhold.json("seal")
        self.assertGreater(self.killed_at_every_call("unseal"), 3 * self.COUNT)

    def test_rekey(self) -> None:
        self.keyhold.json("seal")
        self.configure(self.other_key, earlier=[self.key])
        self.assertGreater(self.killed_at_every_call("rekey"), 3 * self.COUNT)
