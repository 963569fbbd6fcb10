# SPDX-License-Identifier: LGPL-2.1-or-later
"""New keys for old: what a reload and a start re-encrypt, and that reading works throughout."""

import os
import signal
import subprocess
import threading

import libvirt

from harness.daemon import Daemon
from harness.events import DEFINED, EventLog
from harness.sealed_case import PROGRESS, SealedCase
from harness.sealed_files import KeyFile, key_id_of, sealed_in
from harness.secret_files import Secret, snapshot
from harness.tracing import Trace
from harness.waiting import wait_for

MANY = 300


class RotationCase(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.next = self.new_key("next")
        self.secrets = [Secret(usage=f"number {number}") for number in range(20)]

    def begin_reencrypted(self, count: int) -> None:
        """A start that re-encrypts `count` values, to its end."""
        self.begin()
        wait_for("the values are re-encrypted",
                 lambda: f"re-encrypted {count} of {count} values" in self.daemon.log())

    def sealed_with(self, key: KeyFile) -> int:
        return sum(key_id_of(path) == key.id for path in self.store.glob("*.jwe"))


class Rotation(RotationCase):
    def test_a_reload_seals_every_value_under_the_new_key(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        log = EventLog(self.root)
        self.configure(key=self.next, earlier=[self.key])
        self.reload_and_reencrypt()
        self.assertSealedWith(self.next, *self.secrets)
        self.assertValue(b"value", *self.secrets)
        lines = [line for line in self.daemon.log().splitlines() if "re-encrypt" in line]
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("re-encrypting 20 stored values", lines[0])
        self.assertIn("re-encrypted 20 of 20 values", lines[1])
        self.assertEqual(log.take(), [])

    def test_then_the_earlier_key_is_not_needed_any_more(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.reload_and_reencrypt()
        self.configure(key=self.next)
        self.key.path.unlink()
        self.restart()
        self.assertValue(b"value", *self.secrets)

    def test_a_start_seals_every_value_under_the_new_key(self) -> None:
        """A systemd credential changes with a restart of the service alone."""
        self.store_sealed(*self.secrets)
        self.configure(key=self.next, earlier=[self.key])
        self.begin_reencrypted(20)
        self.assertSealedWith(self.next, *self.secrets)
        self.assertValue(b"value", *self.secrets)

    def test_a_credential_takes_the_place_of_a_key(self) -> None:
        credential = self.new_key("secrets-encryption-key")
        self.store_sealed()
        self.configure(earlier=[self.key])
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        wait_for("the value is re-encrypted",
                 lambda: key_id_of(sealed_in(self.store, self.secret)) == credential.id)
        self.assertValue(b"value")

    def test_a_changed_key_file_under_the_same_name(self) -> None:
        self.store_sealed()
        self.begin()
        earlier = self.new_key("earlier", self.key.raw)
        self.key = self.new_key("key")
        self.configure(key=self.key, earlier=[earlier])
        self.reload_and_reencrypt()
        self.assertSealedWith(self.key)
        self.assertValue(b"value")

    def test_plain_values_stay_plain_unless_they_are_asked_for(self) -> None:
        self.secret.write(self.store, b"plain")
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.reload_and_reencrypt()
        self.assertPlain(b"plain")
        self.configure(key=self.next, seal_existing=1)
        self.reload_and_reencrypt()
        self.assertSealedWith(self.next, self.secret, *self.secrets)
        self.assertValue(b"plain")
        self.restart()
        self.assertValue(b"plain")

    def test_a_start_brings_plain_values_along(self) -> None:
        for secret in self.secrets:
            secret.write(self.store, b"plain", newline=True)
        self.configure(key=self.key, seal_existing=1)
        self.begin_reencrypted(20)
        self.assertSealedWith(self.key, *self.secrets)
        self.assertValue(b"plain", *self.secrets)

    def test_the_way_back_to_plain(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(encrypt=False, key=self.key, unseal_existing=1)
        self.reload_and_reencrypt()
        self.assertPlain(b"value", *self.secrets)
        self.assertValue(b"value", *self.secrets)
        (self.machine.etc / "secret.conf").unlink()
        self.restart()
        self.assertValue(b"value", *self.secrets)

    def test_the_way_back_to_plain_at_a_start(self) -> None:
        self.store_sealed(*self.secrets)
        self.configure(encrypt=False, earlier=[self.key], unseal_existing=1)
        self.begin_reencrypted(20)
        self.assertPlain(b"value", *self.secrets)

    def test_one_value_that_cannot_be_read_stays_as_it_is_and_holds_up_no_other(self) -> None:
        self.store_sealed(*self.secrets)
        lost = self.new_key("lost")
        self.configure(key=lost)
        daemon = self.start()
        self.define(daemon.open(), self.secret, b"under a lost key")
        daemon.stop()
        lost.path.unlink()
        before = sealed_in(self.store, self.secret).read_bytes()
        self.configure(key=self.next, earlier=[self.key])
        self.begin_reencrypted(20)
        self.assertSealedWith(self.next, *self.secrets)
        self.assertEqual(sealed_in(self.store, self.secret).read_bytes(), before)
        self.assertValueRefused(lost.id, "is not configured")

    def test_without_the_earlier_key_nothing_is_lost(self) -> None:
        """A new key takes the place of the old one, which nobody listed as an earlier one."""
        self.store_sealed()
        before = snapshot(self.store)
        self.configure(key=self.next)
        self.begin()
        self.assertValueRefused(self.key.id, "secrets_decryption_keys")
        self.assertEqual(snapshot(self.store), before)
        self.configure(key=self.next, earlier=[self.key])
        self.reload_and_reencrypt()
        self.assertValue(b"value")
        self.assertSealedWith(self.next)


class RotationWhileClientsRead(RotationCase):
    def test_every_value_is_readable_throughout(self) -> None:
        secrets = [Secret(usage=f"number {number}") for number in range(MANY)]
        values = {secret: b"value of " + secret.usage.encode() for secret in secrets}
        self.configure(key=self.key)
        self.begin()
        for secret, value in values.items():
            self.define(self.root, secret, value)
        reader = Reader(self.daemon, values)
        keys = [self.next, self.key] * 2
        for new, old in zip(keys, [self.key, *keys], strict=False):
            self.configure(key=new, earlier=[old])
            seen = reader.reads
            self.reload_and_reencrypt()
            wait_for("the reader goes on", lambda: reader.reads > seen)
            self.assertSealedWith(new, *secrets)
        reader.end()
        self.assertEqual(reader.wrong, [])

    def test_a_value_that_is_set_at_that_time_is_the_one_that_stays(self) -> None:
        secrets = [Secret(usage=f"number {number}") for number in range(MANY)]
        self.store_sealed(*secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.start_reload()
        for secret in secrets:
            self.root.secretLookupByUUIDString(secret.uuid).setValue(b"set by a client")
        wait_for("the rest is re-encrypted", lambda: self.sealed_with(self.next) == MANY)
        self.assertSealedWith(self.next, *secrets)
        self.restart()
        self.assertValue(b"set by a client", *secrets)


class RotationThatIsCutShort(RotationCase):
    def test_a_kill_loses_nothing_and_the_next_start_goes_on(self) -> None:
        secrets = [Secret(usage=f"number {number}") for number in range(MANY)]
        self.store_sealed(*secrets)
        self.begin()
        old, new = self.key, self.next
        while not self.is_killed_half_way(old, new):
            self.begin()
            old, new = new, old
        self.begin()
        self.assertValue(b"value", *secrets)
        wait_for("the rest follows", lambda: self.sealed_with(new) == MANY)
        self.assertSealedWith(new, *secrets)
        self.assertValue(b"value", *secrets)
        self.assertEqual(len(list(self.store.iterdir())), 2 * MANY)

    def is_killed_half_way(self, old: KeyFile, new: KeyFile) -> bool:
        self.configure(key=new, earlier=[old])
        os.kill(self.daemon.pid, signal.SIGHUP)
        wait_for("some are re-encrypted", lambda: self.sealed_with(new) >= 10)
        self.daemon.kill()
        return self.sealed_with(new) < MANY


class RotationOnASlowDisk(RotationCase):
    """Each sync takes so long that the whole of it would take minutes; nobody waits for it."""

    SYNC = 300_000  # microseconds; each value takes two
    IDLE = 1  # seconds

    def setUp(self) -> None:
        super().setUp()
        self.secrets = [Secret(usage=f"number {number}") for number in range(MANY)]
        self.store_sealed(*self.secrets)

    def rotate_slowly(self) -> Trace:
        """A reload with the next key, to the first value that is sealed with it."""
        trace = Trace(self.daemon, "fsync", [f"fsync:delay_enter={self.SYNC}"])
        self.addCleanup(trace.close)
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.reload()
        wait_for("some are re-encrypted", lambda: self.sealed_with(self.next) > 0)
        return trace

    def assertOnItsWay(self) -> None:
        self.assertLess(self.sealed_with(self.next), MANY)

    def test_a_second_reload_is_served_and_its_settings_count(self) -> None:
        self.begin()
        log = EventLog(self.root)
        trace = self.rotate_slowly()
        last = self.new_key("last")
        self.configure(key=last, earlier=[self.next, self.key])
        by_hand = Secret(usage="by hand")
        by_hand.write(self.store)
        self.daemon.reload()
        self.assertEqual(log.take(), [(DEFINED, by_hand.uuid)])
        wait_for("the new settings count", lambda: self.sealed_with(last) > 0)
        self.assertGreater(self.sealed_with(self.key), 0, "the rotation has not come to its end")
        self.assertValue(b"value", *self.secrets[:5])
        trace.close()
        wait_for("all are sealed with the last key", lambda: self.sealed_with(last) == MANY)
        wait_for("both ends are reported", lambda: self.reports("re-encrypted") >= 2)
        self.assertEqual(self.reports("re-encrypting"), 2, "one after the other")
        self.assertValue(b"value", *self.secrets)

    def reports(self, word: str) -> int:
        return sum("secretStore" in line and f" {word}" in line for line in self.daemon.log().splitlines())

    def test_a_stop_ends_it_and_leaves_nothing_behind(self) -> None:
        self.begin()
        self.rotate_slowly()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertOnItsWay()
        self.assertEqual([path.name for path in self.store.iterdir() if "keyhold" in path.name], [])
        self.assertLogNames(self.daemon, "re-encrypted", "the rest follows at the next start")
        self.begin()
        wait_for("the rest follows", lambda: self.sealed_with(self.next) == MANY)
        self.assertValue(b"value", *self.secrets)

    def test_a_daemon_does_not_end_for_idleness_before_it_is_done(self) -> None:
        self.begin_idle()
        trace = self.rotate_slowly()
        self.daemon.close_connections()
        # the wait can only be too short to catch a wrong end, never be a wrong failure
        self.assertRaises(subprocess.TimeoutExpired, self.daemon.process.wait, 4 * self.IDLE)
        self.assertOnItsWay()
        trace.close()
        self.assertEqual(self.daemon.wait(), 0)
        self.assertSealedWith(self.next, *self.secrets)

    def begin_idle(self) -> None:
        def answered() -> bool:
            if self.daemon.process.poll() is not None:  # idle before this client, on a slow machine
                self.launch_idle()
            try:
                self.daemon.open()
            except libvirt.libvirtError:
                return False
            return True
        self.launch_idle()
        wait_for("libvirtd answers", answered)

    def launch_idle(self) -> None:
        self.daemon = self.launch(arguments=("--timeout", str(self.IDLE)), configuration=PROGRESS)


class Reader:
    """Reads all values again and again, each time over a lookup of its own."""

    def __init__(self, daemon: Daemon, values: dict[Secret, bytes]) -> None:
        self.reads, self.wrong = 0, list[str]()
        self._values, self._connection = values, daemon.open()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for secret, value in self._values.items():
                try:
                    found = self._connection.secretLookupByUUIDString(secret.uuid).value()
                    if found != value:
                        self.wrong.append(f"{secret.uuid}: {found!r}")
                except libvirt.libvirtError as error:
                    self.wrong.append(f"{secret.uuid}: {error}")
            self.reads += 1

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
