# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's own QEMU driver beside the secret driver under test."""

from pathlib import Path

from .machine import Machine
from .secret_files import Secret

# nothing that a container or a build machine may lack: no cgroups, no security driver, no other user
CONFIGURATION = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = []
security_driver = "none"
namespaces = []
stdio_handler = "file"
"""


def configure_qemu(machine: Machine) -> None:
    (machine.etc / "qemu.conf").write_text(CONFIGURATION)


def make_luks_disk(machine: Machine, passphrase: str) -> Path:
    disk = machine.home / "disk.luks"
    machine.run("qemu-img", "create", "-q", "-f", "luks",
                "--object", f"secret,id=key,data={passphrase}", "-o", "key-secret=key,iter-time=200",
                str(disk), "1M").ok()
    return disk


def domain_with_disk(disk: Path, secret: Secret) -> str:
    """A machine that boots nothing; QEMU opens its disk before it runs."""
    return f"""
<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'>
        <encryption format='luks'><secret type='passphrase' uuid='{secret.uuid}'/></encryption>
      </source>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>"""
