# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian system with systemd as PID 1, in namespaces of its own: an overlay on one that
scripts/make-chroot --boot made, of which nothing stays."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
               "HOME": "/root", "USER": "root", "LOGNAME": "root", "DEBIAN_FRONTEND": "noninteractive"}

# What a manager of containers does before it starts init (https://systemd.io/CONTAINER_INTERFACE).
START = r"""
set -e
base=$1 work=$2 name=$3 id=$4
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
cd "$work/root"
rm -f usr/sbin/policy-rc.d # services do start here
echo "$id" >etc/machine-id
echo "$name" >etc/hostname
hostname "$name"
ln -s /dev/null etc/systemd/system/console-getty.service
echo 'APT::Get::Assume-Yes "true";' >etc/apt/apt.conf.d/99yes # nobody answers
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o nosuid,mode=0755 tmpfs dev
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 0666 "dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 0666 dev/tty c 5 0
mknod -m 0600 dev/console c 1 3 # as null: the journal has it all
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs run
ip link set lo up
mkdir run/before
pivot_root . run/before
umount -l /run/before
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init </dev/null >/dev/null 2>&1
"""


@dataclass(frozen=True)
class Result:
    command: str
    code: int
    output: str  # and errors

    def ok(self) -> str:
        if self.code != 0:
            raise AssertionError(f"{self.command}: exit {self.code}\n{self.output[-4000:]}")
        return self.output.strip()


def own_cgroup(name: str) -> Path:
    """A group of processes in the unified hierarchy, wherever that is mounted."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2" and fields[4].startswith("/sys/fs/cgroup"):
            group = Path(fields[4]) / name
            group.mkdir()
            return group
    raise RuntimeError("no cgroup2 is mounted below /sys/fs/cgroup, which systemd needs")


class Booted:
    def __init__(self, base: Path, name: str = "hypervisor") -> None:
        self._closing = contextlib.ExitStack()
        self._work = Path(tempfile.mkdtemp(prefix="keyhold-boot-"))
        self._closing.callback(self._work.rmdir)
        self._group = own_cgroup(self._work.name)
        self._closing.callback(self._remove_group)
        unshare = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--uts", "--ipc", "--net",
                   "--cgroup", "--fork", "--kill-child=KILL",
                   "sh", "-c", START, "sh", str(base), str(self._work), name, uuid.uuid4().hex]
        # The group is entered first, so that it is the root of the cgroup namespace. All ends with this process.
        self._process = subprocess.Popen(
            ["sh", "-c", f"echo $$ >{shlex.quote(str(self._group))}/cgroup.procs; exec \"$@\"", "sh", *unshare],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._closing.callback(self._end)
        try:
            self.pid = self._wait_for_init()
            self._wait_until_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Booted":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    # --- start and end ---------------------------------------------------------------------

    def _wait_for_init(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                assert self._process.stdout is not None
                raise AssertionError(f"the system did not start: {self._process.stdout.read()}")
            for pid in children.read_text(encoding="ascii").split():
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() in ("systemd", "init"):
                        return int(pid)
            time.sleep(0.02)
        raise AssertionError("the system did not come to its init in a minute")

    def _wait_until_up(self) -> None:
        """Every unit of the start has started, or has failed, which is not to be."""
        deadline = time.monotonic() + 120
        while True:
            state = self.run("systemctl is-system-running --wait 2>&1")
            if state.output.strip() in ("running", "degraded"):
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"systemd is not up after two minutes: {state.output}")
            time.sleep(0.1)
        failed = self.run("systemctl --failed --no-legend --plain").ok()
        if failed:
            raise AssertionError(f"units that failed to start:\n{failed}\n{self.journal()[-4000:]}")

    def _end(self) -> None:
        """Init is killed, and with it all that is in its namespaces."""
        init = getattr(self, "pid", None)
        if init is not None and self._process.poll() is None:
            os.kill(init, 9)
        elif self._process.poll() is None:
            self._process.kill()
        assert self._process.stdout is not None
        self._process.wait(60)
        self._process.stdout.close()

    def _remove_group(self) -> None:
        groups = [Path(directory) for directory, _, _ in os.walk(self._group)]
        for group in sorted(groups, key=lambda path: -len(path.parts)):
            deadline = time.monotonic() + 10
            while True:
                try:
                    group.rmdir()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)

    # --- what is done in it ----------------------------------------------------------------

    def enter(self, *command: str) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--all", "env", "-i", "--chdir=/root",
                *(f"{name}={value}" for name, value in ENVIRONMENT.items()), *command]

    def run(self, script: str, timeout: float = 120) -> Result:
        done = subprocess.run(self.enter("bash", "-ec", script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout)
        return Result(script, done.returncode, done.stdout)

    def root(self, path: str = "/") -> Path:
        """A path in it, as it is to be reached from here."""
        return Path(f"/proc/{self.pid}/root") / path.lstrip("/")

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        place = self.root(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        place.chmod(mode)

    def bring(self, files: Sequence[Path], directory: str) -> None:
        self.root(directory).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, self.root(directory))

    def journal(self, unit: str = "") -> str:
        return self.run(f"journalctl --no-pager --output=short {f'--unit={unit}' if unit else ''}").output

    def wait_for(self, script: str, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        while True:
            done = self.run(script)
            if done.code == 0:
                return done.output.strip()
            if time.monotonic() > deadline:
                done.ok()
            time.sleep(0.1)


def connect(one: Booted, other: Booted, number: int) -> tuple[str, str]:
    """A link between two, as between two hosts; answers with their addresses. The number is the link's."""
    link = f"link{number}"
    subprocess.run(["nsenter", f"--target={one.pid}", "--net", "ip", "link", "add", link, "type", "veth", "peer",
                    "name", link, "netns", str(other.pid)], check=True)
    addresses = f"192.0.2.{4 * number + 1}", f"192.0.2.{4 * number + 2}"
    for system, address in zip((one, other), addresses):
        system.run(f"ip address add {address}/30 dev {link}; ip link set {link} up").ok()
    return addresses
