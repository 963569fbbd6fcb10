# SPDX-License-Identifier: LGPL-2.1-or-later
"""logrotate, with the stanza that is shipped, over the trail of a daemon that runs."""

import json
import time
from pathlib import Path

from harness.audit_case import AuditCase
from harness.keyhold import Keyhold
from harness.secret_files import write_file
from harness.waiting import wait_for

STANZA = Path(__file__).parents[2] / "logrotate" / "keyhold"
# What a host may have set for all its logs.
OF_THE_HOST = "daily\nrotate 1\ncreate 0644 root root\ncopytruncate\nnodateext\nnocompress\n"
VALUE = b"of the rotation"


class Logrotate(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        self.keyhold = Keyhold(self.machine)
        # where the trail and its key are by default
        for name in ("log", "lib"):
            self.machine.run("sh", "-euc", f"mount -t tmpfs -o mode=0755 none /var/{name}; mkdir /var/{name}/libvirt; "
                             f"mount --bind '{self.machine.home}/{name}' /var/{name}/libvirt").ok()
        self.settings = self.machine.home / "logrotate.conf"
        write_file(self.settings, f"{OF_THE_HOST}include {self.machine.home}/logrotate.stanza\n")
        write_file(self.machine.home / "logrotate.stanza", STANZA.read_text())

    def names(self) -> list[str]:
        return self.machine.run("ls", "/var/log/keyhold").ok().split()

    def rotate(self, *options: str) -> None:
        """With another second in the name than the time before."""
        now = int(time.time())
        wait_for("the next second", lambda: int(time.time()) > now)
        self.machine.run("logrotate", *options, "--state", str(self.machine.home / "logrotate.state"),
                         str(self.settings)).ok()

    def configure(self, *lines: str) -> None:
        write_file(self.machine.etc / "secret.conf", "\n".join(("audit = 1", *lines)) + "\n")

    def assertWhole(self, reads: int) -> None:
        proof = ("--key-file", str(self.machine.home / "audit-key-elsewhere"))
        report = self.keyhold.json("audit", "verify", *proof)
        report = self.keyhold.json("audit", "verify", *proof, "--head", report["head"])
        self.assertEqual((report["verdict"], report["first"]), ("intact", 1))
        self.assertEqual([Path(file["file"]).name for file in report["files"]],
                         [*(name for name in self.names() if name != "audit.jsonl"), "audit.jsonl"])
        shown = json.loads(self.keyhold.run("audit", "show", "--action", "secret-value-read", "--json").ok())
        self.assertEqual(len(shown["records"]), reads)

    def test_all_files_are_one_trail_beneath_a_daemon_that_runs(self) -> None:
        key = self.keyhold.run("audit", "init").ok()
        write_file(self.machine.home / "audit-key-elsewhere", key + "\n")
        self.begin()
        handle = self.define(self.root, self.secret, VALUE)
        for number in range(3):
            handle.value()
            self.rotate("--force")
            self.assertNotIn("audit.jsonl", self.names())
            handle.value()
            self.assertWhole(2 * (number + 1))
        self.assertEqual([name.endswith(".gz") for name in self.names()], [False, True, True, False])
        modes = self.machine.run("sh", "-c", "stat -c %a /var/log/keyhold /var/log/keyhold/*").ok().split()
        self.assertEqual(modes, ["700"] + ["600"] * 4)

    def test_a_daemon_that_starts_goes_on_from_the_rotated_file(self) -> None:
        """Without a key, which says as well where the trail ends."""
        self.begin()
        self.assertEqual(self.daemon.stop(), 0)
        self.rotate("--force")
        self.rotate("--force")
        self.start()
        report = self.keyhold.json("audit", "verify")
        self.assertEqual((report["verdict"], report["first"], len(report["files"])), ("unbroken", 1, 2))

    def test_a_host_without_a_trail_has_nothing_to_rotate(self) -> None:
        self.rotate("--force")
        self.assertEqual(self.machine.run("ls", "/var/log").ok(), "libvirt")
