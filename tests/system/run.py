#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the system tests: real libvirtd, real virsh, real files. See tests/harness/command_line.py."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the source directory stays as it is
sys.path.insert(0, str(HERE.parent))

from harness.command_line import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(HERE, "Runs the system tests.", ("strace", "valgrind", "qemu-img", "qemu-system-x86_64", "jose", "mkfs.btrfs")))
