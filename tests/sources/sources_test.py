#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of docs/architecture.md and CONTRIBUTING.md that the source files themselves can show.

Which room may include which is read from the table of rooms in docs/architecture.md."""

from __future__ import annotations

import re
import sys
import tempfile
import unittest
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (".cpp", ".h", ".py")
MAX_LINES = 400
LOCKS = ("src/conf/mutex.h", "src/os/shared_mutex.h")
FILE_CALLS = "src/os/posix_file_system.cpp"
FILE_CALL = re.compile(
    r"(?<!\w)::(open|openat|creat|rename|renameat2?|link|linkat|symlink|unlink|unlinkat|mkdir|mkdirat|fsync"
    r"|fdatasync|truncate|fopen)\(|#include <(fstream|filesystem)>")
SHIELD = ("src/seal/shield.h", "src/seal/shield.cpp")
OPENING = re.compile(r"\b(class ReleaseGate|ReleaseToken\()|(?:\.|->)(openInside\(|release\((?!\)))")
# All places that let a value leave its shield, with their number. The first three are the way to a caller.
OPENINGS = {
    ("src/secret_driver/calls.cpp", "class ReleaseGate"): 1,
    ("src/secret_driver/calls.cpp", "ReleaseToken("): 1,
    ("src/secret_driver/calls.cpp", "release("): 1,
    ("src/store/barrier.cpp", "openInside("): 2,
    ("src/store/loading.cpp", "openInside("): 1,
    ("src/store/value.cpp", "openInside("): 1,
}


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = {
            str(path.relative_to(root)): path.read_text(encoding="utf-8")
            for top in ("src", "tests", "scripts", "bench")
            for path in sorted((root / top).rglob("*"))
            if path.suffix in PROGRAMS or path.name == "meson.build"
        }
        table = re.findall(r"^\| `src/(\w+)/` \|.*\|([^|]*)\|$",
                           (root / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
        rooms = {name for name, _ in table}
        self.may_include = {
            name: rooms if "every room" in cell else set(re.findall(r"`(\w+)`", cell))
            for name, cell in table
        }

    def sources(self) -> Iterator[tuple[str, str, str]]:
        """Path, room and text of the files of the rooms."""
        for path, text in self.files.items():
            parts = path.split("/")
            if parts[0] == "src" and len(parts) > 2 and path.endswith((".cpp", ".h")):
                yield path, parts[1], text


def check_rooms(tree: Tree) -> list[str]:
    problems = []
    for path, room, text in tree.sources():
        if room not in tree.may_include:
            problems.append(f"{path}: '{room}' is not in the table of rooms")
            continue
        for included in re.findall(r'^#include "(\w+)/', text, re.MULTILINE):
            if included != room and included not in tree.may_include[room]:
                problems.append(f"{path}: '{room}' may not include '{included}'")
    return problems


def check_libvirt(tree: Tree) -> list[str]:
    """Only abi, and rooms that may include it, know libvirt."""
    return [f"{path}: includes libvirt" for path, room, text in tree.sources()
            if room != "abi" and "abi" not in tree.may_include.get(room, "") and "#include <libvirt/" in text]


def check_file_calls(tree: Tree) -> list[str]:
    return [f"{path}: {found[0]} beside the one interface to files"
            for path, room, text in tree.sources()
            if room != "command" and path != FILE_CALLS and (found := FILE_CALL.search(text))]


def check_locks(tree: Tree) -> list[str]:
    """Clang does not know what a lock of the standard guards, and std::shared_mutex lets readers keep
    writers out."""
    standard = {path: found[0] for path, _, text in tree.sources() if path not in LOCKS and (found := re.search(
        r"\bstd::(\w*mutex|(unique|shared|scoped)_lock|lock_guard)\b", text))}
    return [f"{path}: {lock} beside {' and '.join(LOCKS)}" for path, lock in standard.items()]


def check_what_locks_guard(tree: Tree) -> list[str]:
    """By an annotation of what is guarded or, where that is no data, in words."""
    return [f"{path}: {name} does not say what it guards"
            for path, _, text in tree.sources()
            for name, comment in re.findall(r"^ *(?:\w+ )*(?:Shared)?Mutex (\w+);(.*)$", text, re.MULTILINE)
            if not comment and not re.search(rf"(GUARDED_BY|REQUIRES)\({name}\)", text)]


def openings(tree: Tree) -> Counter[tuple[str, str]]:
    return Counter((path, found[1] or found[2]) for path, _, text in tree.sources() if path not in SHIELD
                   for found in OPENING.finditer(text))


def check_openings(tree: Tree) -> list[str]:
    return [f"{path}: '{what}' {times} times; OPENINGS has {OPENINGS.get((path, what), 0)}"
            for (path, what), times in openings(tree).items() if times > OPENINGS.get((path, what), 0)]


def check_licence(tree: Tree) -> list[str]:
    return [f"{path}: does not begin with its licence" for path, text in tree.files.items()
            if "SPDX-License-Identifier: LGPL-2.1-or-later" not in "".join(text.splitlines()[:2])]


def check_length(tree: Tree) -> list[str]:
    return [f"{path}: {lines} lines" for path, _, text in tree.sources()
            if (lines := len(text.splitlines())) > MAX_LINES]


CHECKS: tuple[Callable[[Tree], list[str]], ...] = (
    check_rooms, check_libvirt, check_file_calls, check_locks, check_what_locks_guard, check_openings, check_licence,
    check_length)


class OfThisTree(unittest.TestCase):
    def test_rules_are_kept(self) -> None:
        tree = Tree(ROOT)
        self.assertGreater(len(tree.may_include), 5)
        self.assertGreater(len(list(tree.sources())), 50)
        for check in CHECKS:
            with self.subTest(check.__name__):
                self.assertEqual(check(tree), [])

    def test_the_list_of_openings_has_none_that_is_gone(self) -> None:
        self.assertEqual(openings(Tree(ROOT)), OPENINGS)


class EveryRuleCanBeBroken(unittest.TestCase):
    LICENCE = "// SPDX-License-Identifier: LGPL-2.1-or-later\n"
    TABLE = "| `src/low/` | bytes | nothing of ours |\n| `src/high/` | more | `low`, `abi` |\n" \
            "| `src/abi/` | libvirt | nothing of ours |\n" \
            "| `src/store/` | records | nothing of ours |\n| `src/os/` | files | nothing of ours |\n| `src/top/` | all | every room |\n"

    def broken(self, path: str, text: str) -> set[str]:
        with tempfile.TemporaryDirectory(prefix="keyhold-sources-") as directory:
            root = Path(directory)
            for name, content in (("docs/architecture.md", self.TABLE), (path, text)):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding="utf-8")
            return {check.__name__ for check in CHECKS if check(Tree(root))}

    def test_a_file_that_keeps_them_passes(self) -> None:
        for room, other in (("high", "low"), ("top", "high"), ("abi", "abi")):
            text = f'{self.LICENCE}#include "{other}/a.h"\n#include <libvirt/libvirt.h>\n'
            self.assertEqual(self.broken(f"src/{room}/a.cpp", text), set())

    def test_an_include_of_a_room_above_is_found(self) -> None:
        text = self.LICENCE + '#include "high/a.h"\n'
        self.assertEqual(self.broken("src/low/deeper/a.h", text), {"check_rooms"})

    def test_a_room_that_the_table_does_not_have_is_found(self) -> None:
        self.assertEqual(self.broken("src/new/a.h", self.LICENCE), {"check_rooms"})

    def test_libvirt_in_a_room_without_it_is_found(self) -> None:
        text = self.LICENCE + "#include <libvirt/virterror.h>\n"
        for room in ("store", "low"):
            self.assertEqual(self.broken(f"src/{room}/a.cpp", text), {"check_libvirt"})

    def test_a_file_call_elsewhere_is_found(self) -> None:
        for line in ("int f() { return ::rename(a, b); }\n", "#include <fstream>\n"):
            self.assertEqual(self.broken("src/store/a.cpp", self.LICENCE + line), {"check_file_calls"})
            self.assertEqual(self.broken(FILE_CALLS, self.LICENCE + line), set())

    def test_a_lock_of_the_standard_is_found(self) -> None:
        for lock in ("std::mutex mutex;", "std::shared_mutex mutex;", "const std::lock_guard lock(mutex);",
                     "std::unique_lock<std::mutex> lock;", "std::shared_lock lock(mutex);"):
            self.assertEqual(self.broken("src/store/a.h", f"{self.LICENCE}{lock}\n"), {"check_locks"})
            for path in LOCKS:
                self.assertNotIn("check_locks", self.broken(path, f"{self.LICENCE}{lock}\n"))

    def test_a_mutex_that_does_not_say_what_it_guards_is_found(self) -> None:
        for declared in ("mutable Mutex mutex_;\n", "static constinit Mutex mutex;\nint a GUARDED_BY(other);\n"):
            self.assertEqual(self.broken("src/low/a.h", self.LICENCE + declared), {"check_what_locks_guard"})
        for declared in ("Mutex mutex_; // one thread at a time\n", "SharedMutex mutex_;\nint a GUARDED_BY(mutex_);\n",
                         "Mutex mutex_;\nint next() REQUIRES(mutex_);\n"):
            self.assertEqual(self.broken("src/low/a.h", self.LICENCE + declared), set())

    def test_another_opening_of_a_value_is_found(self) -> None:
        for line in ("value.openInside(uuid, scratch);", "shielded->release(token, out);", "class ReleaseGate {",
                     "return ReleaseToken(uuid);"):
            text = f"{self.LICENCE}{line}\n"
            self.assertEqual(self.broken("src/store/a.cpp", text), {"check_openings"})
            self.assertEqual(self.broken("src/store/value.cpp", text + line), {"check_openings"})
        self.assertEqual(self.broken("src/store/a.cpp", self.LICENCE + "owner.release();\n"), set())
        self.assertEqual(self.broken("src/store/value.cpp", self.LICENCE + "value.openInside(a, b);\n"), set())

    def test_a_file_without_a_licence_is_found(self) -> None:
        self.assertEqual(self.broken("tests/a.py", "#!/usr/bin/python3\npass\n"), {"check_licence"})

    def test_a_file_that_is_too_long_is_found(self) -> None:
        text = self.LICENCE + "\n" * MAX_LINES
        self.assertEqual(self.broken("src/low/a.cpp", text), {"check_length"})


if __name__ == "__main__":
    ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    unittest.main(argv=sys.argv[:1])
