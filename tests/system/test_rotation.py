# SPDX-License-Identifier: LGPL-2.1-or-later
"""New keys for old: what a reload and a start write anew, and that reading works throughout."""

import os
import signal
import threading

import libvirt

from harness.daemon import Daemon
from harness.events import EventLog
from harness.sealed_case import SealedCase
from harness.sealed_files import KeyFile, key_id_of, sealed_in
from harness.secret_files import Secret, snapshot
from harness.waiting import wait_for

MANY = 300


class RotationCase(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.next = self.new_key("next")
        self.secrets = [Secret(usage=f"number {number}") for number in range(20)]

    def begin_renewed(self, count: int) -> None:
        """A start that writes `count` values anew, to its end."""
        self.begin()
        wait_for("the values are written anew",
                 lambda: f"written anew: {count} of {count} values" in self.daemon.log())


class Rotation(RotationCase):
    def test_a_reload_seals_every_value_under_the_new_key(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        log = EventLog(self.root)
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.reload()
        self.assertSealedWith(self.next, *self.secrets)
        self.assertValue(b"value", *self.secrets)
        self.assertLogNames(self.daemon, "writing 20 stored values anew")
        self.assertLogNames(self.daemon, "written anew: 20 of 20 values")
        self.assertEqual(log.take(), [])

    def test_then_the_earlier_key_is_not_needed_any_more(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.reload()
        self.configure(key=self.next)
        self.key.path.unlink()
        self.restart()
        self.assertValue(b"value", *self.secrets)

    def test_a_start_seals_every_value_under_the_new_key(self) -> None:
        """A systemd credential changes with a restart of the service alone."""
        self.store_sealed(*self.secrets)
        self.configure(key=self.next, earlier=[self.key])
        self.begin_renewed(20)
        self.assertSealedWith(self.next, *self.secrets)
        self.assertValue(b"value", *self.secrets)

    def test_a_credential_takes_the_place_of_a_key(self) -> None:
        credential = self.new_key("secrets-encryption-key")
        self.store_sealed()
        self.configure(earlier=[self.key])
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        wait_for("the value is sealed anew",
                 lambda: key_id_of(sealed_in(self.store, self.secret)) == credential.id)
        self.assertValue(b"value")

    def test_a_changed_key_file_under_the_same_name(self) -> None:
        self.store_sealed()
        self.begin()
        earlier = self.new_key("earlier", self.key.raw)
        self.key = self.new_key("key")
        self.configure(key=self.key, earlier=[earlier])
        self.daemon.reload()
        self.assertSealedWith(self.key)
        self.assertValue(b"value")

    def test_plain_values_stay_plain_unless_they_are_asked_for(self) -> None:
        self.secret.write(self.store, b"plain")
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.reload()
        self.assertPlain(b"plain")
        self.configure(key=self.next, seal_existing=1)
        self.daemon.reload()
        self.assertSealedWith(self.next, self.secret, *self.secrets)
        self.assertValue(b"plain")
        self.restart()
        self.assertValue(b"plain")

    def test_a_start_brings_plain_values_along(self) -> None:
        for secret in self.secrets:
            secret.write(self.store, b"plain", newline=True)
        self.configure(key=self.key, seal_existing=1)
        self.begin_renewed(20)
        self.assertSealedWith(self.key, *self.secrets)
        self.assertValue(b"plain", *self.secrets)

    def test_the_way_back_to_plain(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        self.configure(encrypt=False, key=self.key, unseal_existing=1)
        self.daemon.reload()
        self.assertPlain(b"value", *self.secrets)
        self.assertValue(b"value", *self.secrets)
        (self.machine.etc / "secret.conf").unlink()
        self.restart()
        self.assertValue(b"value", *self.secrets)

    def test_the_way_back_to_plain_at_a_start(self) -> None:
        self.store_sealed(*self.secrets)
        self.configure(encrypt=False, earlier=[self.key], unseal_existing=1)
        self.begin_renewed(20)
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
        self.begin_renewed(20)
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
        self.daemon.reload()
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
            self.daemon.reload()
            wait_for("the reader goes on", lambda: reader.reads > seen)
            self.assertSealedWith(new, *secrets)
        reader.end()
        self.assertEqual(reader.wrong, [])

    def test_a_value_that_is_set_meanwhile_is_the_one_that_stays(self) -> None:
        secrets = [Secret(usage=f"number {number}") for number in range(MANY)]
        self.store_sealed(*secrets)
        self.begin()
        self.configure(key=self.next, earlier=[self.key])
        self.daemon.start_reload()
        for secret in secrets:
            self.root.secretLookupByUUIDString(secret.uuid).setValue(b"set meanwhile")
        self.daemon.wait_reloaded()
        self.assertSealedWith(self.next, *secrets)
        self.restart()
        self.assertValue(b"set meanwhile", *secrets)


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
        wait_for("some are sealed anew", lambda: self.sealed_with(new) >= 10)
        self.daemon.kill()
        return self.sealed_with(new) < MANY

    def sealed_with(self, key: KeyFile) -> int:
        return sum(key_id_of(path) == key.id for path in self.store.glob("*.jwe"))


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
