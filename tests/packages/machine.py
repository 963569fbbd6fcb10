# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine that boots the files of a Debian system with their own kernel.

It is emulated everywhere: a /dev/kvm that opens is not yet one that runs machines, and QEMU does not go back to
emulation from there."""

import base64
import contextlib
import itertools
import json
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from system import Result, files_alone

SIZE = "4G"  # of the disk, of which only what is written takes space
MEMORY = 2048  # MiB
# On a busy host a virtual timer may seem broken to a kernel, and a service slow to systemd.
PARAMETERS = "root=/dev/vda rw console=ttyS0 no_timer_check systemd.default_timeout_start_sec=900"
# QEMU's guest agent finds the port by its name.
PORT = "org.qemu.guest_agent.0"
PATIENCE = 900.0  # seconds for anything


class Machine:
    """Everything written goes with close()."""

    def __init__(self, system: Path) -> None:
        self._closing = contextlib.ExitStack()
        work = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="keyhold-machine-")))
        self._console = work / "console"
        try:
            self._make_disk(system, work)
            self._start(system / "boot", work)
            self._connect(work / "agent")
            self._wait_until_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._closing.close()

    # --- start -----------------------------------------------------------------------------

    def _make_disk(self, system: Path, work: Path) -> None:
        with files_alone(system) as files:
            subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", files, work / "disk", SIZE], check=True)

    def _start(self, boot: Path, work: Path) -> None:
        [kernel] = boot.glob("vmlinuz-*")
        [initramfs] = boot.glob("initrd.img-*")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "qemu64,-svm",
             "-smp", "2", "-m", str(MEMORY), "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{self._console}",
             "-kernel", kernel, "-initrd", initramfs, "-append", PARAMETERS,
             "-drive", f"file={work}/disk,format=raw,if=virtio,cache=unsafe", "-device", "virtio-rng-pci",
             "-chardev", f"socket,id=agent,path={work}/agent,server=on,wait=off", "-device", "virtio-serial-pci",
             "-device", f"virtserialport,chardev=agent,name={PORT}"], stdin=subprocess.DEVNULL)
        self._closing.callback(self._process.wait)
        self._closing.callback(self._process.kill)

    def _connect(self, path: Path) -> None:
        agent = self._closing.enter_context(socket.socket(socket.AF_UNIX))
        while not path.exists():
            self._check()
            time.sleep(0.02)
        agent.connect(str(path))
        agent.settimeout(PATIENCE)
        self._agent = self._closing.enter_context(agent.makefile("rw"))
        # What the port gets before the agent is there may be lost.
        for number in itertools.count():
            self._check()
            self._send("guest-sync", id=number)
            if select.select([agent], [], [], 5)[0]:
                break
        while self._receive("guest-sync") != number:
            pass

    def _wait_until_up(self) -> None:
        state = self.run("systemctl is-system-running --wait").output.strip()
        if state != "running":
            failed = self.run("systemctl --failed --no-legend --plain; journalctl --no-pager").output
            raise AssertionError(f"the machine is {state}: {failed}")

    def _check(self) -> None:
        if self._process.poll() is not None:
            raise AssertionError(f"the machine ended: {self.console()}")

    # --- what is done in it ----------------------------------------------------------------

    def console(self) -> str:
        return self._console.read_text(errors="replace")[-8000:] if self._console.exists() else ""

    def _send(self, command: str, **arguments: Any) -> None:
        json.dump({"execute": command, "arguments": arguments}, self._agent)
        self._agent.write("\n")
        self._agent.flush()

    def _receive(self, command: str) -> Any:
        try:
            answer = json.loads(self._agent.readline())
        except (OSError, ValueError) as error:
            raise AssertionError(f"the agent does not answer to {command} ({error}): {self.console()}") from error
        if "return" not in answer:
            raise AssertionError(f"{command}: {answer}")
        return answer["return"]

    def _ask(self, command: str, **arguments: Any) -> Any:
        self._send(command, **arguments)
        return self._receive(command)

    def run(self, script: str) -> Result:
        started = self._ask("guest-exec", path="/bin/bash", arg=["-ec", f"exec 2>&1\n{script}"],
                            env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
                                 "DEBIAN_FRONTEND=noninteractive"], **{"capture-output": True})
        deadline = time.monotonic() + PATIENCE
        while not (status := self._ask("guest-exec-status", pid=started["pid"]))["exited"]:
            if time.monotonic() > deadline:
                raise AssertionError(f"{script}: no end after {PATIENCE:.0f} seconds")
            time.sleep(0.1)
        output = base64.b64decode(status.get("out-data", "")).decode(errors="replace")
        return Result([script], status.get("exitcode", -1), output)
