# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/performance.md and its charts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .plots import CHARTS, write_plots
from .tables import SECTIONS, table
from .targets import NOT_SHOWN, Row, rows

Found = dict[str, Any]


def section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *(part for part in parts if part)])


def caveat(caveats: Sequence[str]) -> str:
    if not caveats:
        return ""
    return f"**These figures show that it all runs, and not what it costs.** {' '.join(caveats)}"


def targets(shown: Sequence[Row]) -> str:
    return table(["what", "secrets", "target", "measured", "result"],
                 [[row.what, row.at, row.target, row.measured, row.verdict] for row in shown])


def figures(found: Found) -> list[str]:
    sections = []
    for title, words, make in SECTIONS:
        try:
            content = make(found)
        except (KeyError, IndexError, ZeroDivisionError) as problem:
            content = f"Not measured ({type(problem).__name__}: {problem})."
        sections.append(section(title, words, content))
    return sections


def write_page(found: Found, failures: dict[str, str], directory: Path, method: str) -> list[str]:
    """Returns the targets that the results say nothing of."""
    shown = rows(found)
    directory.mkdir(parents=True, exist_ok=True)
    charts = [f"![{CHARTS[file.removeprefix('performance-').removesuffix('.svg')]}]({file})"
              for file in write_plots(found, directory)]
    machine = table(["", ""], [[name, value] for name, value in found["machine"].items()])
    parts = [
        "# Performance",
        "Written by `scripts/bench`, which measures it all again; do not edit it here. What was done for "
        "speed, what each step brought, and what stands in the way of a target that is not met, is in "
        "[performance-steps.md](performance-steps.md).",
        caveat(found["caveats"]),
        section("Targets", "Ratios are medians of the ratios of interleaved rounds.", targets(shown)),
        section("In pictures", *charts),
        *figures(found),
        section("The machine", machine),
        method.strip(),
    ]
    if failures:
        parts.append(section("What failed", *(f"* {name}: {text}" for name, text in failures.items())))
    text = "\n\n".join(part for part in parts if part)
    (directory / "performance.md").write_text(text + "\n")
    return [row.what for row in shown if row.verdict == NOT_SHOWN]
