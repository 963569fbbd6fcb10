# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for what another process does. No test asserts how long anything takes."""

import time
from collections.abc import Callable
from typing import TypeVar

from .settings import settings

T = TypeVar("T")


class NeverHappened(AssertionError):
    pass


def wait_for(what: str, probe: Callable[[], T], patience: float | None = None) -> T:
    """Calls `probe` until it answers something true, and returns that."""
    limit = settings().patience if patience is None else patience
    end = time.monotonic() + limit
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise NeverHappened(f"{what}: did not happen within {limit:g} s")
        time.sleep(0.01)
