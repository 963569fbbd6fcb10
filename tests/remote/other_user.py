# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client in a process of another user, which does what the test asks for."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from harness.machine import Machine, User
from harness.waiting import wait_for

# handed over as text: the source directory may be closed to other users
PROGRAM = Path(__file__).with_name("other_user_process.py")


class Refused(Exception):
    """The libvirt error that the client got."""

    def __init__(self, code: int, domain: int, message: str) -> None:
        super().__init__(message)
        self.code, self.domain = code, domain


class OtherUser:
    """Its connection is opened at once; each method is one call there. Raises Refused."""

    def __init__(self, machine: Machine, user: User | None, uri: str, readonly: bool = False) -> None:
        self._process = machine.popen(
            "/usr/bin/python3", "-c", PROGRAM.read_text(), uri, str(int(readonly)), user=user,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answer()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the client ended with {self._process.wait()}")
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(*answer["refused"])
        return answer["answer"]

    def _call(self, what: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, *arguments]).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def call(self, what: str, *arguments: Any) -> Any:
        return self._call(what, *arguments)

    def get(self, uuid: str) -> bytes:
        return base64.b64decode(self._call("get", uuid))

    def set(self, uuid: str, value: bytes) -> None:
        self._call("set", uuid, base64.b64encode(value).decode())

    def events_until(self, last: tuple[str, str]) -> list[tuple[str, str]]:
        """What has arrived, in order, once `last` is among it."""
        def arrived() -> list[tuple[str, str]]:
            seen = [(what, uuid) for what, uuid in self._call("events")]
            return seen if last in seen else []
        return wait_for(f"the event {last}", arrived)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
