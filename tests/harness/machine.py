# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host of its own: a mount namespace with private libvirt directories and users."""

import os
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .settings import settings


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home / "runtime"),
        }

    @property
    def store(self) -> Path:
        return self.home / "config/libvirt/secrets"

    @property
    def runtime(self) -> Path:
        return self.home / "runtime/libvirt"

    def owns(self, *paths: Path) -> None:
        for path in paths:
            os.chown(path, self.uid, self.uid)


@dataclass(frozen=True)
class Result:
    argv: Sequence[str]
    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode(errors="replace")

    def ok(self) -> str:
        """The output, less surrounding blanks; raises where the command failed."""
        if self.code != 0:
            raise AssertionError(f"{' '.join(self.argv)}: exit {self.code}: {self.err or self.out}")
        return self.out.strip()

    def failed(self) -> str:
        """The error text; raises where the command succeeded."""
        if self.code == 0:
            raise AssertionError(f"{' '.join(self.argv)} succeeded: {self.out}")
        return self.err.strip()


class Machine:
    """Directories of the host that start out empty, as seen from outside the namespace:
    etc = /etc/libvirt, run = /run/libvirt, store = /etc/libvirt/secrets (made by the daemon)."""

    namespaces: tuple[str, ...] = ("mount",)
    _made = 0
    # RLIMIT_NPROC counts the threads of a uid over all namespaces: no two users share one
    _first_uid = 100_000 + random.randrange(1 << 20) * 1024

    def __init__(self) -> None:
        # short: the path of a socket has at most 107 bytes
        self.home = Path(settings().work) / f"{os.getpid()}-{Machine._made}"
        self.home.mkdir()
        self.etc, self.run_dir = self.home / "etc", self.home / "run"
        self.store = self.etc / "secrets"
        self.state = self.run_dir / "secrets"
        for directory in (self.etc, self.run_dir, *self._var_directories()):
            directory.mkdir()
        self._copy_accounts()
        self.one, self.two = self.add_user("one"), self.add_user("two")
        self._holder = subprocess.Popen(
            ["unshare", *(f"--{name}" for name in self.namespaces), "--propagation", "private", "--",
             "sh", "-c", "echo ready; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self._holder.stdout.close()
        self.bind_all({
            self.etc: "/etc/libvirt",
            self.run_dir: "/run/libvirt",
            self.home / "passwd": "/etc/passwd",
            self.home / "group": "/etc/group",
            **{directory: f"/var/{directory.name}/libvirt" for directory in self._var_directories()},
        })

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        shutil.rmtree(self.home)

    def _var_directories(self) -> list[Path]:
        return [self.home / name for name in ("lib", "cache", "log")]

    def add_user(self, name: str) -> User:
        uid = Machine._first_uid + Machine._made
        Machine._made += 1
        user = User(name, uid, self.home / name)
        for directory in (user.home, *(user.home / d for d in ("config", "cache", "runtime"))):
            directory.mkdir(mode=0o700)
            user.owns(directory)
        self._add_account(name, uid, user.home, "/bin/sh")
        return user

    def _copy_accounts(self) -> None:
        for name in ("passwd", "group"):
            shutil.copyfile(Path("/etc", name), self.home / name)
        # libvirt's QEMU driver does not start without its user, which libvirt-daemon-system makes
        self._add_account("libvirt-qemu", 64055, Path("/nonexistent"), "/bin/false")

    def _add_account(self, name: str, uid: int, home: Path, shell: str) -> None:
        with (self.home / "passwd").open("a") as passwd, (self.home / "group").open("a") as group:
            passwd.write(f"{name}:x:{uid}:{uid}::{home}:{shell}\n")
            group.write(f"{name}:x:{uid}:\n")

    # --- commands inside -------------------------------------------------------------------

    def argv(self, command: Sequence[str], user: User | None = None) -> list[str]:
        of_holder = ["--target", str(self._holder.pid), *(f"--{name}" for name in self.namespaces)]
        inside = ["nsenter", *of_holder, "--wdns=/", "--"]
        if user is not None:
            inside += ["setpriv", f"--reuid={user.uid}", f"--regid={user.uid}", "--clear-groups", "--"]
        return inside + list(command)

    def environment(self, user: User | None, extra: Mapping[str, str]) -> dict[str, str]:
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}
        return base | (user.environment if user else {}) | dict(extra)

    def run(self, *command: str, user: User | None = None, stdin: str | bytes = "",
            env: Mapping[str, str] = {}, patience: float = 300) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            done = subprocess.run(self.argv(command, user), input=data, capture_output=True,
                                  env=self.environment(user, env), timeout=patience)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"{' '.join(command)}: no answer in {patience:g} s") from expired
        return Result(command, done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def popen(self, *command: str, user: User | None = None, env: Mapping[str, str] = {},
              **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.argv(command, user), env=self.environment(user, env),
                                **options)  # type: ignore[call-overload, no-any-return]

    def virsh(self, *command: str, uri: str = "secret:///system", user: User | None = None,
              readonly: bool = False, stdin: str | bytes = "", patience: float = 300) -> Result:
        read_only = ["--readonly"] if readonly else []
        return self.run("virsh", "--connect", uri, *read_only, *command,
                        user=user, stdin=stdin, patience=patience)

    # --- mounts inside ---------------------------------------------------------------------

    def bind_all(self, pairs: Mapping[Path, str]) -> None:
        lines = "".join(f"mount --bind '{src}' '{dst}'\n" for src, dst in pairs.items())
        self.run("sh", "-eu", "-c", lines).ok()

    def bind(self, source: Path, target: str, readonly: bool = False) -> None:
        self.bind_all({source: target})
        if readonly:
            self.run("mount", "-o", "remount,bind,ro", target).ok()

    def unmount(self, target: str) -> None:
        # lazily: the daemon may hold the directory open
        self.run("umount", "--lazy", target).ok()
