# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold audit beside a daemon that writes the trail."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema

from harness.audit_case import AuditCase
from harness.keyhold import Keyhold, require_valid
from harness.qemu import configure_qemu, domain_with_disk, make_luks_disk
from harness.secret_files import Secret, write_file
from harness.settings import settings

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit.schema.json").read_text())
VALUE = b"of the audit\0\xff"


class CommandAuditCase(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        # where the key is, which no test may leave on the host
        self.machine.run("sh", "-euc", "mount -t tmpfs -o mode=0755 none /var/lib; mkdir /var/lib/libvirt; "
                         f"mount --bind '{self.machine.home}/lib' /var/lib/libvirt").ok()
        self.keyhold = Keyhold(self.machine)
        self.key = self.machine.home / "audit-key-elsewhere"

    def init(self) -> None:
        """Makes the key, and keeps it elsewhere."""
        write_file(self.key, self.keyhold.run("audit", "init", "--file", str(self.trail)).out + "\n")

    def verify(self, *arguments: str, code: int = 0) -> Any:
        result = self.keyhold.run("audit", "verify", "--json", *arguments)
        require_valid("auditVerify", result.out)
        self.assertEqual(result.code, code, result.out)
        return json.loads(result.out)

    def proven(self, *arguments: str, code: int = 0) -> Any:
        return self.verify("--key-file", str(self.key), *arguments, code=code)

    def shown(self, *arguments: str) -> list[Any]:
        result = self.keyhold.run("audit", *arguments, "--json")
        require_valid("auditRecords", result.out)
        self.assertEqual(result.code, 0, result.out)
        return json.loads(result.out)["records"]


class Verify(CommandAuditCase):
    def test_a_trail_is_proven_over_a_restart_and_a_rotation(self) -> None:
        self.configure()
        self.init()
        self.begin()
        self.define(self.root, self.secret, VALUE).value()
        head = self.proven()["head"]
        self.assertEqual(self.proven("--head", head)["verdict"], "intact")
        self.assertEqual(self.daemon.stop(), 0)
        rotated = self.trail.with_name("audit.jsonl.1")
        self.trail.rename(rotated)
        self.begin()
        self.root.secretLookupByUUIDString(self.secret.uuid).value()
        subprocess.run(["gzip", rotated], check=True)
        report = self.proven("--head", head)
        self.assertEqual((report["verdict"], report["first"], report["provenFrom"]), ("intact", 1, 1))
        self.assertEqual([file["file"] for file in report["files"]], [f"{rotated}.gz", str(self.trail)])
        self.assertEqual(self.verify()["verdict"], "unbroken")
        text = self.keyhold.run("audit", "verify").ok()
        self.assertIn(f"{self.trail}: unbroken, not proven", text)

    def test_an_edited_record_is_named(self) -> None:
        self.verdict = "broken"
        self.begin()
        self.define(self.root, self.secret, VALUE).value()
        self.assertEqual(self.daemon.stop(), 0)
        [record] = self.records("secret-value-read")
        lines = self.trail.read_text()
        sequence = record["event"]["sequence"]
        line = next(each for each in lines.splitlines() if f'"sequence":{sequence},' in each)
        write_file(self.trail, lines.replace(line, line.replace('"name":"root"', '"name":"else"')))
        [found] = self.verify(code=1)["breaks"]
        self.assertEqual((found["kind"], found["record"]), ("chain", sequence))
        result = self.keyhold.run("audit", "verify")
        self.assertEqual(result.code, 1)
        self.assertIn(f"broken at record {sequence} of {self.trail} (line {sequence}): it does not match", result.out)

    def test_the_key_of_a_daemon_is_not_replaced_beneath_it(self) -> None:
        self.configure()
        self.init()
        self.begin()
        self.define(self.root, self.secret, VALUE)
        self.assertIn("already; with --replace", self.keyhold.run("audit", "init").failed())
        self.assertIn("seals with the key in", self.keyhold.run("audit", "init", "--replace").failed())
        self.assertEqual(self.proven()["verdict"], "sealed")


class Show(CommandAuditCase):
    def test_records_are_as_the_schema_says(self) -> None:
        self.init()
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        handle.value()
        handle.XMLDesc()
        private = self.define(self.root, Secret(usage="private", private=True), VALUE)
        self.refusal(private.value)
        self.refusal(self.root.secretLookupByUUIDString, Secret().uuid)
        self.daemon.reload()
        handle.undefine()
        self.assertEqual(self.daemon.stop(), 0)
        self.trail.rename(f"{self.trail}.1")
        self.begin()
        records = self.shown("show")
        actions = {record["event"]["action"] for record in records}
        self.assertLessEqual({"secret-value-read", "secret-value-set", "secret-defined", "secret-undefined",
                              "secret-looked-up", "audit-started", "audit-stopped", "audit-file-begun"}, actions)
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        validator = jsonschema.Draft202012Validator(SCHEMA)
        for record in records:
            validator.validate(record)

    def test_who_and_by(self) -> None:
        self.begin()
        self.define(self.root, self.secret, VALUE).value()
        reads = self.shown("who", self.secret.uuid)
        self.assertEqual(reads, self.shown("who", "ceph:audited"))
        self.assertIn("secret-value-read", [record["event"]["action"] for record in reads])
        self.assertLessEqual(len(reads), len(self.shown("by", "root")))
        self.assertEqual(self.shown("by", "root"), self.shown("by", "0"))
        self.assertEqual(self.shown("by", "nobody"), [])
        self.assertEqual(self.shown("show", "--since", "1 hour ago"), self.shown("show", "--until", "now"))
        self.assertRegex(self.keyhold.run("audit", "who", self.secret.uuid).ok(),
                         rf"secret-value-read +success +- +root pid {os.getpid()} +remoteDispatchSecretGetValue "
                         rf"+{self.secret.uuid} ceph:audited\n")

    def test_a_guest_that_started(self) -> None:
        configure_qemu(self.machine)
        self.begin(driver_dir=settings().with_qemu)
        secret = Secret(type="volume", usage="/disk")
        self.define(self.root, secret, b"passphrase")
        qemu = self.daemon.open("qemu")
        disk = make_luks_disk(self.machine, "data=passphrase")
        running = qemu.createXML(domain_with_disk(disk, secret))
        self.addCleanup(running.destroy)
        text = self.keyhold.run("audit", "who", secret.uuid).ok()
        self.assertRegex(text, rf"secret-value-read +success +- +root pid {os.getpid()} "
                         "+remoteDispatchDomainCreateXML ")
        self.assertIn("used by domain 'guest', disk vda (running", text)
