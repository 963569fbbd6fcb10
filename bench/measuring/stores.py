# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stores of any size, made when they are asked for."""

import os
import secrets
import shutil
from pathlib import Path

from .programs import Programs


class Stores:
    """Embedded roots below one directory. A root is `plain` or `sealed`; its number of secrets is
    part of its name. Measures leave a store as they found it."""

    def __init__(self, programs: Programs, directory: Path) -> None:
        self._programs, self._directory = programs, directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)

    @property
    def directory_of_all(self) -> Path:
        return self._directory

    def root(self, form: str, count: int) -> Path:
        root = self._directory / f"{form}-{count}"
        if not root.exists():
            self._make(root, form, count)
        return root

    def copy(self, form: str, count: int) -> Path:
        """Another root with the same secrets, for a second process at the same time."""
        root = self._directory / f"{form}-{count}-copy"
        if not root.exists():
            self._make(root, form, count)
        return root

    def directory(self, form: str, count: int) -> Path:
        """The files of that root."""
        return self.root(form, count) / "etc/secrets"

    def release(self, form: str, count: int) -> None:
        for name in (f"{form}-{count}", f"{form}-{count}-copy", f"session-{count}"):
            shutil.rmtree(self._directory / name, ignore_errors=True)

    def session(self, count: int) -> Path:
        """A directory for a session daemon that has the files of the plain root of this size."""
        directory = self._directory / f"session-{count}"
        config = directory / "config/libvirt"
        if not directory.exists():
            config.mkdir(parents=True)
            (config / "secrets").symlink_to(self.directory("plain", count))
        return directory

    def new_directory(self, name: str) -> Path:
        directory = self._directory / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    def fill(self, directory: Path, count: int, key: Path | None = None) -> None:
        self._programs.run("make_store", directory, str(count), *([key] if key else []))

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _make(self, root: Path, form: str, count: int) -> None:
        (root / "etc").mkdir(parents=True)
        key = None
        settings = "# nothing\n"
        if form == "sealed":
            key = make_key(root / "etc/key")
            settings = f'secrets_encryption_key = "{key}"\n'
        (root / "etc/secret.conf").write_text(settings)
        self.fill(root / "etc/secrets", count, key)
        # what was just written would be flushed in the middle of what is measured
        os.sync()


def make_key(path: Path) -> Path:
    path.write_bytes(secrets.token_bytes(32))
    path.chmod(0o600)
    return path
