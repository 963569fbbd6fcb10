# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deployment tools that write and read the store's files themselves, each in its own way."""

import base64
import os
import re
import subprocess

from harness.case import SystemCase, stock_defect
from harness.qemu import make_luks_disk
from harness.secret_files import Secret, snapshot, write_file

KEY = b"AQBHCbtT6APDHhAA5W00cBchwkQjh3dkKsyPjw=="  # a cephx key: itself base64 text
KOLLA_UID = 42436


class ToolCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.secret = Secret(usage="client.nova secret")

    def shell(self, script: str) -> str:
        """What an operator or a script types on the host."""
        return self.machine.run("sh", "-eu", "-c", script).ok()

    def assertServed(self, value: bytes = KEY) -> None:
        self.assertEqual(self.value_of(self.root, self.secret), value)

    def start_and_open(self) -> None:
        self.daemon = self.start()
        self.root = self.daemon.open()

    def restart(self) -> None:
        self.daemon.stop()
        self.start_and_open()


class Kolla(ToolCase):
    """kolla-ansible writes as a user of its own into a 0770 directory of its own, with a newline at the
    end of the value, and reloads."""

    def write(self, value: bytes) -> None:
        self.store.mkdir(exist_ok=True)
        self.secret.write(self.store, value, newline=True)
        self.store.chmod(0o770)
        for path in (self.store, *self.store.iterdir()):
            os.chown(path, KOLLA_UID, KOLLA_UID)

    def owners(self) -> set[tuple[int, int]]:
        paths = (self.store, *self.store.iterdir())
        return {(path.stat().st_uid, path.stat().st_mode & 0o777) for path in paths}

    def test_on_the_host_new_files_are_found_by_a_reload(self) -> None:
        self.store.mkdir(mode=0o770)
        os.chown(self.store, KOLLA_UID, KOLLA_UID)
        self.start_and_open()
        self.write(KEY)
        self.daemon.reload()
        self.assertServed()
        self.assertEqual(self.owners(), {(KOLLA_UID, 0o770), (KOLLA_UID, 0o600)})

    def test_on_the_host_a_rotated_key_is_found_by_a_reload(self) -> None:
        self.write(KEY)
        self.start_and_open()
        self.assertServed()
        self.write(b"rotated")
        self.daemon.reload()
        self.assertServed(b"rotated")
        self.restart()
        self.assertServed(b"rotated")

    def test_in_a_container_the_files_are_there_before_the_daemon(self) -> None:
        self.secret.write(self.store, KEY, newline=True)
        volume = Secret(usage="client.cinder secret")
        volume.write(self.store, b"cinder", newline=True)
        self.start_and_open()
        self.assertServed()
        self.assertEqual(self.value_of(self.root, volume), b"cinder")

    @stock_defect("!= 66")
    def test_without_cephx_the_value_file_holds_a_newline_only(self) -> None:
        self.secret.write(self.store)
        write_file(self.secret.value_in(self.store), "\n")
        self.start_and_open()
        self.assertNoValue(self.root, self.secret)


class ConfigurationManagement(ToolCase):
    def test_salt_writes_without_newline_and_restarts(self) -> None:
        self.start_and_open()
        self.secret.write(self.store, KEY)
        self.restart()
        self.assertServed()

    def test_salt_writes_with_newline_and_restarts(self) -> None:
        self.start_and_open()
        for name in ("nova", "volumes"):
            Secret(usage=name).write(self.store, KEY, newline=True)
        self.secret.write(self.store, KEY, newline=True)
        self.restart()
        self.assertServed()
        self.assertEqual(self.root.numOfSecrets(), 3)

    def test_puppet_makes_the_directory_with_its_default_mode(self) -> None:
        self.store.mkdir(mode=0o755)
        self.store.chmod(0o755)
        self.secret.write(self.store, KEY)
        self.start_and_open()
        self.assertServed()
        self.assertEqual(self.store.stat().st_mode & 0o777, 0o755)

    def test_rook_writes_heredocs_with_the_default_umask(self) -> None:
        self.shell(f"""umask 022
            mkdir -p /etc/libvirt/secrets
            cat > /etc/libvirt/secrets/{self.secret.uuid}.xml <<EOF
<secret ephemeral='no' private='no'>
  <uuid>{self.secret.uuid}</uuid>
  <usage type='ceph'>
    <name>{self.secret.usage}</name>
  </usage>
</secret>
EOF
            cat > /etc/libvirt/secrets/{self.secret.uuid}.base64 <<EOF
{base64.b64encode(KEY).decode()}
EOF
            """)
        self.start_and_open()
        self.assertServed()
        self.assertEqual({path.stat().st_mode & 0o777 for path in self.store.iterdir()}, {0o644})

    def test_a_comment_header_as_ansible_writes_it_is_accepted(self) -> None:
        self.secret.write(self.store, KEY)
        write_file(self.secret.xml_in(self.store),
                   "<?xml version='1.0' encoding='UTF-8'?>\n<!-- Ansible managed -->\n" + self.secret.xml)
        self.start_and_open()
        self.assertServed()


