# SPDX-License-Identifier: LGPL-2.1-or-later
"""The audit trail of a daemon: what is in it, and what becomes of calls when it cannot be written."""

import base64
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libvirt

from harness.audit_case import AuditCase, records_in
from harness.secret_files import Secret, write_file
from harness.waiting import wait_for

VALUE = b"of the audit\0\xff"


class Record(AuditCase):
    def test_off_there_is_no_trail(self) -> None:
        write_file(self.machine.etc / "secret.conf", f'audit_file = "{self.trail}"\n')
        self.daemon = self.start()
        self.define(self.daemon.open(), self.secret, VALUE)
        self.assertFalse(self.trail.parent.exists())

    def test_the_life_of_a_secret(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        self.assertEqual(handle.value(), VALUE)
        handle.undefine()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.told(self.secret), [
            "secret-defined unknown", "secret-defined success", "secret-value-set unknown",
            "secret-value-set success", "secret-value-read success", "secret-undefined unknown",
            "secret-undefined success"])
        records = self.records(secret=self.secret)
        for intent, outcome in zip(records[::2][:2], records[1::2][:2]):
            self.assertEqual(outcome["keyhold"]["follows"], intent["event"]["sequence"])
        self.assertEqual(records[0]["keyhold"]["usage"], {"type": "ceph", "id": "audited"})
        self.assertEqual([self.records()[at]["event"]["action"] for at in (0, -1)],
                         ["audit-started", "audit-stopped"])

    def test_it_names_the_client_and_the_call(self) -> None:
        self.begin()
        self.define(self.root, self.secret, VALUE).value()
        [record] = self.records("secret-value-read")
        self.assertEqual(record["user"], {"id": "0", "name": "root"})
        self.assertEqual(record["process"], {"pid": os.getpid()})
        self.assertEqual(record["keyhold"]["job"], "remoteDispatchSecretGetValue")
        self.assertEqual(record["keyhold"]["connection"], "secret:///system")
        self.assertEqual(record["keyhold"]["instance"], "system")
        self.assertIs(record["keyhold"]["elevated"], False)
        started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        self.assertEqual(record["keyhold"]["processStart"], int(started))
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        self.assertEqual(record["host"]["boot"]["id"], boot)

    def test_each_refusal_is_one_record(self) -> None:
        self.begin()
        private = Secret(usage="private", private=True)
        unknown = Secret(usage="unknown")
        self.refusal(self.define(self.root, private, VALUE).value)
        self.refusal(self.define(self.root, self.secret).value)
        self.refusal(self.root.secretLookupByUUIDString, unknown.uuid)
        self.refusal(self.root.secretLookupByUsage, libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "unknown")
        self.refusal(self.root.secretDefineXML, "<secret><uuid>1</uuid></secret>")
        self.assertEqual(self.daemon.stop(), 0)
        failures = [(record["event"]["action"], record["event"]["reason"])
                    for record in self.records() if record["event"]["outcome"] == "failure"]
        self.assertEqual(failures, [
            ("secret-value-read", "private"), ("secret-value-read", "no-value"),
            ("secret-looked-up", "not-found"), ("secret-looked-up", "not-found"),
            ("secret-defined", "error")])

    def test_a_lost_key_is_the_reason_of_a_read_that_fails(self) -> None:
        key = self.machine.home / "key"
        key.write_bytes(os.urandom(32))
        key.chmod(0o600)
        self.begin(f'secrets_encryption_key = "{key}"')
        self.define(self.root, self.secret, VALUE)
        self.assertEqual(self.daemon.stop(), 0)
        key.unlink()
        self.begin(f'secrets_encryption_key = "{key}"')
        self.refusal(self.value_of, self.root, self.secret)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertIn("secret-value-read failure missing-key", self.told(self.secret))

    def test_no_value_is_in_it(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        handle.value()
        self.refusal(handle.setValue, VALUE * 100_000)
        text = self.trail.read_bytes()
        for plain in (VALUE, base64.b64encode(VALUE), b"of the audit"):
            self.assertNotIn(plain, text)


class Files(AuditCase):
    def test_a_file_that_is_renamed_is_followed_by_a_new_one(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        former = self.trail.rename(self.trail.with_name("audit.jsonl.1"))
        handle.value()
        self.assertEqual(self.records()[0]["event"]["action"], "audit-file-begun")
        self.assertEqual(self.records()[0]["keyhold"]["previousChain"], records_in(former)[-1]["chain"])

    def test_a_file_that_is_removed_is_made_again(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        self.trail.unlink()
        handle.value()
        self.assertIn("secret-value-read success", self.told(self.secret))

    def test_a_file_that_is_emptied_is_a_loss(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        os.truncate(self.trail, 0)
        handle.value()
        first = self.records()[0]
        self.assertEqual((first["event"]["action"], first["event"]["outcome"]), ("audit-records-missing", "failure"))
        self.assertEqual(first["keyhold"]["count"], first["event"]["sequence"] - 1)
        self.assertIn("secret-value-read success", self.told(self.secret))

    def test_a_restart_goes_on_behind_a_torn_line(self) -> None:
        self.begin()
        self.define(self.root, self.secret, VALUE)
        self.daemon.kill()
        with self.trail.open("ab") as torn:
            torn.write(b'{"@timestamp":"20')
        self.begin()
        self.value_of(self.root, self.secret)
        self.assertEqual(self.told(self.secret)[-1], "secret-value-read success")

    def test_settings_are_taken_over_at_a_reload(self) -> None:
        self.daemon = self.start()
        self.root = self.daemon.open()
        handle = self.define(self.root, self.secret, VALUE)
        self.configure()
        self.daemon.reload()
        handle.value()
        self.assertEqual(self.told(self.secret), ["secret-value-read success"])
        write_file(self.machine.etc / "secret.conf", "")
        self.daemon.reload()
        handle.value()
        self.assertEqual(self.told(self.secret), ["secret-value-read success"])
        self.assertEqual(self.records()[-1]["event"]["action"], "audit-stopped")

    def test_no_call_is_lost_between_two_files(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        other = self.trail.with_name("other.jsonl")
        ended = threading.Event()
        calls = 0

        def change() -> None:
            nonlocal calls
            while not ended.is_set():
                handle.setValue(VALUE)
                calls += 1
        with ThreadPoolExecutor() as pool:
            changing = pool.submit(change)
            for file in [other, self.trail] * 5:
                write_file(self.machine.etc / "secret.conf", f'audit = 1\naudit_file = "{file}"\n')
                self.daemon.reload()
            ended.set()
            changing.result()
        self.daemon.stop()
        written = [record for path in (self.trail, other) for record in records_in(path)
                   if record["event"]["action"] == "secret-value-set"]
        outcomes = [record["event"]["outcome"] for record in written]
        self.assertGreater(calls, 0)
        self.assertEqual(outcomes.count("unknown"), calls + 1)
        self.assertEqual(outcomes.count("success"), calls + 1)


class OwnDisk(AuditCase):
    """The trail is on a file system that only the daemon's namespace has."""

    def mount(self, *what: str) -> None:
        self.trail.parent.mkdir()
        self.machine.run("mount", *what, str(self.trail.parent)).ok()

    def read_trail(self) -> list[str]:
        copy = self.machine.home / "copy"
        self.machine.run("cp", str(self.trail), str(copy)).ok()
        return [" ".join(filter(None, (record["event"]["action"], record["event"]["outcome"],
                                       record["event"].get("reason"))))
                for record in records_in(copy)]


class FullDisk(OwnDisk):
    def setUp(self) -> None:
        super().setUp()
        self.mount("-t", "tmpfs", "-o", "size=64k", "tmpfs")
        self.stuffing = self.trail.with_name("stuffing")

    def fill(self) -> None:
        self.machine.run("sh", "-c", f"dd if=/dev/zero of={self.stuffing} bs=1k 2>/dev/null || true").ok()

    def test_clients_are_refused_until_there_is_room_and_other_calls_are_not(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        self.fill()
        # what is left of the last page takes some records yet
        for _ in range(20):
            try:
                handle.value()
            except libvirt.libvirtError:
                break
        error = self.refusal(handle.value)
        self.assertIn(f"audit trail '{self.trail}' cannot be written", str(error))
        self.assertIn("No space left on device", str(error))
        self.refusal(handle.setValue, b"other")
        self.refusal(handle.undefine)
        self.assertListed(self.root, self.secret)
        self.assertIn("audited", handle.XMLDesc())
        self.machine.run("rm", str(self.stuffing)).ok()
        self.assertEqual(handle.value(), VALUE)
        wait_for("the refusals are written",
                 lambda: self.read_trail().count("secret-undefined failure audit-unavailable") == 1)
        self.assertLogNames(self.daemon, "the audit trail", "is written again")

    def test_by_setting_all_goes_on(self) -> None:
        self.begin('audit_on_failure = "continue"')
        handle = self.define(self.root, self.secret, VALUE)
        self.fill()
        for _ in range(50):
            self.assertEqual(handle.value(), VALUE)
        self.machine.run("rm", str(self.stuffing)).ok()
        wait_for("all reads are written",
                 lambda: self.read_trail().count("secret-value-read success") == 50)


class HangingDisk(OwnDisk):
    """Of a file system that is frozen, writes wait in the kernel."""

    tests_apart = True

    def setUp(self) -> None:
        super().setUp()
        image = self.machine.home / "image"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        self.machine.run("mkfs.ext4", "-q", "-O", "^has_journal", str(image)).ok()
        self.mount("-o", "loop", str(image))
        self.begin()
        self.handle = self.define(self.root, self.secret, VALUE)
        self.machine.run("fsfreeze", "-f", str(self.trail.parent)).ok()
        self.addCleanup(self.thaw)
        self.is_frozen = True

    def thaw(self) -> None:
        if self.is_frozen:
            self.machine.run("fsfreeze", "-u", str(self.trail.parent)).ok()
        self.is_frozen = False

    def within(self, seconds: float, call: Callable[[], object]) -> None:
        began = time.monotonic()
        call()
        self.assertLess(time.monotonic() - began, 10 * seconds)

    def test_calls_come_back_and_are_served_again_afterwards(self) -> None:
        for _ in range(2):
            self.within(2, lambda: self.assertIn(
                "has not answered", str(self.refusal(self.handle.value))))
        self.within(2, lambda: self.assertListed(self.root, self.secret))
        self.within(2, lambda: self.handle.XMLDesc())
        self.thaw()
        wait_for("the daemon knows that it answers", lambda: "is written again" in self.daemon.log())
        self.assertEqual(self.handle.value(), VALUE)
        self.assertEqual([line for line in self.read_trail() if line.startswith("secret-value-read")],
                         ["secret-value-read success", "secret-value-read failure audit-unavailable",
                          "secret-value-read failure audit-unavailable", "secret-value-read success"])


class Killed(AuditCase):
    tests_apart = True
    ROUNDS, CLIENTS = 5, 16

    def test_every_value_that_a_client_got_has_its_record(self) -> None:
        self.check_that_every_value_has_its_record()

    def test_so_it_has_without_syncs(self) -> None:
        """Calls leave their records in the spool, and the next daemon writes what is still there."""
        state = "/run/libvirt/secrets"
        self.machine.run("mkdir", "-p", state).ok()
        self.machine.run("mount", "-t", "tmpfs", "-o", "mode=0700", "none", state).ok()
        self.check_that_every_value_has_its_record("audit_sync = 0")
        self.daemon.stop()
        self.assertEqual("", self.machine.run("cat", f"{state}/keyhold-audit-spool").ok())

    def check_that_every_value_has_its_record(self, *lines: str) -> None:
        secrets = [Secret(usage=f"number {number}") for number in range(self.CLIENTS)]
        self.begin(*lines)
        for secret in secrets:
            self.define(self.root, secret, VALUE)
        reads = dict.fromkeys((secret.uuid for secret in secrets), 0)
        for _ in range(self.ROUNDS):
            got = self.read_until_killed(secrets)
            for uuid, count in got.items():
                reads[uuid] += count
            self.begin(*lines)
        written = [record["keyhold"]["secret"] for record in self.records("secret-value-read")]
        self.assertGreater(sum(reads.values()), self.CLIENTS * self.ROUNDS)
        for uuid, count in reads.items():
            self.assertGreaterEqual(written.count(uuid), count)

    def read_until_killed(self, secrets: list[Secret]) -> dict[str, int]:
        got = dict.fromkeys((secret.uuid for secret in secrets), 0)
        enough = threading.Event()

        def read(secret: Secret) -> None:
            handle = self.daemon.open().secretLookupByUUIDString(secret.uuid)
            try:
                while True:
                    handle.value()
                    got[secret.uuid] += 1
                    if sum(got.values()) > 40 * len(secrets):
                        enough.set()
            except libvirt.libvirtError:
                pass
        threads = [threading.Thread(target=read, args=(secret,)) for secret in secrets]
        for thread in threads:
            thread.start()
        enough.wait(60)
        self.daemon.process.kill()
        for thread in threads:
            thread.join()
        self.daemon.kill()
        return got
