#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks a built libvirt_driver_secret.so: what it exports, what it imports, how it is hardened.

libvirt opens modules RTLD_GLOBAL, so every symbol we defined would be one that other modules of
the process could bind to; and a private symbol of libvirt carries the exact release as its version,
so a module that imports one loads in that release only.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

EXPORTS = {"secretRegister"}

# Sonames of Debian 12 and 13, then those that differ in later releases.
# All of them libvirt.so.0 or libc.so.6 needs itself: none can be missing where libvirtd runs.
LIBRARIES = re.compile(
    r"libvirt\.so\.0|libglib-2\.0\.so\.0|libgobject-2\.0\.so\.0|libxml2\.so\.(2|16)"
    r"|libgnutls\.so\.30|libgcc_s\.so\.1|libc\.so\.6|libm\.so\.6|ld-linux[-\w]*\.so\.\d"
)
# What a guest in somebody's process does not do: leave work for its end (static and thread objects
# with destructors, exit handlers) or for its fork, end it, change what all of it shares, or write to
# its standard output and error.
FORBIDDEN = re.compile(
    r"__cxa_(thread_)?atexit(_impl)?|at_?(quick_)?exit|__register_atfork|pthread_atfork"
    r"|abort|_?exit|_Exit|quick_exit|raise|kill|__assert_fail"
    r"|umask|set(env|locale|rlimit\d*|[er]*[ug]id)|putenv|unsetenv|signal|sigaction|sigprocmask|chdir"
    r"|(__)?v?f?printf(_chk)?|puts|putchar|fputs|fputc|fwrite|perror|stdout|stderr|_ZSt4c(out|err)"
    r"|xml(Cleanup|Set(Generic|External|Default)|SubstituteEntities|KeepBlanks)\w*"
)
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan)\.so\.\d+|libstdc\+\+\.so\.6")


@dataclass(frozen=True)
class Symbol:
    name: str
    version: str
    binding: str
    defined: bool


@dataclass(frozen=True)
class Module:
    symbols: list[Symbol]
    dynamic: list[tuple[str, str]]
    segments: dict[str, str]
    uses: frozenset[str]  # names that the code of this project takes from elsewhere

    def values(self, tag: str) -> list[str]:
        return [value for name, value in self.dynamic if name == tag]


