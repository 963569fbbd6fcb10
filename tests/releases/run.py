#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the module in the libvirt of other Debian releases.

In trixie (libvirt 11.3.0) the module built on Debian 12 is loaded as it is; in sid (12.8.0 when it was
listed) the same source is built first, because libxml2 has another soname there. Each system is a chroot
made by scripts/make-chroot; everything runs in mount and process namespaces of its own, in which what
libvirt reads and writes is empty at the start and gone at the end.

A suite that moves may bring a release that docs/releases.md does not list, or packages that cannot be
installed. That is reported in lines that begin with NOT COUNTED, which scripts/summarize-tests shows, and so
is what fails there; the run fails for what this tree decides alone. scripts/check-release and
tests/differential/run.py fail on such a release.

Needs root, and on the first run a network. See docs/releases.md.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
sys.path.insert(0, str(SOURCE / "tests"))

import embedded  # noqa: E402
import pairs  # noqa: E402
import sealed_stores  # noqa: E402
import tampering  # noqa: E402
from harness import releases  # noqa: E402
from harness.stage import graft  # noqa: E402
from result import Report  # noqa: E402

SUITES = ("trixie", "sid")
UNINSTALLABLE = 3  # exit code of make-chroot
STAGE = Path("/srv/keyhold")
BUILD = Path("/var/cache/keyhold/build")
BUILT_SOURCE = Path("/var/cache/keyhold/source")
SCRATCH = Path("/var/cache/keyhold/tmp")
EMPTY = ("run", "srv", "etc/libvirt", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt")
STOCK = "usr/lib/*/libvirt/connection-driver/libvirt_driver_secret.so"
TARGETS = ("src/secret_driver/module/libvirt_driver_secret.so",
           "tests/differential/differential_host", "tests/abi/abi_test",
           "tests/abi/abi_log_writer", "tests/abi/abi_first_load")


@dataclass(frozen=True)
class Programs:
    """What runs in a release: files of this system, or of the chroot they were built in."""

    module: Path
    differential_host: Path
    abi_test: Path


class Chroot:
    """One Debian system. Its mounts are of this process' namespace."""

    def __init__(self, suite: str, root: Path) -> None:
        self.suite, self.root = suite, root
        # Two runs would build in, and empty, the same directories. Held until this process ends.
        self.lock = os.open(root / "var/cache", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        mount("proc", "proc", root / "proc")
        for name in EMPTY:
            directory = root / name
            directory.mkdir(parents=True, exist_ok=True)
            mount("tmpfs", "tmpfs", directory, "mode=0755")
        self.release = subprocess.run(self.command("virsh", "--version"), check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
        self.outside(STAGE).mkdir()
        # Secrets are written below /tmp: on the disk of the chroot, not in memory.
        scratch = self.outside(SCRATCH)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        scratch.chmod(0o1777)
        subprocess.run(["mount", "--bind", scratch, root / "tmp"], check=True)

    def outside(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def command(self, *command: str | Path) -> list[str]:
        return ["chroot", str(self.root), *command_here(*command)]

    def command_for_guests(self, *command: str | Path) -> list[str]:
        """The same with what libvirt's QEMU driver looks for: a root that is a mount, devices, and the
        processors in /sys."""
        mounts = 'mount --rbind "$1" "$1"; for d in dev sys; do mount --rbind "/$d" "$1/$d"; done; shift'
        return ["unshare", "--mount", "--propagation", "private", "--",
                "sh", "-euc", f'{mounts}; exec "$@"', "sh", str(self.root), *self.command(*command)]

    def stage(self, programs: Programs) -> None:
        """Drivers in a directory that LIBVIRT_DRIVER_DIR can name, tests beside them."""
        drivers, tests = self.outside(STAGE / "drivers"), self.outside(STAGE / "programs")
        drivers.mkdir()
        tests.mkdir()
        shutil.copy2(programs.module, drivers / "libvirt_driver_secret.so")
        for program in programs.abi_test.parent.glob("abi_*"):
            if program.is_file():
                shutil.copy2(program, tests)
        for script in ("smoke_test.py", "guest_test.py", "../remote/guests/boot_sector.py"):
            shutil.copy2(HERE / script, tests)

    def build(self) -> Programs:
        """Builds in a directory that stays, so that a second run compiles what changed."""
        source = self.outside(BUILT_SOURCE)
        shutil.rmtree(source, ignore_errors=True)
        copy_source(source)
        if not (self.outside(BUILD) / "build.ninja").exists():
            subprocess.run(self.command("meson", "setup", BUILD, BUILT_SOURCE), check=True)
        subprocess.run(self.command("ninja", f"-j{os.cpu_count()}", "-C", BUILD, *TARGETS), check=True)
        built = self.outside(BUILD)
        return Programs(*(built / target for target in TARGETS[:3]))


def command_here(*command: str | Path) -> list[str]:
    return ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
            "PYTHONDONTWRITEBYTECODE=1", *(str(part) for part in command)]


def mount(kind: str, device: str, where: Path, options: str = "") -> None:
    subprocess.run(["mount", "-t", kind, *(["-o", options] if options else []), device, str(where)],
                   check=True)


def source_files() -> list[str]:
    """The files of the checkout; of an unpacked archive, all but build directories."""
    if not (SOURCE / ".git").exists():
        builds = [path.parent for path in SOURCE.glob("*/build.ninja")]
        return [str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")
                if path.is_file() and not any(path.is_relative_to(build) for build in builds)]
    listed = subprocess.run(
        ["git", "-C", str(SOURCE), "-c", f"safe.directory={SOURCE}", "ls-files", "-z", "--cached",
         "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (SOURCE / name).is_file()]


def copy_source(target: Path) -> None:
    """Copies the source with its times, so that ninja compiles only what changed."""
    for name in source_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(SOURCE / name, target / name)


def run_suite(report: Report, suite: str, chroot: Chroot, programs: Programs) -> bool:
    """Whether there is something to run there."""
    root = chroot.root
    report.begin(suite, chroot.release, releases.complaint(chroot.release))
    check = SOURCE / "scripts/check-release"
    report.run(f"{suite}: check-release", [check, root])
    if suite == "sid":
        try:
            programs = chroot.build()
        except subprocess.CalledProcessError as error:
            report.note(f"{suite}: build", False, str(error))
            return False
        report.note(f"{suite}: build", True, "")
        archives = [path for path in programs.module.parents[2].rglob("lib*.a") if path.name != "libcommand.a"]
        report.run(f"{suite}: exports, imports, hardening",
                   [sys.executable, "-B", SOURCE / "tests/module/elf_check.py", programs.module,
                    "--archives", *archives])
    chroot.stage(programs)
    report.run(f"{suite}: layouts, errors and log",
               chroot.command(STAGE / "programs/abi_test", "--gtest_brief=1"))
    report.run(f"{suite}: virsh, an embedded root and libvirtd",
               chroot.command("python3", STAGE / "programs/smoke_test.py", STAGE / "drivers"))
    report.run(f"{suite}: guests of virt-qemu-run",
               chroot.command_for_guests("python3", STAGE / "programs/guest_test.py", STAGE / "drivers"))
    stock = next(root.glob(STOCK))
    report.run(f"{suite}: beside the stock module",
               [sys.executable, "-B", SOURCE / "tests/differential/run.py",
                "--host", programs.differential_host, "--ours", programs.module,
                "--stock", Path("/") / stock.relative_to(root), "--chroot", root])
    return True


def prepare_here() -> None:
    """Makes what libvirt reads and writes empty, in this process' namespace."""
    for name in ("run/libvirt", *EMPTY[2:]):
        graft(Path("/", name))
        mount("tmpfs", "tmpfs", Path("/", name), "mode=0755")


def make_sides(chroots: Sequence[Chroot], module: Path, shared: Path) -> dict[pairs.Side, Path]:
    """This system, with `module`, and those of `chroots`, with what is staged there; and each one's
    module. They share the directory `shared`."""
    drivers = shared / "drivers"
    drivers.mkdir()
    shutil.copy2(module, drivers / pairs.MODULE)
    shutil.copy2(embedded.AGENT, shared)
    sides = {pairs.Side(command_here, shared, drivers): drivers / pairs.MODULE}
    for chroot in chroots:
        seen = chroot.outside(pairs.SHARED)
        seen.mkdir()
        subprocess.run(["mount", "--bind", shared, seen], check=True)
        drivers = STAGE / "drivers"
        sides[pairs.Side(chroot.command, pairs.SHARED, drivers)] = chroot.outside(drivers) / pairs.MODULE
    return sides


def run_beside_each_other(report: Report, chroots: Sequence[Chroot], module: Path,
                          command: Path) -> None:
    """What takes several releases."""
    shared = Path(tempfile.mkdtemp(prefix="keyhold-"))
    # in memory: thousands of files are written and synced
    mount("tmpfs", "tmpfs", shared, "mode=0755")
    try:
        sides = make_sides(chroots, module, shared)
        report.begin_together()
        pairs.run(sides, shared, report.note)
        for chroot in chroots:
            if chroot.suite == "sid":  # whose stock driver encrypts
                report.begin_with(chroot.release)
                sealed_stores.run(list(sides), command, shared, report.note)
                tampering.run(list(sides), shared, report.note)
    finally:
        subprocess.run(["umount", "--lazy", shared], check=True)
        shared.rmdir()


def chroot_of(suite: str) -> Path | None:
    """None if the suite has packages today that cannot be installed."""
    made = subprocess.run([str(SOURCE / "scripts/make-chroot"), suite], stdout=subprocess.PIPE, text=True)
    if made.returncode == UNINSTALLABLE:
        return None
    made.check_returncode()
    return Path(made.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", type=Path, required=True, help="built on this system")
    parser.add_argument("--differential-host", type=Path, required=True)
    parser.add_argument("--abi-test", type=Path, required=True)
    parser.add_argument("--keyhold", type=Path, required=True, help="the operator's command")
    parser.add_argument("--suite", choices=SUITES, action="append", help="default: all")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("the tests of other releases need root: they make chroots and mounts")
    suites = arguments.suite or SUITES

    if arguments.inside is None:
        roots = ":".join(str(chroot_of(suite) or "") for suite in suites)
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork",
             "--kill-child=KILL", "--mount-proc", "--",
             sys.executable, "-B", *sys.argv, "--inside", roots]).returncode

    report = Report()
    programs = Programs(arguments.module.resolve(), arguments.differential_host.resolve(),
                        arguments.abi_test.resolve())
    prepare_here()
    chroots = []
    for suite, root in zip(suites, arguments.inside.split(":"), strict=True):
        if not root:
            report.leave_out(suite, "its packages cannot be installed today")
            continue
        chroot = Chroot(suite, Path(root))
        if run_suite(report, suite, chroot, programs):
            chroots.append(chroot)
    run_beside_each_other(report, chroots, programs.module, arguments.keyhold.resolve())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
