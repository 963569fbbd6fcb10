#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scripts/draw-rooms: docs/rooms.svg is what it draws of this tree, and what it draws is true."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def draw(root: Path) -> str:
    return subprocess.run([sys.executable, "-B", str(ROOT / "scripts/draw-rooms"), str(root)], check=True,
                          capture_output=True, text=True).stdout


class Picture(unittest.TestCase):
    TABLE = "| `src/top/` | `all`: of it | every room |\n| `src/abi/` | bytes & more | nothing of ours |\n" \
            "| `src/low/` | less | nothing of ours |\n| `src/mid/` | middle | `low` |\n"

    def drawn(self, *includes: tuple[str, str]) -> str:
        with tempfile.TemporaryDirectory(prefix="keyhold-rooms-") as directory:
            root = Path(directory)
            (root / "docs").mkdir()
            (root / "docs/architecture.md").write_text(self.TABLE, encoding="utf-8")
            for number, (room, other) in enumerate(includes):
                path = root / "src" / room / f"{number}.h"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f'#include "{other}/a.h"\n', encoding="utf-8")
            return draw(root)

    def arrows(self, svg: str) -> set[str]:
        title = " ".join(re.findall(r"<title[^>]*>([^<]*)<", svg)[0].split())
        arrows = set(title.removeprefix("The rooms of Keyhold: ").split("; "))
        self.assertEqual(svg.count("marker-end"), sum(arrow.count(",") + 1 for arrow in arrows if arrow))
        return arrows

    def test_the_committed_one_is_of_this_tree(self) -> None:
        self.assertEqual((ROOT / "docs/rooms.svg").read_text(encoding="utf-8"), draw(ROOT),
                         "scripts/draw-rooms > docs/rooms.svg")

    def test_every_room_is_in_it_with_what_the_table_says_of_it(self) -> None:
        document = xml.dom.minidom.parseString(self.drawn(("top", "low")))
        texts = [text.firstChild.data for text in document.getElementsByTagName("text")]
        self.assertEqual(sorted(texts), sorted(["top", "all", "abi", "bytes & more", "low", "less", "mid", "middle",
                                                "knows libvirt", "runs without libvirt"]))

    def test_an_arrow_that_others_imply_is_left_out(self) -> None:
        self.assertEqual(self.arrows(self.drawn(("top", "low"), ("top", "abi"))), {"top includes abi, low"})
        self.assertEqual(self.arrows(self.drawn(("top", "mid"), ("mid", "low"), ("top", "low"))),
                         {"top includes mid", "mid includes low"})

    def test_a_room_that_leads_to_abi_knows_libvirt(self) -> None:
        self.assertEqual(self.drawn(("top", "mid"), ("mid", "abi")).count('"room libvirt"'), 4)
        self.assertEqual(self.drawn(("top", "mid"), ("mid", "low")).count('"room libvirt"'), 2)


if __name__ == "__main__":
    ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    unittest.main(argv=sys.argv[:1])