class Operators(ToolCase):
    def test_a_definition_inside_the_store_is_given_to_virsh(self) -> None:
        """The guide writes the file into the store and then defines it from there."""
        self.start_and_open()
        path = f"/etc/libvirt/secrets/{self.secret.uuid}.xml"
        self.shell(f"cat > {path} <<'EOF'\n{self.secret.xml}EOF")
        self.daemon.virsh("secret-define", "--file", path)
        self.daemon.virsh("secret-set-value", "--secret", self.secret.uuid,
                          "--base64", base64.b64encode(KEY).decode())
        self.assertServed()
        self.assertEqual(self.secret.xml_in(self.store).read_text(), self.secret.xml)
        self.restart()
        self.assertServed()

    def test_a_value_overwritten_in_place_wins_after_a_restart(self) -> None:
        self.secret.write(self.store, KEY)
        self.start_and_open()
        found = self.shell(f"grep -l '{self.secret.usage}' /etc/libvirt/secrets/*.xml")
        self.assertEqual(found, f"/etc/libvirt/secrets/{self.secret.uuid}.xml")
        self.shell(f"echo cm90YXRlZA== > /etc/libvirt/secrets/{self.secret.uuid}.base64")
        self.assertServed()
        self.restart()
        self.assertServed(b"rotated")

    def test_files_copied_from_another_host_are_taken(self) -> None:
        other = self.new_machine()
        self.define(self.start(other).open(), self.secret, KEY)
        self.start_and_open()
        for path in other.store.iterdir():
            write_file(self.store / path.name, path.read_bytes())
        self.daemon.reload()
        self.assertServed()
        self.restart()
        self.assertServed()

    def test_the_store_may_be_a_mount_point(self) -> None:
        self.store.mkdir()
        self.machine.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs",
                         "/etc/libvirt/secrets").ok()
        self.start_and_open()
        self.define(self.root, self.secret, KEY)
        self.restart()
        self.assertServed()
        handle = self.root.secretLookupByUUIDString(self.secret.uuid)
        handle.setValue(b"other")
        handle.undefine()
        self.assertEqual(self.shell("ls -A /etc/libvirt/secrets"), "")

    def test_foreign_files_and_directories_do_not_disturb(self) -> None:
        self.secret.write(self.store, KEY)
        write_file(self.store / "zzz.xml", Secret(usage="misnamed").xml)
        write_file(self.store / "broken.xml", "<secret>")
        write_file(self.store / f"{Secret().uuid}.key", "other suffix")
        Secret(usage="in backup").write(self.store / "backup", b"old")
        before = snapshot(self.store)
        self.start_and_open()
        self.assertListed(self.root, self.secret)
        self.assertEqual(snapshot(self.store), before)


