# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests: each class in a process of its own (each test, where the class has tests_apart), several
at once."""

import json
import os
import re
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from .settings import settings

# the classes that take longest begin first
SLOW_FIRST = {"LoadOfManySecrets", "RunUnderValgrind", "ListOfManySecrets", "IdleDaemonStays",
              "IdleDaemonEnds", "EncryptedVolume", "ClientsUnderSelinux", "IdleDaemonWithAGuest",
              "CoreOfADaemon", "CoreOfAnEmbeddedProcess", "CoreAfterClients"}


@dataclass
class Outcome:
    test: str
    passed: bool
    seconds: float
    text: str = ""  # why it failed; with the stock module also how it failed as demanded


class Recorder(unittest.TestResult):
    """Keeps one outcome a test. A skip is a failure: nothing skips silently."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []
        self._failure = ""
        self._started = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._failure, self._started = "", time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.outcomes.append(self._judge(test, time.monotonic() - self._started))

    def _note(self, test: unittest.TestCase, error: tuple) -> None:  # type: ignore[type-arg]
        text = self._exc_info_to_string(error, test)
        if isinstance(test, unittest.TestCase):
            self._failure += text
        else:  # setUpClass
            self.outcomes.append(Outcome(test.id(), False, 0, text))

    def addError(self, test, err) -> None:  # type: ignore[no-untyped-def]
        self._note(test, err)

    def addFailure(self, test, err) -> None:  # type: ignore[no-untyped-def]
        self._note(test, err)

    def addSubTest(self, test, subtest, err) -> None:  # type: ignore[no-untyped-def]
        if err is not None:
            self._note(test, err)

    def addSkip(self, test, reason) -> None:  # type: ignore[no-untyped-def]
        self._failure += f"skipped: {reason}\n"

    def _judge(self, test: unittest.TestCase, seconds: float) -> Outcome:
        demanded = None
        if settings().stock:
            demanded = getattr(getattr(test, test._testMethodName), "stock_failure", None)
        if demanded is None:
            return Outcome(test.id(), not self._failure, seconds, self._failure)
        if not self._failure:
            return Outcome(test.id(), False, seconds, "the stock driver passes a test of its defects")
        found = re.search(demanded, self._failure)
        if not found:
            text = f"the stock driver fails otherwise than with '{demanded}':\n{self._failure}"
            return Outcome(test.id(), False, seconds, text)
        return Outcome(test.id(), True, seconds, f"fails with stock: {found.group(0)[:80]!r}")


def _tests(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _tests(item)
        else:
            yield item


def _load(patterns: Sequence[str]) -> dict[str, unittest.TestSuite]:
    loader = unittest.TestLoader()
    loader.testNamePatterns = [p if "*" in p else f"*{p}*" for p in patterns] or None
    classes: dict[str, unittest.TestSuite] = {}
    for test in _tests(loader.discover(settings().tests, top_level_dir=settings().tests)):
        alone = isinstance(test, unittest.loader._FailedTest) or getattr(test, "tests_apart", False)
        name = test.id() if alone else f"{type(test).__module__}.{type(test).__qualname__}"
        classes.setdefault(name, unittest.TestSuite()).addTest(test)
    return classes


def run_class(name: str, patterns: Sequence[str], report: Path) -> int:
    """Runs one class in this process and leaves its outcomes in `report`."""
    recorder = Recorder()
    _load(patterns)[name].run(recorder)
    report.write_text(json.dumps([asdict(outcome) for outcome in recorder.outcomes]))
    return 0


def _run_in_process(name: str, patterns: Sequence[str]) -> list[Outcome]:
    report = Path(settings().work) / f"{name}.json"
    command = [sys.executable, sys.argv[0], "--run-class", name, "--report", str(report)]
    for pattern in patterns:
        command += ["-k", pattern]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if not report.exists():
        text = f"the test process ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return [Outcome(name, False, 0, text)]
    outcomes = [Outcome(**outcome) for outcome in json.loads(report.read_text())]
    if done.returncode != 0:
        outcomes.append(Outcome(name, False, 0, f"exit {done.returncode}:\n{done.stderr}"))
    return outcomes


def run_all(patterns: Sequence[str], jobs: int, verbose: bool) -> int:
    names = sorted(_load(patterns), key=lambda name: not SLOW_FIRST & set(name.split(".")))
    passed, failures = 0, []
    # much of the time is waiting: more processes than processors
    with ThreadPoolExecutor(jobs or (os.cpu_count() or 1) + 2) as pool:
        for outcomes in pool.map(lambda name: _run_in_process(name, patterns), names):
            for outcome in outcomes:
                passed += outcome.passed
                failures += [] if outcome.passed else [outcome]
                if verbose or not outcome.passed:
                    word = "ok" if outcome.passed else "FAIL"
                    note = f" ({outcome.text})" if outcome.passed and outcome.text else ""
                    print(f"{word:4} {outcome.seconds:5.1f} s  {outcome.test}{note}", flush=True)
    for outcome in failures:
        print(f"\n--- {outcome.test}\n{outcome.text}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0
