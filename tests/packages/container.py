#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the image of examples/container with the packages, and runs libvirtd in containers of it.

Run as root: container.py DIR, where DIR holds the .debs of Debian 12. No image is pulled: the base is made of the
files of a Debian system."""

import base64
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from case import DRIVER_AT_WORK, HERE, UUID, VALUE, WITH_DAEMON, XML
from system import Result, files_alone

SOURCE = HERE.parents[1]
BASE, IMAGE = "localhost/debian:bookworm", "localhost/libvirt-keyhold"
OTHER = "0a1b2c3d-4e5f-4a6b-8c7d-8e9f0a1b2c3d"
VIRSH = "virsh -q -c secret:///system"
# Without a runtime for containers, which wants control groups of its own, buildah starts processes in namespaces of
# mounts alone; with the others of unshare, all that was started ends with it.
APART = ("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child=KILL", "--mount-proc")


class Container(unittest.TestCase):
    debs: Path
    base: Path
    storage: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.storage = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="keyhold-images-")))
        cls.addClassCleanup(cls.buildah, "rmi", "--all", "--force")
        cls.addClassCleanup(cls.buildah, "rm", "--all")
        base = cls.buildah("from", "scratch").ok()
        with files_alone(cls.base) as files:
            cls.buildah("add", "--quiet", base, str(files), "/").ok()
        cls.buildah("commit", "--quiet", base, BASE).ok()
        cls.buildah("build", "--isolation", "chroot", "--pull-never", "--build-arg", f"BASE={BASE}", "--tag", IMAGE,
                    "--file", str(SOURCE / "examples/container/Containerfile"), str(cls.debs)).ok()

    @classmethod
    def buildah(cls, *arguments: str, apart: tuple[str, ...] = APART) -> Result:
        command = [*apart, "buildah", "--root", str(cls.storage / "images"), "--runroot", str(cls.storage / "run"),
                   *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=600)
        return Result(command, done.returncode, done.stdout)

    def setUp(self) -> None:
        """What outlives a container. Kolla's store is open to its group."""
        outside = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="keyhold-container-")))
        self.store, self.keys, self.settings = (outside / name for name in ("secrets", "keys", "secret.conf"))
        self.store.mkdir()
        self.store.chmod(0o770)
        self.keys.mkdir(mode=0o700)
        self.settings.touch()

    def in_container(self, script: str, keys: str = "ro") -> str:
        """In a new one."""
        container = self.buildah("from", "--pull-never", IMAGE).ok()
        volumes = (f"{self.store}:/etc/libvirt/secrets", f"{self.keys}:/var/lib/keyhold:{keys}",
                   f"{self.settings}:/etc/libvirt/secret.conf:ro")
        done = self.buildah("run", "--isolation", "chroot", *(f"--volume={volume}" for volume in volumes), container,
                            "--", "sh", "-ec", script, apart=(*APART, "--net"))
        self.buildah("rm", container).ok()
        return done.ok()

    def with_daemon(self, script: str) -> str:
        """In a new one, whose libvirtd is up."""
        return self.in_container(WITH_DAEMON + script)

    def write(self, value: str) -> None:
        """As kolla does, with the newline of its template."""
        for ending, content in ((".xml", XML), (".base64", value + "\n")):
            file = self.store / f"{UUID}{ending}"
            file.write_text(content, encoding="utf-8")
            file.chmod(0o600)

    def test_secrets_outlive_containers(self) -> None:
        self.write(VALUE)
        self.assertEqual(self.with_daemon(f"{VIRSH} secret-get-value {UUID}"), VALUE)
        self.assertEqual(self.with_daemon(DRIVER_AT_WORK), '"driver":"keyhold"')
        other = XML.replace(UUID, OTHER)
        self.with_daemon(f"""echo "{other}" >/tmp/secret.xml; {VIRSH} secret-define /tmp/secret.xml
            {VIRSH} secret-set-value {OTHER} {VALUE} 2>/dev/null""")
        changed = base64.b64encode(b"of another day").decode()
        self.write(changed)
        served = self.with_daemon(f"{VIRSH} secret-get-value {UUID}; echo; {VIRSH} secret-get-value {OTHER}")
        self.assertEqual(served.split(), [changed, VALUE])

    def test_values_are_sealed_under_a_key_outside(self) -> None:
        self.write(VALUE)
        self.in_container("keyhold key generate /var/lib/keyhold/secrets-1.key", keys="rw")
        self.settings.write_text('secrets_encryption_key = "/var/lib/keyhold/secrets-1.key"\n')
        self.in_container("keyhold seal")
        self.assertEqual([file.name for file in sorted(self.store.glob(f"{UUID}.*"))], [f"{UUID}.jwe", f"{UUID}.xml"])
        self.assertEqual(self.with_daemon(f"{VIRSH} secret-get-value {UUID}"), VALUE)

    def test_a_check_knows_the_mode_of_the_store(self) -> None:
        self.write(VALUE)
        self.with_daemon("keyhold check --expect-owner root --expect-mode 0770")
        with self.assertRaisesRegex(AssertionError, "/etc/libvirt/secrets"):
            self.with_daemon("keyhold check")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    Container.debs = Path(sys.argv[1]).resolve()
    made = subprocess.run([SOURCE / "scripts/make-chroot", "bookworm"], check=True, stdout=subprocess.PIPE, text=True)
    Container.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)


if __name__ == "__main__":
    main()
