#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every scenario with libvirt's own secret driver and with ours, and compares what a client
sees. See README.md beside this file."""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import coverage
import differences

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import releases  # noqa: E402

MODULE = "libvirt_driver_secret.so"
TIME_LIMIT = 900
"""Seconds after which a scenario is given up; nothing is measured by it."""
SANITIZERS = {
    # A crash must look like one, and its other faults are not ours to report.
    "stock": {
        "ASAN_OPTIONS": "handle_segv=0:detect_leaks=0",
        "TSAN_OPTIONS": "handle_segv=0:report_bugs=0",
    },
    # What libvirt and GLib read and write themselves is not instrumented.
    "ours": {"ASAN_OPTIONS": "detect_leaks=1", "TSAN_OPTIONS": "ignore_noninstrumented_modules=1"},
}


@dataclass(frozen=True)
class Side:
    """One of the two modules, with the surroundings in which it runs."""

    name: str
    directory: Path
    needs_callback: bool
    """Whether it jumps to the inhibit callback that embedded mode does not have."""


class Bench:
    """Where scenarios are run: here or in a chroot, in which all paths below are valid."""

    def __init__(self, host: Path, chroot: Path | None, work: Path) -> None:
        self.outside = work
        self.inside = Path("/") / work.relative_to(chroot) if chroot else work
        self.chroot = chroot
        self.host = self.inside / "differential_host"
        shutil.copy2(host, work / "differential_host")

    def command(self, *arguments: str) -> list[str]:
        enter = ["chroot", str(self.chroot)] if self.chroot else []
        return [*enter, str(self.host), *arguments]

    def ask(self, question: str) -> str:
        return subprocess.run(
            self.command(question), check=True, text=True, stdout=subprocess.PIPE
        ).stdout.strip()

    def install(self, name: str, module: Path) -> Path:
        """Puts a module into a directory that holds nothing else; returns the directory."""
        directory = self.outside / f"module-{name}"
        directory.mkdir()
        shutil.copy2(module, directory / MODULE)
        return self.inside / directory.name

    def run(self, scenario: str, side: Side) -> str:
        """The transcript, and how the host ended if not well."""
        place = f"{side.name}-{scenario}"
        result = subprocess.run(
            self.command(scenario, str(self.inside / place)),
            env=environment(side, self.inside),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            timeout=TIME_LIMIT,
            check=False,
        )
        for stale in (self.outside / place, self.outside / f"{place}.scratch"):
            if stale.is_dir():
                shutil.rmtree(stale)
            else:
                stale.unlink(missing_ok=True)
        transcript = result.stdout
        if result.returncode != 0:
            transcript += f"the host failed: {result.returncode} {result.stderr.strip()!r}\n"
        elif result.stderr.strip() and side.name == "ours":
            sys.stderr.write(f"--- {side.name} {scenario} wrote to stderr:\n{result.stderr}\n")
        return transcript


def environment(side: Side, home: Path) -> dict[str, str]:
    """As little as possible, so that nothing of the caller's reaches libvirt."""
    expected = SANITIZERS["ours" if side.name == "ours" else "stock"]
    sanitizers = {
        name: f"{options}:{os.environ.get(name, '')}" for name, options in expected.items()
    }
    passed = {
        name: os.environ[name]
        for name in ("UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "HOME": str(home),
        "LIBVIRT_DRIVER_DIR": str(side.directory),
        **({"KEYHOLD_TEST_INHIBIT": "count"} if side.needs_callback else {}),
        **sanitizers,
        **passed,
    }


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def case(self, name: str, problems: list[str]) -> None:
        if not problems:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {name}")
        for problem in problems:
            print(f"    {problem}")

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def describe(difference: differences.Difference) -> str:
    return (
        f"{difference.place}\n        stock: {difference.stock}\n        ours:  {difference.ours}"
    )


def run_scenarios(
    bench: Bench, stock: Side, ours: Side, names: list[str], jobs: int, save: Path | None
) -> dict[str, tuple[str, str]]:
    def both(name: str) -> tuple[str, str]:
        transcripts = bench.run(name, stock), bench.run(name, ours)
        if save:
            for side, transcript in zip((stock, ours), transcripts):
                (save / side.name).mkdir(parents=True, exist_ok=True)
                (save / side.name / f"{name}.txt").write_text(transcript, encoding="utf-8")
        return transcripts

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(names, pool.map(both, names)))


