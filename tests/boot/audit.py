# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of the audit trail, with the host that keeps its key and its heads."""

from walk import WalkCase


class Audit(WalkCase):
    VAULT, IMAGE = "vault.example.com", "image.example.com"
    TRAIL = "/var/log/keyhold/audit.jsonl"

    def setUp(self) -> None:
        super().setUp()
        self.install("keyhold", "keyhold-tools")
        self.install("keyhold-tools", on=self.add_host(self.VAULT))
        self.systems[self.IMAGE] = self.boot(self.IMAGE)
        self.install("keyhold", "keyhold-tools", on=self.systems[self.IMAGE])

    def values_of_before(self) -> None:
        self.secret = self.define_with_value("a value")

    def read_a_value(self) -> None:
        """Once the daemon that was reloaded has begun the trail."""
        self.host.wait_for(f"test -e {self.TRAIL}")
        self.value(self.secret)

    def keep_evidence(self) -> None:
        """Of a record that somebody has changed."""
        self.host.run(f"sed -i '0,/secret-value-read/s//secret-looked-up/' {self.TRAIL}").ok()
        broken = self.host.run("keyhold audit verify")
        self.assertEqual(broken.code, 1)
        self.assertRegex(broken.output, "broken at record [0-9]+ of /var/log/keyhold/audit.jsonl .*: it does not match")
        failed = self.host.run("systemctl start keyhold-audit-head.service || systemctl reset-failed")
        self.assertIn("failed because the control process exited with error code", failed.output)

    def test_the_page(self) -> None:
        self.walk("docs/audit.md")
        self.assertStock()
        self.assertTrue(self.host.root(self.TRAIL).exists())
        self.assertIn("unbroken, not proven", self.host.run("keyhold audit verify").ok())
        kept = self.systems[self.VAULT].root("/root")
        for name in ("hypervisor-audit-key", "hypervisor-audit-key-2"):
            self.assertEqual((kept / name).stat().st_mode & 0o077, 0, name)
        self.assertRegex((kept / "hypervisor-audit-heads").read_text(encoding="ascii"), r"\A([0-9]+:[0-9a-f]{64}\n)+\Z")
