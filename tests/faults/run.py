#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets file systems fail under writers: ext4, XFS and btrfs on loop devices are shut down, run out of
space below, and become read-only. After each, the file system is mounted again, and the store must hold
every change that was acknowledged, none that was not asked for, and nothing by halves.

  run.py --module DIR               the libvirt_driver_secret.so in DIR; the whole schedule once, and as
                                    many rounds as fit into a minute
  run.py --module DIR --minutes 60  as long as one likes
  run.py --module DIR --seed N --rounds 1
                                    a round again whose seed was printed; how threads meet is not repeated

Needs root. Everything is in a mount namespace, whose end unmounts it and frees the loop devices."""

import argparse
import base64
import itertools
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the source directory stays as it is
sys.path[:0] = [str(HERE), str(HERE.parent)]

from disk import FLUSH_ALL, FLUSH_LOG, FLUSH_NOTHING, MAKE, Disk  # noqa: E402
from harness import stage  # noqa: E402
from harness.settings import MODULE_NAME  # noqa: E402
from history import History, State, value_of  # noqa: E402
from writers import BROKEN  # noqa: E402

SMALL, LARGE = 200, 48 << 10  # bytes; large values soon fill a thin disk


# As on a slow machine: what was changed waits a while for its fsync. A tracer (strace -D) leaves the
# program the child that was started.
SLOW_FSYNC = ["strace", "-D", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync",
              "-e", "inject=fsync:delay_enter=1000"]


class Writers:
    """writers.py at work."""

    def __init__(self, root: Path, seed: int, largest: int, environment: dict[str, str], log: Path) -> None:
        self.history = History()
        self._more = threading.Condition()
        self._has_ended = False
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*SLOW_FSYNC, sys.executable, "-B", HERE / "writers.py", root, str(seed), str(largest)],
                env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._more:
                self.history.add(line.decode())
                self._more.notify()
        with self._more:
            self._has_ended = True
            self._more.notify()

    def have(self, count: Callable[[History], int], goal: int, within: float) -> bool:
        """True once there are `goal` of what is counted, or the writers have given up."""
        with self._more:
            return self._more.wait_for(lambda: self._has_ended or count(self.history) >= goal, timeout=within)

    def wait(self, count: Callable[[History], int], more: int) -> None:
        """Until there are `more` of what is counted, or the writers have given up."""
        if not self.have(count, count(self.history) + more, 120):
            raise RuntimeError("the writers hang")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self.history.end()


def acknowledged(history: History) -> int:
    return history.acknowledged


def refused(history: History) -> int:
    return history.refused


Fault = Callable[[Disk, Writers, random.Random], None]


def shut_down(flags: int) -> Fault:
    def fault(disk: Disk, writers: Writers, _dice: random.Random) -> None:
        disk.shut_down(flags)
        writers.wait(refused, 8)
    return fault


def run_out_of_space(disk: Disk, writers: Writers, dice: random.Random) -> None:
    disk.leave_room(dice.randrange(4 << 10, 256 << 10))
    # XFS gives new files the blocks of removed ones, which the disk below has already.
    for _ in range(120):
        if writers.have(refused, 20, within=1):
            return
        disk.give_back_unused()
        disk.leave_room(0)
    raise RuntimeError("the writers hang")


def become_read_only(disk: Disk, writers: Writers, dice: random.Random) -> None:
    disk.make_read_only()
    writers.wait(refused, 4)
    disk.make_writable()
    writers.wait(acknowledged, dice.randrange(4, 40))
    if disk.kind == "btrfs":
        disk.make_read_only()
        writers.wait(refused, 4)
    else:
        disk.shut_down(FLUSH_NOTHING)
        writers.wait(refused, 8)


SHUTDOWNS: dict[str, Fault] = {
    "shut down, all flushed": shut_down(FLUSH_ALL),
    "shut down, log flushed": shut_down(FLUSH_LOG),
    "shut down, nothing flushed": shut_down(FLUSH_NOTHING),
}
FAULTS: dict[str, Fault] = {"out of space below": run_out_of_space, "read-only": become_read_only}


@dataclass(frozen=True)
class Case:
    kind: str
    fault: str
    sealed: bool

    def __str__(self) -> str:
        return f"{self.kind}, {self.fault}, {'sealed' if self.sealed else 'plain'}"


# btrfs has no such call yet
CASES = [Case(kind, fault, sealed)
         for kind in MAKE for fault in (*SHUTDOWNS, *FAULTS) for sealed in (False, True)
         if kind != "btrfs" or fault in FAULTS]
# Where fsync is most often 0 for what is lost.
LIKELY = [Case("xfs", "shut down, nothing flushed", sealed) for sealed in (False, True)]
SCHEDULE = [*CASES, *(LIKELY * 4)]


@dataclass
class Result:
    complaints: list[str]
    acknowledged: int
    refused: int


class Matrix:
    def __init__(self, module: str, work: Path) -> None:
        self._work = work
        self._root = work / "disk/root"
        self._log = work / "log"
        self._environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(work),
                             "XDG_RUNTIME_DIR": str(work), "LIBVIRT_DRIVER_DIR": module,
                             "LIBVIRT_LOG_OUTPUTS": f"3:file:{self._log}"}
        self._key = work / "key"
        self._key.touch(0o600)
        self._key.write_bytes(secrets.token_bytes(32))

    def play(self, case: Case, seed: int) -> Result:
        dice = random.Random(seed)
        self._log.write_bytes(b"")
        disk = Disk(self._work, case.kind)
        try:
            self._prepare(case)
            largest = LARGE if case.fault == "out of space below" else SMALL
            writers = Writers(self._root, seed, largest, self._environment, self._log)
            try:
                writers.wait(acknowledged, dice.randrange(8, 160))
                {**SHUTDOWNS, **FAULTS}[case.fault](disk, writers, dice)
            finally:
                disk.make_room()
                writers.stop()
            history = writers.history
            disk.unmount()
            disk.mount()
            complaints = history.complaints(self._content(largest)) + self._left_over()
            if history.refused == 0:
                complaints.append("nothing failed")
            return Result(complaints, history.acknowledged, history.refused)
        finally:
            disk.close()

    def _prepare(self, case: Case) -> None:
        (self._root / "etc").mkdir(parents=True)
        setting = f'secrets_encryption_key = "{self._key}"\nencrypt_data = 1\n' if case.sealed else "encrypt_data = 0\n"
        conf = self._root / "etc/secret.conf"
        conf.touch(0o600)
        conf.write_text(setting)
        # as /run: the lock file stays open, and would keep the disk from becoming read-only
        (self._work / "run").mkdir(exist_ok=True)
        (self._root / "run").symlink_to(self._work / "run")
        os.sync()

    def _content(self, largest: int) -> dict[str, State | None]:
        done = subprocess.run([sys.executable, "-B", HERE / "writers.py", self._root], env=self._environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the store cannot be read:\n{done.stderr}{self.log()}")
        found: dict[str, State | None] = {}
        for uuid, description, encoded in json.loads(done.stdout):
            number = None
            if encoded is not None:
                value = base64.b64decode(encoded)
                number = int(value.split(b" ")[0])
                if value != value_of(number, largest):
                    print(f"  {uuid}: {value[:300]!r}")
                    number = BROKEN
            found[uuid] = State(int(description), number)
        return found

    def _left_over(self) -> list[str]:
        names = {path.name for path in (self._root / "etc/secrets").iterdir()}
        return [f"{name} is left over" for name in sorted(names)
                if "keyhold" in name or ".aside-" in name or f"{name[:36]}.xml" not in names]

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def run_rounds(options: argparse.Namespace, work: Path) -> int:
    matrix = Matrix(options.module, work)
    chosen = [case for case in CASES if not options.only or options.only in str(case)]
    if not chosen:
        raise SystemExit(f"no case has '{options.only}' in its name: {', '.join(map(str, CASES))}")
    seed = secrets.randbelow(10**6) * len(SCHEDULE) if options.seed is None else options.seed
    end = time.monotonic() + options.minutes * 60
    tally = {case: [0, 0, 0] for case in chosen}  # rounds, bad ones, changes
    rounds = 0
    for seen, seed in enumerate(itertools.count(seed)):
        case = SCHEDULE[seed % len(SCHEDULE)]
        is_over = rounds == options.rounds if options.rounds else \
            time.monotonic() > end and seen >= len(SCHEDULE)
        if is_over:
            break
        if case not in chosen:
            continue
        rounds += 1
        result = matrix.play(case, seed)
        counts = tally[case]
        counts[0] += 1
        counts[1] += bool(result.complaints)
        counts[2] += result.acknowledged
        if options.verbose or result.complaints:
            print(f"seed {seed}: {case}: {result.acknowledged} acknowledged, {result.refused} refused: "
                  f"{'BAD' if result.complaints else 'ok'}", flush=True)
        for complaint in result.complaints:
            print(f"  {complaint}")
        if result.complaints:
            print(matrix.log())
    for case, (count, bad, changes) in tally.items():
        if count:
            print(f"{case}: {count} rounds, {changes} changes acknowledged, {bad} bad")
    bad = sum(counts[1] for counts in tally.values())
    print(f"{rounds} rounds, {bad} bad")
    return 1 if bad or not rounds else 0


def inside(options: argparse.Namespace) -> int:
    try:
        return run_rounds(options, Path(options.inside))
    except Exception:
        traceback.print_exc()
        return 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", metavar="DIR", required=True)
    parser.add_argument("--minutes", type=float, default=1, help="default: 1")
    parser.add_argument("--rounds", type=int, help="this many, however long they take")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first round; those after it count up")
    parser.add_argument("--only", metavar="TEXT", help="cases whose name has it, as 'xfs, shut down'")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every round")
    parser.add_argument("--inside", metavar="DIR", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return stage.as_init(lambda: inside(options))
    if not (Path(options.module) / MODULE_NAME).is_file():
        raise SystemExit(f"no {MODULE_NAME} in {options.module}")
    stage.require_tools(("strace", *(command[0] for command in MAKE.values())))
    work = Path(tempfile.mkdtemp(prefix="keyhold-faults-"))
    try:
        return stage.reenter(["--inside", str(work), *sys.argv[1:]])
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
