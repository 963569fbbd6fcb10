#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the driver beside the stock driver and beside floors, and writes performance.md.

scripts/bench builds what is needed and calls this. Daemons run in namespaces of their own; the host's
libvirt is not touched. Needs root."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the source directory stays as it is
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from harness import stage  # noqa: E402
from harness.settings import MODULE_NAME, Settings, installed_driver_dir  # noqa: E402
from measuring.against import measure_against  # noqa: E402
from measuring.everything import measure_everything  # noqa: E402
from measuring.plan import Plan  # noqa: E402
from measuring.programs import Programs  # noqa: E402
from measuring.results import Results, read_results  # noqa: E402
from measuring.stores import Stores  # noqa: E402
from report.against import against_table  # noqa: E402
from report.machine import describe, is_busy  # noqa: E402
from report.page import write_page  # noqa: E402

FULL_SIZES = (1_000, 4_000, 10_000, 16_000, 100_000, 1_000_000)
SHORT_SIZES = (100, 1_000)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=Path, required=True, help="a build with -Dbench=enabled")
    parser.add_argument("--output", type=Path, help="where performance.md goes (default: the build)")
    parser.add_argument("--stores", type=Path, metavar="DIR", help="where stores of up to the largest "
                        "size are made, and removed afterwards (default: below the build)")
    parser.add_argument("--short", action="store_true", help="small sizes: whether it all works")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default: 7)")
    parser.add_argument("--sizes", help="numbers of secrets, ascending, with commas between")
    parser.add_argument("--only", default="", metavar="TEXT", help="measures whose name has this in it, "
                        "beside the results of the run before")
    parser.add_argument("--report-only", action="store_true", help="write the page from the results of "
                        "the run before")
    parser.add_argument("--against", type=Path, metavar="DIR", help="only measure what differs from the "
                        "module in this directory, one of an earlier build, and print it")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def plan_of(options: argparse.Namespace, programs: Programs, stores: Stores) -> Plan:
    sizes = SHORT_SIZES if options.short else FULL_SIZES
    if options.sizes:
        sizes = tuple(int(size) for size in options.sizes.split(","))
    rounds = options.rounds or (2 if options.short else 7)
    if options.short:
        return Plan(programs, stores, rounds, sizes, stock_limit=1_000, calls=1_000, large=1_000,
                    costs=100, changes=10, records=1_000, seconds=0.05)
    return Plan(programs, stores, rounds, sizes, stock_limit=16_000, calls=16_000, large=100_000,
                costs=10_000, changes=100, records=140_000, seconds=0.5)


def caveats(options: argparse.Namespace) -> list[str]:
    """What makes the figures of this run no measure of the driver."""
    found = []
    if is_busy():
        found.append("Other processes were at work on the machine.")
    if options.short:
        found.append("This was the short mode: small sizes, two rounds.")
    return found


def inside(options: argparse.Namespace, file: Path) -> int:
    for directory in ("/run/libvirt", *(f"/var/{name}/libvirt" for name in ("lib", "cache", "log"))):
        stage.graft(Path(directory))
    build = options.build_dir
    programs = Programs(build, *(options.work / side for side in ("ours", "stock", "earlier")))
    results = Results(file)
    if options.only and file.exists():
        results.found, results.failures = read_results(file)
    stores = Stores(programs, options.stores)
    try:
        plan = plan_of(options, programs, stores)
        if options.against:
            measure_against(plan, results.take, options.only)
        else:
            results.found["machine"] = describe(stores.directory_of_all)
            results.found["caveats"] = caveats(options)
            measure_everything(plan, results, options.only)
    finally:
        stores.close()
    return 1 if results.failures else 0


def outside(options: argparse.Namespace) -> int:
    stage.require_tools(("findmnt",))
    work = Path(tempfile.mkdtemp(prefix="keyhold-"))  # short: it has sockets in it
    work.chmod(0o755)
    try:
        # All of them copied in one way: a file as the linker left it opens 4 % slower than a copy.
        modules = {"ours": options.build_dir / "src/secret_driver/module", "stock": installed_driver_dir()}
        if options.against:
            modules["earlier"] = options.against
        for side, directory in modules.items():
            (work / side).mkdir()
            shutil.copyfile(directory / MODULE_NAME, work / side / MODULE_NAME)
        Settings(tests=str(HERE), work=str(work), secret_only=str(work / "ours")).export()
        return stage.reenter([*sys.argv[1:], "--work", str(work)])
    finally:
        shutil.rmtree(work)
        # what a run that was stopped has left
        shutil.rmtree(options.stores, ignore_errors=True)


def main() -> int:
    options = parse(sys.argv[1:])
    options.build_dir = options.build_dir.resolve()
    options.stores = (options.stores or options.build_dir).resolve() / "bench-stores"
    file = options.build_dir / ("bench-against.json" if options.against else "bench-results.json")
    if options.work:
        return stage.as_init(lambda: inside(options, file))
    code = 0 if options.report_only else outside(options)
    if options.against:
        if code == 0:
            print(*caveats(options), against_table(read_results(file)[0]), sep="\n")
        return code
    if file.exists():
        found, failures = read_results(file)
        output = options.output or options.build_dir / "bench-report"
        missing = write_page(found, failures, output, (HERE / "report/method.md").read_text())
        print(f"written: {output / 'performance.md'}")
        for what in missing:
            print(f"not shown: {what}")
        code = code or (1 if missing and not options.only else 0)
    return code


if __name__ == "__main__":
    sys.exit(main())
