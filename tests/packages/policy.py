# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Debian's own tools find in the packages."""

import subprocess
import tempfile
from pathlib import Path

from case import HERE, PackageCase


class Policy(PackageCase):
    def on_host(self, *command: str | Path) -> str:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-8000:])
        return done.stdout

    def test_lintian_finds_no_error_and_no_warning(self) -> None:
        [changes] = self.debs.glob("*.changes")
        # One that is of the first upload to Debian, where a number of a report belongs.
        self.on_host("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags",
                     "initial-upload-closes-no-bugs", "-EvI", "--pedantic", changes)

    def test_piuparts_finds_nothing_left_behind(self) -> None:
        ours = [self.deb(name) for name in ("keyhold", "keyhold-tools", "keyhold-secretd", "keyhold-doc")]
        # A copy of the system below is made, which must not have what is mounted in it; debconf leaves the rest.
        with tempfile.TemporaryDirectory(prefix="keyhold-piuparts-") as place:
            copies, base = Path(place, "copies"), Path(place, "base")
            copies.mkdir()
            base.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", copies], check=True)
            subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={self.base}:{HERE}", "overlay", base],
                           check=True)
            try:
                self.on_host("piuparts", "--existing-chroot", base, "--tmpdir", copies, "--distribution", self.suite,
                             "--no-upgrade-test", "--ignore", "/var/cache/debconf/tmp.ci/", *ours)
            finally:
                subprocess.run(["umount", base, copies], check=True)

    def test_autopkgtest_passes(self) -> None:
        with tempfile.TemporaryDirectory(prefix="keyhold-autopkgtest-") as place:
            [source] = self.debs.glob("*.dsc")
            subprocess.run(["dpkg-source", "--extract", source, "source"], check=True, cwd=place,
                           stdout=subprocess.DEVNULL)
            printed = self.on_host(
                "unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.system.root}/proc",
                "autopkgtest", self.deb("keyhold"), self.deb("keyhold-tools"), Path(place, "source"),
                "--no-built-binaries", "--", "chroot", self.system.root)
        self.assertRegex(printed, r"(?m)^daemon +PASS")