class Readers(ToolCase):
    """Programs that read what the daemon wrote."""

    def setUp(self) -> None:
        super().setUp()
        self.start_and_open()
        self.secret = Secret(usage="client.nova secret", description="nova key")
        self.define(self.root, self.secret, KEY)

    def test_tgt_reads_one_line_of_the_value_file(self) -> None:
        with self.secret.value_in(self.store).open("rb") as file:
            line = file.read(255).split(b"\n")[0]
        self.assertEqual(line, base64.b64encode(KEY))

    def test_qemu_img_takes_the_value_file_as_a_key(self) -> None:
        disk = make_luks_disk(
            self.machine, f"file=/etc/libvirt/secrets/{self.secret.uuid}.base64,format=base64")
        given = f"secret,id=key,data={KEY.decode()}"
        image = f"driver=luks,key-secret=key,file.filename={disk}"
        self.machine.run("qemu-img", "measure", "--object", given, "--image-opts", image).ok()
        wrong = "secret,id=key,data=wrong"
        self.machine.run("qemu-img", "measure", "--object", wrong, "--image-opts", image).failed()

    def test_a_check_script_finds_every_listed_secret_as_a_private_file_it_can_grep(self) -> None:
        listed = re.findall(r"(?m)^ ?([0-9a-f]{8}-[0-9a-f-]{27})", self.machine.virsh("secret-list").out)
        self.assertEqual(listed, [self.secret.uuid])
        for uuid in listed:
            path = f"/etc/libvirt/secrets/{uuid}.xml"
            self.assertEqual(self.shell(f"stat -c %A {path}"), "-rw-------")
            self.assertEqual(self.shell(f"grep -oP '(?<=<description>).*(?=</description>)' {path}"),
                             "nova key")

    def test_values_are_written_without_newline_as_canonical_base64(self) -> None:
        for length in (1, 2, 3, 255, 4096):
            value = os.urandom(length)
            self.root.secretLookupByUUIDString(self.secret.uuid).setValue(value)
            self.assertEqual(self.secret.value_in(self.store).read_bytes(), base64.b64encode(value))


class HandWrittenValues(ToolCase):
    """What `<uuid>.base64` may hold."""

    def served(self, content: str | bytes) -> None:
        self.secret.write(self.store)
        write_file(self.secret.value_in(self.store), content)
        self.start_and_open()

    def test_a_newline_at_the_end(self) -> None:
        self.served(base64.b64encode(KEY) + b"\n")
        self.assertServed()

    def test_a_carriage_return_and_newline_at_the_end_and_blanks_before(self) -> None:
        self.served(b"  \t" + base64.b64encode(KEY) + b"\r\n")
        self.assertServed()

    def test_lines_wrapped_as_base64_writes_them(self) -> None:
        value = os.urandom(300)
        wrapped = subprocess.run(["base64"], input=value, capture_output=True, check=True).stdout
        self.assertGreater(wrapped.count(b"\n"), 3)
        self.served(wrapped)
        self.assertServed(value)

    def test_lines_wrapped_with_carriage_returns(self) -> None:
        value = os.urandom(300)
        self.served(base64.encodebytes(value).replace(b"\n", b"\r\n"))
        self.assertServed(value)

    def test_no_file(self) -> None:
        self.secret.write(self.store)
        self.start_and_open()
        self.assertNoValue(self.root, self.secret)

    @stock_defect("!= 66")
    def test_an_empty_file(self) -> None:
        self.served("")
        self.assertNoValue(self.root, self.secret)

    @stock_defect("!= 66")
    def test_blanks_only(self) -> None:
        self.served(" \n\t\r\n")
        self.assertNoValue(self.root, self.secret)

    def test_a_link_to_a_file_elsewhere(self) -> None:
        elsewhere = self.machine.home / "key"
        write_file(elsewhere, base64.b64encode(KEY))
        self.secret.write(self.store)
        self.secret.value_in(self.store).symlink_to(elsewhere)
        self.start_and_open()
        self.assertServed()

    def test_a_value_longer_than_the_protocol_carries_leaves_the_rest_alone(self) -> None:
        other = Secret(usage="other")
        other.write(self.store, KEY)
        self.served(base64.b64encode(os.urandom(100_000)))
        self.assertListed(self.root, self.secret, other)
        self.refusal(self.value_of, self.root, self.secret)
        self.assertEqual(self.value_of(self.root, other), KEY)
