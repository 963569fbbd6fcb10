# SPDX-License-Identifier: LGPL-2.1-or-later
"""Claims about the audit trail, which is read here by nothing of Keyhold's."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .case import SystemCase
from .daemon import Daemon
from .keyhold import Keyhold
from .secret_files import Secret, write_file
from .settings import settings

Record = dict[str, Any]


def records_in(path: Path) -> list[Record]:
    """The records of a file, checked: each is whole, in sequence, and chained to the one before it or to what
    it names."""
    chain, sequence, records = bytes(32), 0, []
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            raise AssertionError(f"{path} ends within a record: {line[-200:]!r}")
        record = json.loads(line)
        if previous := record["keyhold"].get("previousChain"):
            before, action = record["event"]["sequence"] - 1, record["event"]["action"]
            if action == "audit-records-missing":
                is_allowed = before - sequence == record["keyhold"].get("count", 1)
            else:
                is_allowed = action == "audit-file-begun" and not records
            if not is_allowed:
                raise AssertionError(f"{path} begins again at {line!r}")
            chain, sequence = bytes.fromhex(previous), before
        covered = line[:line.rindex(b',"chain":')]
        wanted = hashlib.sha256(chain + covered).hexdigest()
        if record["chain"] != wanted or record["event"]["sequence"] != sequence + 1:
            raise AssertionError(f"{path} is broken at {line!r}")
        chain, sequence = bytes.fromhex(wanted), sequence + 1
        records.append(record)
    return records


class AuditCase(SystemCase):
    """`self.trail` is the file of the trail of a daemon that `begin` starts. It is verified at the end, and
    the test says so if it has broken it."""

    verdict = "unbroken"

    def setUp(self) -> None:
        super().setUp()
        self.trail = self.machine.home / "audit" / "audit.jsonl"
        self.secret = Secret(usage="audited")

    def tearDown(self) -> None:
        # The suite of remote clients has no command.
        if settings().command and self.machine.run("test", "-e", str(self.trail)).code == 0:
            report = Keyhold(self.machine).run("audit", "verify", "--json", "--file", str(self.trail))
            self.assertEqual(json.loads(report.out)["verdict"], self.verdict, report.out)
        super().tearDown()

    def configure(self, *lines: str) -> None:
        write_file(self.machine.etc / "secret.conf",
                   "\n".join(("audit = 1", f'audit_file = "{self.trail}"', *lines)) + "\n")

    def begin(self, *lines: str, **options: Any) -> Daemon:
        self.configure(*lines)
        self.daemon = self.start(**options)
        self.root = self.daemon.open()
        return self.daemon

    def records(self, action: str = "", secret: Secret | None = None) -> list[Record]:
        return [record for record in records_in(self.trail)
                if (not action or record["event"]["action"] == action)
                and (secret is None or record["keyhold"].get("secret") == secret.uuid)]

    def told(self, secret: Secret) -> list[str]:
        """What the trail says of a secret, in order, such as "secret-value-read failure private"."""
        return [" ".join(filter(None, (record["event"]["action"], record["event"]["outcome"],
                                       record["event"].get("reason"))))
                for record in self.records(secret=secret)]
