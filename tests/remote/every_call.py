# SPDX-License-Identifier: LGPL-2.1-or-later
"""What holds on every connection, whatever carries it; client.py makes the calls."""

import json
import os
from collections.abc import Mapping

from harness.case import stock_defect
from harness.machine import User
from harness.settings import VARIABLE

from remote_case import RemoteCase


class EveryCall:
    """To be mixed into a RemoteCase. The client is run once a class, as `user` on the machine.

    `stock_failure` is what stock_defect() takes, where the stock driver fails at all of it."""

    uri = ""
    user: User | None = None  # None is root
    encrypted = False
    private_error = "Invalid secret: secret is private"
    wire = True  # the calls go through libvirt's protocol
    client_env: Mapping[str, str] = {}
    _outcomes: dict[str, str] | None = None

    def __init_subclass__(cls, stock_failure: str = "") -> None:
        super().__init_subclass__()
        if stock_failure:
            for name in [name for name in vars(EveryCall) if name.startswith("test_")]:
                setattr(cls, name, stock_defect(stock_failure)(lambda self: self._holds()))

    def _holds(self) -> None:
        cls = type(self)
        assert issubclass(cls, RemoteCase) and isinstance(self, RemoteCase)
        if cls._outcomes is None:
            arguments = json.dumps([cls.uri, cls.encrypted, cls.private_error, cls.wire])
            done = cls.machine.run(
                "/usr/bin/python3", "-B", str(cls.machine.copy_client()), arguments, user=cls.user,
                env={VARIABLE: os.environ[VARIABLE], **cls.client_env})
            cls._outcomes = json.loads(done.ok())
        failure = cls._outcomes[self._testMethodName]
        if failure:
            raise AssertionError(f"in the client: {failure}")

    def test_secret_lives_from_definition_to_undefinition(self) -> None:
        self._holds()

    def test_events_arrive(self) -> None:
        self._holds()

    def test_largest_value_reads_back(self) -> None:
        self._holds()

    def test_value_that_the_wire_cannot_carry_is_refused(self) -> None:
        self._holds()

    def test_binary_value_reads_back(self) -> None:
        self._holds()

    def test_private_value_is_refused(self) -> None:
        self._holds()

    def test_read_only_connection_reveals_and_changes_nothing(self) -> None:
        self._holds()

    def test_read_only_connection_is_told_of_changes(self) -> None:
        self._holds()

    def test_connection_says_whether_it_is_encrypted(self) -> None:
        self._holds()