def compare_all(
    transcripts: dict[str, tuple[str, str]],
    expectations: differences.Expectations,
    report: Report,
) -> None:
    for name, (stock, ours) in transcripts.items():
        observed = differences.parse_transcript(stock), differences.parse_transcript(ours)
        problems = [
            describe(difference)
            for difference in expectations.unlisted(differences.compare(name, *observed))
        ]
        problems += [
            f"{side}: {line}"
            for side, transcript in (("stock", stock), ("ours", ours))
            for line in transcript.splitlines()
            if line.startswith(("the host failed", "the scenario cannot be set up"))
        ]
        if not observed[0]:
            problems.append("the stock module's transcript is empty")
        report.case(name, problems)
    report.case("every listed difference is there", expectations.gone(set(transcripts)))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", type=Path, required=True, help="the differential_host program")
    parser.add_argument("--stock", type=Path, required=True, help="libvirt's own module")
    parser.add_argument("--ours", type=Path, help="the module under test")
    parser.add_argument(
        "--self", action="store_true", help="compare the stock module with itself: nothing differs"
    )
    parser.add_argument("--chroot", type=Path, help="run there; --stock is a path inside it")
    parser.add_argument(
        "--differences", type=Path, default=HERE.parent.parent / "docs" / "differences.md"
    )
    parser.add_argument("--coverage", type=Path, default=HERE / "coverage.tsv")
    parser.add_argument("--system-tests", type=Path, help="where the tests that rows name are")
    parser.add_argument("--scenario", action="append", help="only these (a shell pattern)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--save", type=Path, help="keep the transcripts in this directory")
    arguments = parser.parse_args()
    if arguments.system_tests and not arguments.system_tests.is_dir():
        parser.error(f"{arguments.system_tests} is not a directory")
    if bool(arguments.ours) == arguments.self:
        parser.error("give either --ours or --self")
    return arguments


def enter_own_namespace(chroot: Path | None) -> None:
    """Mounts of the scenarios stay in a namespace of ours, and no libvirtd is seen from it."""
    marker = "KEYHOLD_TEST_NAMESPACE"
    if marker not in os.environ:
        for propagation in ("private", "unchanged"):
            enter = ["unshare", "--mount", "--propagation", propagation]
            if subprocess.run([*enter, "true"], check=False).returncode == 0:
                os.environ[marker] = "1"
                os.execvp("unshare", [*enter, sys.executable, *sys.argv])
        sys.exit("cannot enter a mount namespace of its own")
    daemon = (chroot or Path("/")) / "run" / "libvirt"
    if daemon.is_dir():
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(daemon)], check=True)


def main() -> int:
    arguments = parse_arguments()
    if os.geteuid() != 0:
        sys.exit("must be run as root: scenarios mount, change owners and become another user")
    enter_own_namespace(arguments.chroot)
    stock_module = arguments.stock
    if arguments.chroot:
        stock_module = arguments.chroot / arguments.stock.relative_to("/")
    if b"LIBVIRT_PRIVATE_" not in stock_module.read_bytes():
        sys.exit(f"{stock_module} is not libvirt's own module")

    temporary = (arguments.chroot or Path("/")) / "tmp"
    with tempfile.TemporaryDirectory(prefix="keyhold-differential-", dir=temporary) as name:
        work = Path(name)
        work.chmod(0o755)
        bench = Bench(arguments.host, arguments.chroot, work)
        version = bench.ask("--version")
        release = differences.parse_release(version)
        known = bench.ask("--list").split()
        wanted = arguments.scenario or ["*"]
        names = [n for n in known if any(fnmatch.fnmatchcase(n, pattern) for pattern in wanted)]
        stock = Side("stock", bench.install("stock", stock_module), release < (11,))
        if arguments.self:
            ours = Side("again", stock.directory, stock.needs_callback)
        else:
            ours = Side("ours", bench.install("ours", arguments.ours), False)
        entries = differences.read_entries(arguments.differences)
        print(f"libvirt {version}, {len(names)} scenarios")
        report = Report()
        complaint = releases.complaint(version)
        report.case("the release is listed", [complaint] if complaint else [])
        transcripts = run_scenarios(bench, stock, ours, names, arguments.jobs, arguments.save)
        compare_all(transcripts, differences.Expectations(entries, release, arguments.self), report)
        report.case(
            "every row of the table is shown",
            coverage.check(arguments.coverage, set(known), arguments.system_tests),
        )
        report.case(
            "tests that entries name are there",
            differences.missing_tests(entries, HERE.parent.parent),
        )
        return report.finish()


if __name__ == "__main__":
    sys.exit(main())
