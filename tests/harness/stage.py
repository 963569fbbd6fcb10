# SPDX-License-Identifier: LGPL-2.1-or-later
"""The room the tests run in: mount and process namespaces that take everything with them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

TOOLS = ("libvirtd", "virsh", "unshare", "nsenter", "setpriv", "prlimit", "mount")


def require_tools(more: Sequence[str]) -> None:
    missing = [tool for tool in (*TOOLS, *more) if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}")
    if os.geteuid() != 0:
        raise SystemExit("the system tests need root: they make mount namespaces")


def reenter(arguments: list[str]) -> int:
    """Runs this program again as the first process of new namespaces, and waits for it. With that
    process everything started there ends, session daemons included, and every mount is gone."""
    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, stop)
    child = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--",
         "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--",
         sys.executable, sys.argv[0], *arguments], stdin=subprocess.DEVNULL)
    try:
        return child.wait()
    finally:
        child.kill()
        child.wait()


def as_init(run: Callable[[], int]) -> int:
    """Runs `run` in a child and reaps whatever is orphaned until then, as a first process must."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = run()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    while True:
        done, status = os.wait()
        if done == pid:
            return os.waitstatus_to_exitcode(status)


def graft(directory: Path) -> None:
    """Makes `directory` exist in this mount namespace without making it on the host: its parent is
    replaced by a tmpfs that shows the parent's other entries and the new one."""
    if directory.is_dir():
        return
    parent = directory.parent
    spare = Path("/mnt")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(spare)], check=True)
    for entry in parent.iterdir():
        copy = spare / entry.name
        if entry.is_symlink():
            copy.symlink_to(os.readlink(entry))
        elif entry.is_dir() or entry.is_file():
            copy.mkdir() if entry.is_dir() else copy.touch()
            subprocess.run(["mount", "--rbind", str(entry), str(copy)], check=True)
    (spare / directory.name).mkdir()
    subprocess.run(["mount", "--move", str(spare), str(parent)], check=True)
