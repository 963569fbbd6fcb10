# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian system of its own to install packages in: an overlay on one that scripts/make-chroot made."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What package management, and libvirtd when it runs, change for themselves.
OF_OTHERS = ("proc", "dev", "sys", "run", "tmp", "root", "var/lib/dpkg", "var/lib/apt", "var/cache", "var/log",
             "var/lib/systemd", "var/lib/libvirt", "etc/libvirt/secrets", "etc/ld.so.cache")


@dataclass(frozen=True)
class Result:
    command: Sequence[str]
    code: int
    output: str  # and errors

    def ok(self) -> str:
        if self.code != 0:
            raise AssertionError(f"{' '.join(self.command)}: exit {self.code}\n{self.output[-4000:]}")
        return self.output.strip()


@contextlib.contextmanager
def files_alone(root: Path) -> Iterator[Path]:
    """A place that has the files of a system without what is mounted in it."""
    with tempfile.TemporaryDirectory(prefix="keyhold-files-") as place:
        subprocess.run(["mount", "--bind", root, place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)


class System:
    """Everything written goes with close()."""

    def __init__(self, base: Path) -> None:
        self._work = Path(tempfile.mkdtemp(prefix="keyhold-packages-"))
        self.root = self._work / "root"
        for name in ("root", "layers"):
            (self._work / name).mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self._work / "layers"], check=True)
        for name in ("upper", "work"):
            (self._work / "layers" / name).mkdir()
        options = f"lowerdir={base},upperdir={self._work}/layers/upper,workdir={self._work}/layers/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", self.root], check=True)
        for name in ("dev", "sys"):
            subprocess.run(["mount", "--rbind", "--make-rslave", f"/{name}", self.root / name], check=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")

    def close(self) -> None:
        subprocess.run(["umount", "-R", self.root], check=True)
        subprocess.run(["umount", self._work / "layers"], check=True)
        shutil.rmtree(self._work)

    def run(self, *command: str, env: Mapping[str, str] = {}, has_network: bool = False) -> Result:
        """In namespaces of its own, with which everything that it started ends."""
        spaces = ["--mount", "--pid", "--ipc"] + ([] if has_network else ["--net"])
        done = subprocess.run(
            ["unshare", *spaces, "--fork", "--kill-child=KILL", f"--mount-proc={self.root}/proc", "chroot", self.root,
             *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=600,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root",
                 "DEBIAN_FRONTEND": "noninteractive", **env})
        return Result(command, done.returncode, done.stdout)

    def apt(self, *arguments: str, env: Mapping[str, str] = {}) -> Result:
        return self.run("apt-get", "--yes", "--no-install-recommends", "-o", "APT::Sandbox::User=root", *arguments,
                        env=env, has_network=True)

    def bring(self, *files: Path) -> list[str]:
        """Copies; answers with their paths in the system."""
        place = self.root / "tmp/packages"
        place.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, place)
        return [f"/tmp/packages/{file.name}" for file in files]

    def sha256(self, path: str) -> str:
        return hashlib.sha256((self.root / path.lstrip("/")).read_bytes()).hexdigest()

    def files(self) -> dict[str, str]:
        """What a purge has to leave as it was: path, and what it is."""
        found = {}
        for directory, below, names in os.walk(self.root):
            place = Path(directory).relative_to(self.root)
            below[:] = [name for name in below if str(place / name) not in OF_OTHERS]
            for name in (*below, *names):
                path = Path(directory, name)
                if str(place / name) in OF_OTHERS:
                    continue
                if path.is_symlink():
                    found[str(place / name)] = os.readlink(path)
                elif path.is_file():
                    status = path.stat()
                    found[str(place / name)] = f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns}"
                else:
                    found[str(place / name)] = f"{path.lstat().st_mode:o}"
        return found
