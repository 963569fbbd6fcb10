# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold encrypt: on, off and rotate, and what goes on from there after an interruption."""

import subprocess
import threading

from harness.encrypt_case import EncryptCase
from harness.keyhold import Keyhold
from harness.sealed_files import sealed_in, secret_conf
from harness.secret_files import Secret, write_file
from harness.settings import settings

COMMENTED = '# mine\n#encrypt_data = 1\nkey_memory = "locked" # below\n\n# the end'


class WithoutADaemon(EncryptCase):
    def test_on_rotate_and_off(self) -> None:
        write_file(self.conf, COMMENTED, 0o640)
        done = self.on()
        self.assertEqual((done["converted"], done["remaining"], done["key"]["made"]), (self.COUNT, 0, True))
        self.assertIsNone(done["daemon"])
        self.assertIn("keep a copy", done["advice"][0])
        self.assertEqual(self.first.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(self.keys.stat().st_mode & 0o7777, 0o700)
        self.assertEqual(self.conf.read_text(), f'{COMMENTED}\nsecrets_encryption_key = "{self.first}" '
                                                f"# keyhold: key {self.key_at(self.first).id}\n")
        self.assertEqual(self.conf.stat().st_mode & 0o7777, 0o640)
        self.assertSealedUnder(self.first)
        again = self.on()
        self.assertEqual((again["converted"], again["key"]["made"]), (0, False))

        done = self.rotate()
        self.assertEqual(done["converted"], self.COUNT)
        self.assertSealedUnder(self.second)
        self.assertNothingTemporary()
        self.assertIn(f'secrets_decryption_keys = [ "{self.first}" ]\n', self.conf.read_text())
        self.assertTrue(any("any more" in each for each in done["advice"]), done["advice"])

        done = self.keyhold.json("encrypt", "off")
        self.assertEqual(done["converted"], self.COUNT)
        self.assertFormats(self.store, "base64", self.COUNT)
        self.assertIn("encrypt_data = 0\n", self.conf.read_text())
        self.keyhold.run("encrypt", "on").ok()
        self.assertSealedUnder(self.second)

    def test_the_old_key_must_stay_while_an_idle_file_needs_it(self) -> None:
        self.on()
        orphan = Secret(usage="gone")
        sealed = sealed_in(self.store, self.secrets[0])
        (self.store / f"{orphan.uuid}.jwe").write_bytes(sealed.read_bytes())
        (self.store / f"{orphan.uuid}.jwe.aside-1").write_bytes(sealed.read_bytes())
        done = self.rotate()
        self.assertTrue(any("must stay: 2 files" in each for each in done["advice"]), done["advice"])

    def test_a_link_is_followed(self) -> None:
        real = self.machine.home / "real.conf"
        write_file(real, "# real\n")
        self.conf.symlink_to(real)
        self.on()
        self.assertTrue(self.conf.is_symlink())
        self.assertIn("secrets_encryption_key", real.read_text())

    def test_a_key_is_not_made_beside_the_store(self) -> None:
        self.assertIn("beside the store", self.refused("on", "--key", "/etc/libvirt/secret.key"))

    def test_rotate_and_on_where_the_other_is_due(self) -> None:
        self.assertIn("keyhold encrypt on", self.refused("rotate"))
        self.on()
        self.assertIn("keyhold encrypt rotate", self.refused("on", "--key", str(self.second)))
        self.assertIn("current key", self.refused("rotate", "--key", str(self.first)))

    def test_settings_that_cannot_be_used(self) -> None:
        for text, word in (("encrypt_data = \n", "cannot be used"), ("encrypt_data = 5\n", "encrypt_data")):
            write_file(self.conf, text)
            message = self.refused("on", "--key", str(self.first))
            self.assertIn(word, message)
            self.assertIn("put it right first", message)
        self.assertFalse(self.first.exists())

    def test_a_path_that_was_wrong_from_the_start_and_one_that_became_wrong(self) -> None:
        write_file(self.conf, secret_conf(key=self.first))
        result = self.keyhold.run("seal")
        self.assertEqual(result.code, 2)
        self.assertIn("keyhold encrypt on", result.err)
        self.keyhold.run("encrypt", "on").ok()
        self.assertSealedUnder(self.first)
        self.first.rename(self.second)
        self.assertIn("lost for good", self.refused("on"))
        write_file(self.conf, secret_conf(key=self.first))
        self.assertIn("put the lost one back", self.refused("on"))

    def test_a_value_of_a_key_that_is_not_named(self) -> None:
        self.on()
        write_file(self.conf, "")
        self.assertIn("--key", self.refused("on"))
        self.on()
        self.assertSealedUnder(self.first)

    def test_killed_at_every_other_sync(self) -> None:
        for step, form in (("on", "jwe"), ("rotate", "jwe"), ("off", "base64")):
            arguments = ["encrypt", step] + ([] if step == "off" else ["--key", str(self.keys / f"{step}.key")])
            for number in range(1, 40, 2):
                done = self.kill_at_sync(number, *arguments)
                if done:
                    break
            else:
                self.fail("it never ended")
            self.keyhold.json(*arguments, code=0)
            self.assertFormats(self.store, form, self.COUNT)
            self.assertNothingTemporary()
            self.assertEqual(self.keyhold.findings(), [])
            self.assertLessEqual(len(list(self.keys.glob("*.key"))), 2)

    def kill_at_sync(self, number: int, *arguments: str) -> bool:
        """True if the command ended before that."""
        process = self.machine.popen(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync",
            "-e", f"inject=fsync:signal=KILL:when={number}", settings().command, *arguments,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process.wait(settings().patience) in (0, 2)


class BesideADaemon(EncryptCase):
    COUNT = 20

    def setUp(self) -> None:
        super().setUp()
        write_file(self.conf, COMMENTED)
        self.begin()

    def test_on_rotate_and_off(self) -> None:
        done = self.on()
        self.assertEqual((done["converted"], done["remaining"], done["daemon"]), (self.COUNT, 0, "read"))
        self.assertSealedUnder(self.first)
        self.assertNothingTemporary()
        self.assertServed()
        self.assertNewValueIs("jwe")
        done = self.rotate()
        self.assertEqual((done["converted"], done["remaining"]), (self.COUNT, 0))
        self.assertSealedUnder(self.second)
        self.assertNothingTemporary()
        self.assertServed()
        done = self.keyhold.json("encrypt", "off")
        self.assertEqual((done["converted"], done["remaining"]), (self.COUNT, 0))
        self.assertFormats(self.store, "base64", self.COUNT)
        self.assertNothingTemporary()
        self.assertServed()
        self.assertNewValueIs("base64")
        self.assertTrue(self.conf.read_text().startswith(COMMENTED + "\n"))

    def test_rotate_beside_a_setter(self) -> None:
        self.on()
        ended = threading.Event()
        handle = self.connection.secretLookupByUUIDString(self.secrets[0].uuid)

        def set_values() -> None:
            number = 0
            while not ended.is_set():
                number += 1
                handle.setValue(b"%d" % number)
        setter = threading.Thread(target=set_values)
        setter.start()
        try:
            self.assertEqual(self.rotate()["remaining"], 0)
        finally:
            ended.set()
            setter.join()
        self.assertSealedUnder(self.second)

    def test_killed_in_between(self) -> None:
        for step in ("on", "rotate"):
            path = str(self.keys / f"{step}.key")
            for number in range(1, 12):
                process = self.machine.popen(
                    "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync",
                    "-e", f"inject=fsync:signal=KILL:when={number}", settings().command, "encrypt", step,
                    "--key", path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if process.wait(settings().patience) in (0, 2):
                    break
            self.keyhold.json("encrypt", step, "--key", path)
            self.assertNothingTemporary()
            self.assertSealedUnder(self.keys / f"{step}.key")
            self.assertServed()

    def test_a_key_that_the_daemon_has_not(self) -> None:
        self.on()
        write_file(self.conf, secret_conf(key=self.other_key))
        result = self.keyhold.json("rekey", "--key", str(self.first), code=2)
        self.assertEqual(result["remaining"], self.COUNT)
        self.assertIn("secrets_decryption_keys", result["findings"][0]["text"])

    def test_unseal_alone_switches_off_and_says_so(self) -> None:
        self.on()
        result = self.keyhold.run("unseal")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("encrypt_data = 0", result.err)
        self.assertFormats(self.store, "base64", self.COUNT)
        self.assertNothingTemporary()


class OfASession(EncryptCase):
    COUNT = 2

    def test_on_beside_a_session_daemon(self) -> None:
        user = self.machine.add_user("someone")
        keyhold = Keyhold(self.machine, user)
        daemon = self.start(user=user)
        connection = daemon.open()
        secrets = [Secret(usage=f"session {number}") for number in range(self.COUNT)]
        for secret in secrets:
            self.define(connection, secret, b"value")
        done = keyhold.json("encrypt", "on")
        self.assertEqual((done["converted"], done["daemon"]), (self.COUNT, "read"))
        self.assertTrue(done["key"]["file"].endswith("/keyhold/secrets-1.key"), done)
        self.assertFormats(user.store, "jwe", self.COUNT)
        for secret in secrets:
            self.assertEqual(self.value_of(connection, secret), b"value")


class DefaultPlaces(EncryptCase):
    COUNT = 2

    def test_of_the_system(self) -> None:
        """umask 022, as a shell of root has it; the place is the one that the pages name."""
        command = "mount -t tmpfs none /var/lib; umask 022; " \
                  f"{settings().command} encrypt on; {settings().command} encrypt rotate; " \
                  "stat -c '%a %n' /var/lib/keyhold /var/lib/keyhold/*"
        out = self.machine.run("unshare", "--mount", "sh", "-ec", command).ok()
        self.assertIn("700 /var/lib/keyhold\n600 /var/lib/keyhold/secrets-1.key\n"
                      "600 /var/lib/keyhold/secrets-2.key", out)
        self.assertIn("2 values re-encrypted; 2 sealed, 0 plain, 0 unreadable", out)

    def test_of_an_embedded_root(self) -> None:
        root = self.machine.home / "root"
        store = root / "etc/secrets"
        store.mkdir(parents=True, mode=0o700)
        secret = Secret()
        secret.write(store, b"value")
        result = self.keyhold.run("encrypt", "on", "--root", str(root))
        self.assertEqual(result.code, 2)
        self.assertIn("--key", result.err)
        done = self.keyhold.json("encrypt", "on", "--root", str(root), "--key", str(self.first))
        self.assertEqual(done["converted"], 1)
        self.assertFormats(store, "jwe", 1)
        self.assertFalse(self.conf.exists())
        self.assertIn(str(self.first), (root / "etc/secret.conf").read_text())
        done = self.keyhold.json("encrypt", "rotate", "--root", str(root), "--key", str(self.second))
        self.assertIn("any more: take that line out", "".join(done["advice"]))
        self.assertNotIn("daemon", "".join(done["advice"]))  # there is none

    def test_a_root_that_shares_settings_in_use(self) -> None:
        self.on()
        root = self.machine.home / "root"
        (root / "etc/secrets").mkdir(parents=True, mode=0o700)
        self.assertIn("no settings of its own", self.refused("rotate", "--root", str(root), "--key", "/x"))

    def test_a_user_is_told_to_be_root(self) -> None:
        result = Keyhold(self.machine, self.machine.add_user("someone")).run("encrypt", "on", "--system")
        self.assertEqual(result.code, 2)
        self.assertIn("as root", result.err)
