# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's own QEMU driver beside the secret driver under test."""

from pathlib import Path

from .machine import Machine
from .secret_files import Secret
from .waiting import wait_for

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


def make_luks_disk(machine: Machine, key: str) -> Path:
    """A LUKS image; `key` says where QEMU finds its passphrase: `data=...` or `file=...`."""
    disk = machine.home / "disk.luks"

    def make() -> bool:
        made = machine.run("qemu-img", "create", "-q", "-f", "luks", "--object", f"secret,id=key,{key}",
                           "-o", "key-secret=key,iter-time=10", str(disk), "1M")
        # where processor time is counted in ticks, its own measurement fails now and then
        if "Unable to get accurate CPU usage" in made.err:
            return False
        made.ok()
        return True
    wait_for("qemu-img makes an image", make)
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