def readelf(option: str, path: str) -> str:
    return subprocess.run(
        ["readelf", option, "-W", path],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout


def read_symbols(option: str, path: str) -> list[Symbol]:
    symbols = []
    for line in readelf(option, path).splitlines():
        fields = line.split()
        if len(fields) < 8 or not re.fullmatch(r"\d+:", fields[0]):
            continue
        name, _, version = fields[7].replace("@@", "@").partition("@")
        symbols.append(Symbol(name, version, fields[4], fields[6] != "UND"))
    return symbols


def read_module(path: str, archives: Sequence[str] = ()) -> Module:
    """Of a module that has the C++ runtime in it, the archives tell which names our code uses."""
    symbols = read_symbols("--dyn-syms", path)
    ours = [symbol for archive in archives for symbol in read_symbols("--syms", archive)] or symbols
    dynamic = re.findall(r"^ 0x[0-9a-f]+ \((\w+)\)\s+(.*)$", readelf("-d", path), re.MULTILINE)
    segments = {}
    for line in readelf("-l", path).splitlines():
        match = re.match(r"  ([A-Z]\w+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3}) 0x", line)
        if match:
            segments[match[1]] = match[2]
    if not symbols or not dynamic or "LOAD" not in segments:
        raise ValueError(f"{path}: readelf's output was not understood")
    return Module(symbols, dynamic, segments,
                  frozenset(symbol.name for symbol in ours if not symbol.defined))


def check_exports(module: Module, _: bool) -> list[str]:
    exported = {symbol.name: symbol for symbol in module.symbols if symbol.defined}
    problems = [
        f"exports {symbol.name} ({symbol.binding})"
        for name, symbol in exported.items()
        if name not in EXPORTS
    ]
    return problems + [f"does not export {name}" for name in EXPORTS - exported.keys()]


def check_imports(module: Module, _: bool) -> list[str]:
    problems = []
    for symbol in module.symbols:
        if symbol.defined:
            continue
        if symbol.version.startswith("LIBVIRT_PRIVATE_"):
            problems.append(f"imports the private symbol {symbol.name}@{symbol.version}")
        elif symbol.name.startswith("vir") and not symbol.version.startswith("LIBVIRT_"):
            problems.append(f"imports {symbol.name} without a version of libvirt's public API")
    return problems


def check_libraries(module: Module, sanitized: bool) -> list[str]:
    needed = [re.sub(r".*\[(.*)\]", r"\1", value) for value in module.values("NEEDED")]
    return [
        f"needs {name}"
        for name in needed
        if not LIBRARIES.fullmatch(name) and not (sanitized and SANITIZERS.fullmatch(name))
    ]


def check_guest(module: Module, sanitized: bool) -> list[str]:
    if sanitized:
        return []  # what the instrumentation calls is not ours
    return [f"uses {name}" for name in sorted(module.uses) if FORBIDDEN.fullmatch(name)]


def check_stack_protector(module: Module, _: bool) -> list[str]:
    names = {symbol.name for symbol in module.symbols if not symbol.defined}
    return [] if "__stack_chk_fail" in names else ["has no function with a guarded stack"]


def check_relro(module: Module, _: bool) -> list[str]:
    return [] if "GNU_RELRO" in module.segments else ["has no RELRO segment"]


def check_bind_now(module: Module, _: bool) -> list[str]:
    flags = " ".join(module.values("FLAGS") + module.values("FLAGS_1")).split()
    return [] if "BIND_NOW" in flags or "NOW" in flags else ["is bound lazily"]


def check_stack(module: Module, _: bool) -> list[str]:
    flags = module.segments.get("GNU_STACK")
    if flags is None:
        return ["does not say that its stack need not be executable"]
    return ["asks for an executable stack"] if "E" in flags else []


def check_text_relocations(module: Module, _: bool) -> list[str]:
    flags = " ".join(module.values("FLAGS")).split()
    return ["has text relocations"] if module.values("TEXTREL") or "TEXTREL" in flags else []


def check_search_path(module: Module, _: bool) -> list[str]:
    return [f"has a {tag}" for tag in ("RPATH", "RUNPATH") if module.values(tag)]


CHECKS: dict[str, Callable[[Module, bool], list[str]]] = {
    "exports": check_exports,
    "imports": check_imports,
    "libraries": check_libraries,
    "guest": check_guest,
    "stack-protector": check_stack_protector,
    "relro": check_relro,
    "bind-now": check_bind_now,
    "stack": check_stack,
    "text-relocations": check_text_relocations,
    "search-path": check_search_path,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("module", help="the shared object to check")
    parser.add_argument("--archives", nargs="+", default=[], help="what the module was linked from")
    parser.add_argument("--sanitized", action="store_true", help="allow the sanitizers' libraries")
    parser.add_argument(
        "--expect-failure",
        choices=CHECKS,
        metavar="CHECK",
        help="succeed if this check, made alone, fails: " + ", ".join(CHECKS),
    )
    arguments = parser.parse_args()

    module = read_module(arguments.module, arguments.archives)
    if arguments.expect_failure:
        problems = CHECKS[arguments.expect_failure](module, arguments.sanitized)
        print(f"{arguments.expect_failure}: {len(problems)} problems in {arguments.module}")
        return 0 if problems else 1

    failed = 0
    for name, check in CHECKS.items():
        problems = check(module, arguments.sanitized)
        print(f"{'FAIL' if problems else 'ok':4} {name}")
        for problem in problems:
            print(f"     {problem}")
        failed += bool(problems)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
