#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of the build: by default the paths of the libvirt that is installed, else those asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
MESON: list[str] = ["meson"]
MODULE = "libvirt_driver_secret.so"


class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.defaults = cls().configure()

    def configure(self, *options: str) -> tuple[dict[str, str], str]:
        """The paths compiled into the module, and where it will be installed."""
        with tempfile.TemporaryDirectory(prefix="keyhold-options-") as build:
            self.run_meson("setup", build, str(SOURCE), "-Dtests=disabled", *options)
            text = Path(build, "config.h").read_text(encoding="utf-8")
            installed = json.loads(self.run_meson("introspect", "--installed", build))
        targets = [target for target in installed.values() if target.endswith("/" + MODULE)]
        self.assertEqual(len(targets), 1, installed)
        return dict(re.findall(r'^#define (\w+) "(.*)"$', text, re.MULTILINE)), targets[0]

    def run_meson(self, *arguments: str) -> str:
        done = subprocess.run([*MESON, *arguments], capture_output=True, text=True,
                              env={**os.environ, "DESTDIR": ""})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_defaults_are_the_paths_of_the_installed_libvirt(self) -> None:
        paths, target = self.defaults
        self.assertEqual(paths["KEYHOLD_SYSCONFDIR"], "/etc")
        self.assertEqual(paths["KEYHOLD_RUNSTATEDIR"], "/run")
        self.assertTrue(Path(paths["KEYHOLD_SCHEMADIR"], "secret.rng").is_file(), paths)
        self.assertTrue(Path(target).is_file(), f"libvirt's own module is not {target}")

    def test_the_prefix_of_the_build_moves_nothing(self) -> None:
        self.assertEqual(self.configure("--prefix=/opt/keyhold"), self.defaults)

    def test_each_option_moves_its_path(self) -> None:
        paths, target = self.configure(
            "-Dlibvirt_sysconfdir=/a/etc", "-Dlibvirt_runstatedir=/a/run",
            "-Dlibvirt_schemadir=/a/schemas", "-Dlibvirt_driverdir=/a/drivers")
        self.assertEqual(paths["KEYHOLD_SYSCONFDIR"], "/a/etc")
        self.assertEqual(paths["KEYHOLD_RUNSTATEDIR"], "/a/run")
        self.assertEqual(paths["KEYHOLD_SCHEMADIR"], "/a/schemas")
        self.assertEqual(target, "/a/drivers/" + MODULE)


if __name__ == "__main__":
    MESON = sys.argv[1:] or MESON
    unittest.main(argv=sys.argv[:1])
