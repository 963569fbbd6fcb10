# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secret driver under test beside libvirt's own hypervisor and storage drivers."""

from pathlib import Path

from harness import qemu
from harness.machine import Machine
from harness.settings import MODULE_NAME, settings


def driver_dir(machine: Machine, *drivers: str) -> str:
    """A directory for LIBVIRT_DRIVER_DIR with the module under test and the named drivers of libvirt."""
    directory = machine.home / "-".join(("drivers", *drivers))
    directory.mkdir()
    (directory / MODULE_NAME).symlink_to(settings().module)
    for driver in drivers:
        module = Path(settings().installed) / f"libvirt_driver_{driver}.so"
        if not module.is_file():
            raise AssertionError(f"{module} is not installed")
        (directory / module.name).symlink_to(module)
    return str(directory)


def configure_qemu(machine: Machine, **options: object) -> None:
    """Writes qemu.conf; each option is one line more."""
    _share_probes(machine.home / "cache/qemu")
    _own_tpm_directories(machine)
    (machine.etc / "qemu.conf").write_text(_configuration(**options))


def configure_embedded(root: Path, **options: object) -> None:
    """The same for a root of qemu:///embed, which it makes."""
    (root / "etc").mkdir(parents=True)
    _share_probes(root / "cache/qemu")
    (root / "etc/qemu.conf").write_text(_configuration(**options))


def _configuration(**options: object) -> str:
    lines = [f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
             for name, value in ({"swtpm_user": "root", "swtpm_group": "root"} | options).items()]
    return "\n".join([qemu.CONFIGURATION, *lines, ""])


def _share_probes(cache: Path) -> None:
    """What libvirt learns by running a QEMU binary, it keeps in a file: two seconds for each daemon
    that need not ask again. It checks itself whether the file is still right."""
    shared = Path(settings().work) / "qemu-capabilities"
    shared.mkdir(exist_ok=True)
    cache.mkdir(parents=True)
    (cache / "capabilities").symlink_to(shared)


def _own_tpm_directories(machine: Machine) -> None:
    """swtpm's log goes beside libvirt's, and the CA that signs its keys is in /var/lib."""
    authority, logs = Path(settings().work) / "swtpm-localca", machine.home / "var-log"
    authority.mkdir(exist_ok=True)
    (logs / "libvirt").mkdir(parents=True)
    machine.bind_all({authority: "/var/lib/swtpm-localca", logs: "/var/log",
                      machine.home / "log": "/var/log/libvirt"})
