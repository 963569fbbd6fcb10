# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of a suite with real daemons.

  run.py --module DIR        test the libvirt_driver_secret.so in DIR
  run.py --build-dir DIR     the same, of a build, with its keyhold command
  run.py --stock             test libvirt's own module: what the tests say it does wrong must fail

Everything happens in namespaces of its own; the host's libvirt is not touched. Needs root."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import stage
from .settings import MODULE_NAME, Settings, installed_driver_dir
from .suite import run_all, run_class


def find_module(options: argparse.Namespace) -> Path:
    if options.stock:
        return installed_driver_dir() / MODULE_NAME
    if options.module:
        found = [Path(options.module) / MODULE_NAME]
    elif options.build_dir:
        found = sorted(Path(options.build_dir).rglob(MODULE_NAME))
    else:
        raise SystemExit("one of --module, --build-dir and --stock is needed")
    if len(found) != 1 or not found[0].is_file():
        raise SystemExit(f"no single {MODULE_NAME} there: {[str(path) for path in found]}")
    return found[0]


def find_command(options: argparse.Namespace) -> Path | None:
    """The built keyhold, which is there with the module under test."""
    if options.command:
        return Path(options.command)
    built = Path(options.build_dir or "/nonexistent", "src/command/keyhold")
    return built if built.is_file() else None


def prepare(tests: Path, work: Path, options: argparse.Namespace) -> Settings:
    """Copies modules and command to where an unprivileged user can read them."""
    installed = installed_driver_dir()
    directories = {"secret-only": [], "with-qemu": [installed / "libvirt_driver_qemu.so"]}
    for name, others in directories.items():
        (work / name).mkdir()
        for source in (find_module(options), *others):
            shutil.copyfile(source, work / name / source.name)
    command = find_command(options)
    if command:
        shutil.copy(command, work / "keyhold")
    return Settings(str(tests), str(work), str(work / "secret-only"), str(work / "with-qemu"),
                    str(installed), options.stock, str(work / "keyhold") if command else "",
                    options.patience or (6.0 if options.stock else 240.0))


def outside(tests: Path, tools: Sequence[str], options: argparse.Namespace) -> int:
    stage.require_tools(tools)
    work = Path(tempfile.mkdtemp(prefix="keyhold-"))
    work.chmod(0o755)
    try:
        prepare(tests, work, options).export()
        return stage.reenter(["--inside", *sys.argv[1:]])
    finally:
        if options.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work)


def inside(options: argparse.Namespace) -> int:
    for directory in ("/run/libvirt", *(f"/var/{name}/libvirt" for name in ("lib", "cache", "log"))):
        stage.graft(Path(directory))
    return stage.as_init(lambda: run_all(options.k, options.jobs, options.verbose))


def main(tests: Path, what: str, tools: Sequence[str]) -> int:
    """Runs the test_*.py of the directory `tests`; `tools` are the programs it cannot do without."""
    parser = argparse.ArgumentParser(
        description=f"{what}\n\n{__doc__}", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", metavar="DIR")
    parser.add_argument("--build-dir", metavar="DIR")
    parser.add_argument("--command", metavar="FILE", help="the keyhold command")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("-k", action="append", default=[], metavar="PATTERN", help="only matching tests")
    parser.add_argument("-j", "--jobs", type=int, default=0, help="classes at once (default: processors + 2)")
    parser.add_argument("--patience", type=float, metavar="SECONDS",
                        help="after which what should happen counts as not happening (default: 240; with "
                        "--stock, where most of it does not happen, 6)")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every test")
    parser.add_argument("--keep", action="store_true", help="keep the work directory")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--run-class", help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_class:
        return run_class(options.run_class, options.k, Path(options.report))
    return inside(options) if options.inside else outside(tests, tools, options)

