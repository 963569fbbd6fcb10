# SPDX-License-Identifier: LGPL-2.1-or-later
"""What passed and failed in which release, and which failures count."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


class Report:
    """A failure in a release that is not listed is reported and not counted: the release moved, not this tree."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.uncounted: list[str] = []
        self._unlisted: set[str] = set()  # releases
        self._alone = ""  # the release that all that is noted now is about

    def begin(self, suite: str, release: str, complaint: str) -> None:
        """What follows is about this release alone. `complaint` is empty if it is listed."""
        print(f"=== {suite}: libvirt {release}, {'not listed' if complaint else 'listed'} in docs/releases.md",
              flush=True)
        if complaint:
            self._unlisted.add(release)
            self.uncounted.append(f"{suite}: {complaint}")
        self._alone = release

    def begin_together(self) -> None:
        """What follows is about the releases that each result names."""
        self._alone = ""

    def begin_with(self, release: str) -> None:
        """What follows takes this release, beside others."""
        self._alone = release

    def leave_out(self, suite: str, why: str) -> None:
        self.uncounted.append(f"{suite}: left out: {why}")

    def run(self, what: str, command: Sequence[str | Path]) -> bool:
        print(f"=== {what}", flush=True)
        code = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL).returncode
        self.note(what, code == 0, f"exit {code}")
        return code == 0

    def note(self, what: str, good: bool, why: str) -> None:
        print(f"=== {what}: {'ok' if good else 'FAILED, ' + why}", flush=True)
        if good:
            self.passed += 1
        elif self._alone in self._unlisted or any(release in what for release in self._unlisted):
            self.uncounted.append(f"{what}: {why.splitlines()[0] if why else 'failed'}")
        else:
            self.failed.append(what)

    def finish(self) -> int:
        """Prints all that did not pass; the exit code."""
        for what in self.uncounted:
            print(f"NOT COUNTED {what}")
        for what in self.failed:
            print(f"FAILED {what}")
        print(f"{self.passed} passed, {len(self.failed)} failed"
              + (f", {len(self.uncounted)} not counted" if self.uncounted else ""))
        return 1 if self.failed or not self.passed else 0
