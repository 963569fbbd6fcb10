# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions of pools and volumes (https://libvirt.org/formatstorage.html)."""

from pathlib import Path

import libvirt

from harness.waiting import wait_for


def directory_pool(connection: libvirt.virConnect, directory: Path) -> libvirt.virStoragePool:
    directory.mkdir()
    return connection.storagePoolCreateXML(
        f"<pool type='dir'><name>pool</name><target><path>{directory}</path></target></pool>")


def volume_xml(encryption: str, size: int) -> str:
    return (f"<volume><name>volume</name><capacity>{size}</capacity>"
            f"<target><format type='raw'/>{encryption}</target></volume>")


def create_volume(pool: libvirt.virStoragePool, xml: str) -> libvirt.virStorageVol:
    def create() -> libvirt.virStorageVol | None:
        try:
            return pool.createXML(xml)
        except libvirt.libvirtError as error:
            # qemu-img, where processor time is counted in ticks
            if "Unable to get accurate CPU usage" in str(error):
                return None
            raise
    return wait_for("qemu-img makes a volume", create)
