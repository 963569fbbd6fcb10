# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine with Debian's kernel, in which SELinux labels processes and sockets, and this system's
libvirtd and virsh. Nothing is refused there (permissive mode)."""

from pathlib import Path

from harness.machine import Machine
from harness.settings import MODULE_NAME, settings

from .initramfs import Initramfs, installed

# scripts/install-deps leaves it there
KERNELS = Path("/var/cache/keyhold/packages/linux-image-cloud-amd64/boot")
POLICY = Path(__file__).with_name("selinux.cil")
# a virtual timer may seem broken to a kernel on a busy host
PARAMETERS = "console=ttyS0 loglevel=1 panic=-1 no_timer_check security=selinux selinux=1"
CONFIGURATION = """\
auth_unix_rw = "none"
auth_unix_ro = "none"
log_filters = "2:secret.keyhold"
log_outputs = "2:stderr"
"""
# its output is the serial port; when it ends, so does the machine
INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin LIBVIRT_DRIVER_DIR=/drivers
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t selinuxfs selinuxfs /sys/fs/selinux
cat /policy >/sys/fs/selinux/load
as() {{ # type of a context, command...
  (printf system_u:system_r:%s:s0 "$1" >/proc/self/attr/current; shift; exec "$@")
}}
as daemon_t libvirtd --config /libvirtd.conf &
tries=0
until virsh -c secret:///system uri >/dev/null 2>&1 || [ $((tries += 1)) -gt 1000 ]; do :; done
{script}"""
MEMORY = 512  # MiB; the files take 80
PATIENCE = 600.0  # seconds


def run(machine: Machine, script: str, files: dict[str, str]) -> str:
    """What the machine writes on its serial port, libvirtd's log included. `script` is for /bin/sh;
    it may say `as TYPE COMMAND` (the types are in selinux.cil)."""
    policy, archive = machine.home / "policy", machine.home / "initramfs"
    machine.run("secilc", "-c", "33", "-o", str(policy), "-f", "/dev/null", str(POLICY)).ok()
    system = Initramfs()
    system.add_directories("/dev", "/proc", "/sys", "/run", "/tmp", "/var/lib", "/etc/libvirt")
    system.add_programs(installed("sh", "cat", "mount", "libvirtd", "virsh")
                        | {f"/drivers/{MODULE_NAME}": settings().module})
    system.add("/policy", policy.read_bytes())
    accounts = {"/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/etc/group": "root:x:0:\n"}
    texts = {"/init": INIT.format(script=script), "/libvirtd.conf": CONFIGURATION} | accounts | files
    for path, text in texts.items():
        system.add(path, text.encode())
    system.write(archive)
    (kernel,) = KERNELS.glob("vmlinuz-*")
    return machine.run(
        "qemu-system-x86_64", "-accel", "tcg", "-m", str(MEMORY), "-nodefaults", "-display", "none",
        "-serial", "stdio", "-no-reboot", "-kernel", str(kernel), "-initrd", str(archive),
        "-append", PARAMETERS, patience=PATIENCE).ok()
