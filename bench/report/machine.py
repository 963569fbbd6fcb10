# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was measured on."""

import os
import platform
import subprocess
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


def is_busy() -> bool:
    """Whether other processes take more than a tenth of it."""
    return os.getloadavg()[0] > 0.1 * len(os.sched_getaffinity(0))


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
