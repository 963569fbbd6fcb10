# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Debian's own tools find in the packages."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from case import HERE, PackageCase
from system import System

UNINSTALLABLE = 3  # exit code of make-chroot
FILES = "cd {0}; find . -type f -exec {1}sum {{}} +"


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

    # --- the list of what is in them, in SPDX ------------------------------------------------

    def listed(self) -> Path:
        [path] = self.debs.glob("*.spdx.json")
        return path

    def test_the_list_is_valid(self) -> None:
        """By the tools of the SPDX project, which Debian has in unstable alone."""
        made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", "sid"], stdout=subprocess.PIPE, text=True)
        if made.returncode == UNINSTALLABLE:
            print("not validated: unstable cannot be installed today", file=sys.stderr)
            return
        system = System(Path(made.stdout.strip()))
        self.addCleanup(system.close)
        system.run("pyspdxtools", "--infile", *system.bring(self.listed())).ok()

    def test_the_list_says_of_each_file_what_it_is(self) -> None:
        document = json.loads(self.listed().read_text(encoding="utf-8"))
        ours = {package["packageFileName"]: package for package in document["packages"] if "packageFileName" in package}
        self.assertEqual(sorted(ours), sorted(deb.name for deb in self.debs.glob("*.deb")))
        files = {file["SPDXID"]: file for file in document["files"]}
        for name, package in ours.items():
            deb, told = self.debs / name, self.sums_told(package)
            self.assertEqual(self.on_host("dpkg-deb", "--show", "--showformat", "${Package} ${Version}", deb),
                             f"{package['name']} {package['versionInfo']}")
            contained = [files[relation["relatedSpdxElement"]] for relation in document["relationships"]
                         if relation["relationshipType"] == "CONTAINS" and relation["spdxElementId"] == package["SPDXID"]]
            with tempfile.TemporaryDirectory(prefix="keyhold-deb-") as place:
                self.on_host("dpkg-deb", "--extract", deb, place)
                for kind in ("sha1", "sha256"):
                    self.assertEqual(self.on_host(f"{kind}sum", deb).split()[0], told[kind])
                    found = self.on_host("sh", "-ec", FILES.format(place, kind)).splitlines()
                    self.assertEqual(sorted(f"{self.sums_told(file)[kind]}  {file['fileName']}" for file in contained),
                                     sorted(found))
                code = self.on_host("sh", "-ec", FILES.format(place, "sha1") + "| cut -c -40 | sort | tr -d '\\n' | sha1sum")
                self.assertEqual(package["packageVerificationCode"], {"packageVerificationCodeValue": code.split()[0]})

    @staticmethod
    def sums_told(element: dict[str, Any]) -> dict[str, str]:
        return {checksum["algorithm"].lower(): checksum["checksumValue"] for checksum in element["checksums"]}
