# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions of small virtual machines (https://libvirt.org/formatdomain.html)."""

from pathlib import Path

import libvirt

from harness.secret_files import Secret
from harness.waiting import wait_for

from .boot_sector import GREETING

BY_UUID, BY_USAGE = "uuid", "usage"


def named(secret: Secret, by: str = BY_UUID) -> str:
    """The two attributes by which a domain or a volume names a secret."""
    return f"{by}='{secret.uuid if by == BY_UUID else secret.usage}'"


def encryption(secret: Secret, by: str = BY_UUID) -> str:
    return f"<encryption format='luks'><secret type='passphrase' {named(secret, by)}/></encryption>"


def disk(path: Path, inside: str = "") -> str:
    return (f"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            f"<source file='{path}'>{inside}</source><target dev='hda' bus='ide'/></disk>")


def tpm(secret: Secret) -> str:
    return (f"<tpm model='tpm-tis'><backend type='emulator' version='2.0'>"
            f"<encryption secret='{secret.uuid}'/></backend></tpm>")


def console(path: Path) -> str:
    """A serial port whose output is in a file."""
    return f"<serial type='file'><source path='{path}'/></serial>"


def machine_xml(*devices: str, uuid: str = "", name: str = "guest") -> str:
    return f"""
<domain type='qemu'>
  <name>{name}</name>
  {f'<uuid>{uuid}</uuid>' if uuid else ''}
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    {''.join(devices)}
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>"""


def wait_booted(output: Path) -> None:
    """Until the code of the boot sector has run."""
    wait_for("the guest boots", lambda: output.exists() and GREETING in output.read_text())


def is_running(guest: libvirt.virDomain) -> bool:
    return bool(guest.state()[0] == libvirt.VIR_DOMAIN_RUNNING)
