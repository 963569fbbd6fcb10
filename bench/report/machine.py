# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was measured on."""

import os
import platform
import subprocess
import time
from pathlib import Path


def output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def processor_times() -> tuple[int, int]:
    """Of all processors since the start of the machine, in ticks: all, and at work."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, idle, wait, *rest = (int(field) for field in file.readline().split()[1:])
    return user + nice + system + idle + wait + sum(rest), user + nice + system + sum(rest)


def is_busy() -> bool:
    """Whether other processes take more than a tenth of it; this one only waits. The load
    average would still have in it what ended a minute ago, as the build of what is measured."""
    before = processor_times()
    time.sleep(3)
    after = processor_times()
    return after[1] - before[1] > 0.1 * (after[0] - before[0])


def describe(stores: Path) -> dict[str, str]:
    file_system, kind = output("findmnt", "-n", "-o", "FSTYPE,OPTIONS", "--target", str(stores)), ""
    if file_system != "unknown":
        kind, _, options = file_system.partition(" ")
        file_system = f"{kind} ({options.strip()})"
    kilobytes = int(field("/proc/meminfo", "MemTotal").split()[0])
    return {
        "processor": f"{field('/proc/cpuinfo', 'model name')}, "
                     f"{len(os.sched_getaffinity(0))} in use",
        "memory": f"{kilobytes / 1024 / 1024:.0f} GiB",
        "file system of the stores": file_system,
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "libvirt": output("libvirtd", "--version").rpartition(" ")[2],
        "compiler": output("c++", "--version").partition("\n")[0],
        "load average at the begin": f"{os.getloadavg()[0]:.1f}",
    }
