# SPDX-License-Identifier: LGPL-2.1-or-later
"""Collects what was measured; what fails has no figures; the others have."""

import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Results:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.found: dict[str, Any] = {}
        self.failures: dict[str, str] = {}

    def take(self, name: str, measure: Callable[[], Any]) -> None:
        begin = time.monotonic()
        try:
            self.found[name] = measure()
            word = "ok"
        except Exception as problem:  # noqa: BLE001: the others go on
            traceback.print_exc()
            self.failures[name] = f"{type(problem).__name__}: {problem}"
            word = "FAILED"
        print(f"{word:6} {time.monotonic() - begin:6.1f} s  {name}", flush=True)
        self.save()

    def save(self) -> None:
        text = json.dumps({"found": self.found, "failures": self.failures}, indent=1)
        self._file.write_text(text + "\n")


def read_results(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    data = json.loads(file.read_text())
    return data["found"], data["failures"]
