# SPDX-License-Identifier: LGPL-2.1-or-later
"""Claims about the audit trail, which is read here by nothing of Keyhold's."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .case import SystemCase
from .daemon import Daemon
from .secret_files import Secret, write_file

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
            chain, sequence = bytes.fromhex(previous), record["event"]["sequence"] - 1
        covered = line[:line.rindex(b',"chain":')]
        wanted = hashlib.sha256(chain + covered).hexdigest()
        if record["chain"] != wanted or record["event"]["sequence"] != sequence + 1:
            raise AssertionError(f"{path} is broken at {line!r}")
        chain, sequence = bytes.fromhex(wanted), sequence + 1
        records.append(record)
    return records


class AuditCase(SystemCase):
    """`self.trail` is the file of the trail of a daemon that `begin` starts."""

    def setUp(self) -> None:
        super().setUp()
        self.trail = self.machine.home / "audit" / "audit.jsonl"
        self.secret = Secret(usage="audited")

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
