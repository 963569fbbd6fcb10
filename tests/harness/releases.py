# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which releases of libvirt docs/releases.md lists as tested: those that docs/differences.md speaks of."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/releases.md"


def listed(document: Path = DOCUMENT) -> list[str]:
    """As "12.8.0", in the order of the table."""
    _, _, section = document.read_text(encoding="utf-8").partition("\n## What was tested\n")
    return re.findall(r"^\| (\d+\.\d+\.\d+) \|", section.partition("\n## ")[0], re.MULTILINE)


def complaint(release: str, document: Path = DOCUMENT) -> str:
    """Empty if the release is listed; else what that means."""
    if release in listed(document):
        return ""
    return (f"libvirt {release} is not listed in docs/releases.md: what differs there is not decided yet; "
            "go through 'How to check a new release' in that page")
