# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands of a page, as the page has them.

A fenced block of language `sh` is for root's shell and is run, the blocks of a page one after the other in one
shell. A block of another language is something to read. Comments before a block say what the page does not:

    <!-- walk: not run, REASON -->     it cannot run in the test; the test prints the reason
    <!-- walk: on NAME -->             on the other system that the test calls so
    <!-- walk: exit N -->              it ends with that code, and is to
    <!-- walk: prints TEXT -->         TEXT is in what it prints; more than one may be given
    <!-- walk: step NAME -->           before it, the test does what its method NAME does

An indented block could be either, so a page that is walked has none."""

import re
from dataclasses import dataclass, field
from pathlib import Path

MARK = re.compile(r"\s*<!-- walk: (not run|on|exit|prints|step),? (.+) -->\s*")
FENCE = re.compile(r"(\s*)```(\w*)\s*")


class PageError(Exception):
    pass


@dataclass
class Marks:
    not_run: str = ""
    system: str = "host"
    code: int = 0
    prints: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    page: str
    line: int  # of its first command
    section: str
    text: str
    marks: Marks

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path, name: str, sections: tuple[str, ...] = ()) -> list[Block]:
    """Those of the sections that are named, or of all. A section ends where one of its level or above begins."""
    found: list[Block] = []
    marks, section, level, marked = Marks(), "", 0, 0
    lines = path.read_text(encoding="utf-8").splitlines()
    at, before = 0, ""
    missing = set(sections)
    while at < len(lines):
        line = lines[at]
        at += 1
        heading = re.fullmatch(r"(#+) (.+)", line)
        if heading and (level == 0 or len(heading[1]) <= level or not sections):
            if not sections or heading[2] in sections:
                section, level = heading[2], len(heading[1])
                missing.discard(section)
            else:
                section, level = "", 0
        counts = not sections or section != ""
        fence = FENCE.fullmatch(line)
        if mark := MARK.fullmatch(line):
            marked = at
            add(marks, mark[1], mark[2], f"{name}:{at}")
        elif "walk:" in line and "<!--" in line:
            raise PageError(f"{name}:{at}: not a mark that the test knows: {line.strip()}")
        elif fence:
            first = at
            while at < len(lines) and lines[at].strip() != "```":
                at += 1
            if at == len(lines):
                raise PageError(f"{name}:{first}: the block does not end")
            if fence[2] == "sh" and counts:
                text = "\n".join(lines[first:at]) + "\n"  # with the indentation that it has in a list
                found.append(Block(name, first + 1, section, text, marks))
            elif marked and fence[2] != "sh":
                raise PageError(f"{name}:{marked}: a mark before a block that is not of the walk")
            elif not fence[2] and counts:
                raise PageError(f"{name}:{first}: a block without a language")
            marks, marked = Marks(), 0
            at += 1
        elif counts and line.startswith("    ") and not before.strip() and not in_list(lines, at - 1):
            raise PageError(f"{name}:{at}: an indented block, which nobody can tell to be commands or not")
        elif line.strip() and marked:
            raise PageError(f"{name}:{marked}: a mark that stands before no block")
        before = line
    if missing:
        raise PageError(f"{name}: no section {', '.join(sorted(missing))}")
    return found


def in_list(lines: list[str], at: int) -> bool:
    """Whether an indented line goes on with an entry of a list, less than four columns deeper than its text."""
    for line in reversed(lines[:at]):
        if entry := re.match(r"(\s*(?:[-*]|\d+\.) +)\S", line):
            return len(lines[at]) - len(lines[at].lstrip()) < len(entry[1]) + 4
        if line.strip() and not line.startswith(" "):
            return False
    return False


def add(marks: Marks, kind: str, text: str, place: str) -> None:
    if kind == "not run":
        marks.not_run = text
    elif kind == "on":
        marks.system = text
    elif kind == "exit":
        if not text.isdigit():
            raise PageError(f"{place}: not an exit code: {text}")
        marks.code = int(text)
    elif kind == "prints":
        marks.prints.append(text)
    else:
        marks.steps.append(text)
