# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold check: each finding comes, and goes once its cause has."""

import json
import os
import pty
import shutil
import signal
from pathlib import Path

from harness.check_case import CRITICAL, GOOD, NAMES, UNKNOWN, WARNING, CheckCase
from harness.keyhold import wait_stopped
from harness.sealed_files import KeyFile, sealed_in
from harness.secret_files import Secret, write_file
from harness.settings import settings


class Check(CheckCase):
    def test_all_is_well(self) -> None:
        self.assertFound(GOOD)

    def shown(self, **env: str) -> bytes:
        """On a terminal."""
        screen, terminal = pty.openpty()
        try:
            self.machine.popen(settings().command, "check", env=self.environment(env),
                               stdout=terminal).wait(settings().patience)
            return os.read(screen, 65536)
        finally:
            os.close(screen)
            os.close(terminal)

    def test_colours_are_for_terminals_that_have_them(self) -> None:
        self.assertIn(b": \33[32mok\33[0m, ", self.shown(TERM="xterm"))
        for env in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertIn(b": ok, ", self.shown(**env))
        self.assertIn(": ok, ", self.check(TERM="xterm").out)

    def test_plain_values_where_encryption_is_on(self) -> None:
        self.configure()
        self.assertFound(WARNING, "plain")
        self.keyhold.run("seal").ok()
        self.assertFound(GOOD)

    def test_plain_values_that_are_meant(self) -> None:
        self.configure()
        conf = self.etc / "secret.conf"
        write_file(conf, conf.read_text() + 'plain_values = "accept"\n')
        self.assertFound(GOOD)

    def note(self, text: str) -> None:
        write_file(self.etc / "secret.conf", text)

    def test_a_rotation_that_is_not_finished(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.note(f'secrets_encryption_key = "{self.other_key.path}" # keyhold: the rotation to it is not done\n'
                  f'secrets_decryption_keys = [ "{self.key.path}" ]\n')
        self.assertFound(WARNING, "unfinished")
        self.assertIn("3 values are still under an earlier key; 'keyhold encrypt rotate' goes on", self.check().out)
        self.assertIn('kind="unfinished",severity="warning"} 1\n', self.check("--prometheus").out)
        self.assertEqual(self.keyhold.findings(), [("unfinished", "")])
        self.keyhold.run("encrypt", "rotate").ok()
        self.assertFound(GOOD)
        self.assertEqual(self.keyhold.findings(), [])

    def test_a_switch_off_that_is_not_finished(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        process = self.keyhold.start_stopped("encrypt", "off", at_sync=6)
        pid = wait_stopped(self.machine.state / "driver.pid")
        os.kill(pid, signal.SIGKILL)
        process.wait()
        found = self.found()[1]
        self.assertIn((NAMES[WARNING], "unfinished"), found)
        self.assertIn("still encrypted; 'keyhold encrypt off' goes on", self.check().out)
        self.keyhold.run("encrypt", "off").ok()
        self.assertFound(GOOD)
        self.assertNotIn("# keyhold", (self.etc / "secret.conf").read_text())

    def test_a_lost_key_is_one_line(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.configure(self.other_key)
        [store] = json.loads(self.check("--json").out)["stores"]
        self.assertEqual([each["count"] for each in store["causes"]], [self.COUNT])
        self.assertFound(CRITICAL, "missing-key")
        self.configure()
        self.assertFound(GOOD)

    def test_new_values_are_refused(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.key.path.rename(self.machine.home / "away")
        self.assertKeyIsOneLine()
        (self.machine.home / "away").rename(self.key.path)
        self.assertFound(GOOD)

    def test_a_lost_key_is_one_line_beside_a_daemon(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.key.path.unlink()
        self.start()
        self.assertKeyIsOneLine()

    def test_values_are_refused_where_none_is_sealed(self) -> None:
        self.configure()
        for path in self.store.iterdir():
            path.unlink()
        self.key.path.unlink()
        self.assertFound(CRITICAL, "refused")

    def assertKeyIsOneLine(self) -> None:
        self.assertFound(CRITICAL, "missing-key")
        self.assertIn("; new values are refused, too", self.check().out)
        for said in (self.check().out, self.keyhold.run("status").ok()):
            [line] = [line for line in said.splitlines() if str(self.key.path) in line]
            self.assertIn(f" and {self.COUNT - 1} more: is sealed with key '{self.key.id}'", line)

    def test_settings_that_do_not_count(self) -> None:
        conf = self.etc / "secret.conf"
        for text in ("encrypt_date = 1\n", "encrypt_data = 0\nencrypt_data = 0\n"):
            write_file(conf, text)
            self.assertFound(WARNING, "settings")
        write_file(conf, "encrypt_data = 0\n")
        self.assertFound(GOOD)

    def test_key_in_the_store(self) -> None:
        key = KeyFile.make(self.store / "key")
        self.configure(key)
        self.keyhold.run("seal").ok()
        self.assertFound(WARNING, "key-file")
        key.path.rename(self.key.path)
        self.configure()
        self.assertFound(GOOD)

    def test_key_that_is_copied_with_the_store(self) -> None:
        (self.etc / "keys").mkdir(mode=0o700)
        for place in (self.etc / "key", self.etc / "keys/key"):
            shutil.copy(self.key.path, place)
            write_file(self.etc / "secret.conf", f'secrets_encryption_key = "/etc/libvirt/{place.relative_to(self.etc)}"\n')
            self.keyhold.run("seal").ok()
            self.assertFound(WARNING, "key-file")
            self.assertIn("is below '/etc/libvirt', as the values are", self.check().out)
        self.configure()
        self.assertFound(GOOD)

    def test_directories_above_that_others_can_write(self) -> None:
        self.etc.chmod(0o775)
        self.assertFound(WARNING, "directory")
        self.assertIn("'/etc/libvirt' can be written by other users", self.check().out)
        self.etc.chmod(0o755)
        self.assertFound(GOOD)
        root = self.machine.home / "root"
        Secret().write(root / "etc/secrets", b"value")
        write_file(root / "etc/secret.conf", "encrypt_data = 0\n")
        for directory in (root / "etc", root):
            directory.chmod(0o777)
            self.assertIn(f"'{directory}' can be written by other users", self.check("--root", str(root)).out)
            directory.chmod(0o755)
        self.assertFound(GOOD, options=("--root", str(root)))

    def test_key_where_others_can_write(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.machine.home.chmod(0o777)
        self.assertFound(WARNING, "key-file")
        self.machine.home.chmod(0o755)
        self.assertFound(GOOD)

    def test_modes(self) -> None:
        self.store.chmod(0o755)
        self.assertFound(WARNING, "directory")
        self.assertFound(GOOD, options=("--expect-mode", "0755"))
        self.store.chmod(0o700)
        self.assertFound(WARNING, "directory", options=("--expect-mode", "0755"))
        for path in (self.secrets[0].value_in(self.store), self.secrets[0].xml_in(self.store)):
            path.chmod(0o666)
            self.assertFound(WARNING, "mode")
            path.chmod(0o600)
        write_file(self.etc / "secret.conf", "", 0o666)
        os.chmod(self.etc / "secret.conf", 0o666)
        self.assertFound(WARNING, "mode")
        (self.etc / "secret.conf").chmod(0o600)
        self.assertFound(GOOD)

    def test_owners(self) -> None:
        paths = (self.store, *self.store.iterdir())
        self.machine.one.owns(*paths)
        self.assertFound(WARNING, "owner")
        self.assertFound(GOOD, options=("--expect-owner", str(self.machine.one.uid)))
        for path in paths:
            os.chown(path, 0, 0)
        self.assertFound(GOOD)
        self.assertFound(WARNING, "owner", options=("--expect-owner", "one"))

    def test_copies_of_plain_values(self) -> None:
        value = self.secrets[0].value_in(self.store)
        for ending in (".aside-1", ".bak", ".keyhold-new"):
            copy = value.with_name(value.name + ending)
            write_file(copy, value.read_bytes())
            self.assertFound(WARNING, "plain-copy")
            copy.unlink()
            self.assertFound(GOOD)

    def test_other_files_with_values_or_keys(self) -> None:
        value = self.secrets[0].value_in(self.store)
        for name in (f".{value.name}.swp", f"{value.name}~", f"#{value.name}#", "foo.base64", "notes"):
            self.assertComesAndGoes(WARNING, "plain-copy", self.store / name, value.read_bytes())
        self.assertComesAndGoes(WARNING, "key-file", self.store / "key", self.key.path.read_bytes())
        archive = self.store / "backup.tar"
        self.keyhold.run("backup", "--plain", str(archive)).ok()
        self.assertFound(WARNING, "plain-copy")
        self.assertIn("is an archive with values in plain", self.check().out)
        self.configure()
        self.assertIn("/secrets/backup.tar' is an archive", self.keyhold.run("encrypt", "on").out)
        archive.unlink()
        self.assertFound(GOOD)

    def test_a_library_that_is_not_there(self) -> None:
        module = self.machine.home / "modules/libvirt_driver_secret.so"
        module.parent.mkdir()
        content = (Path(settings().secret_only) / module.name).read_bytes()
        module.write_bytes(content.replace(b"libgnutls.so.30\0", b"libgnutls.so.99\0"))
        self.assertFound(CRITICAL, "library", LIBVIRT_DRIVER_DIR=str(module.parent))
        module.write_bytes(content)
        self.assertFound(GOOD, LIBVIRT_DRIVER_DIR=str(module.parent))

    def fill(self, options: str, command: str, severity: int, kind: str) -> None:
        """Runs the command in a store on a file system of its own, and takes away what it made."""
        store = "/etc/libvirt/secrets"
        self.machine.run("mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "none", store).ok()
        self.assertFound(GOOD)
        self.machine.run("sh", "-c", f"umask 077; cd {store}; {command}").ok()
        self.assertFound(severity, kind)
        self.assertRegex(self.check().out, f"^{NAMES[severity]}: {kind}: ")
        self.assertIn(f'kind="{kind}",severity="{NAMES[severity]}"}} 1\n', self.check("--prometheus").out)
        self.machine.run("sh", "-c", f"rm {store}/.x*").ok()
        self.assertFound(GOOD)
        self.machine.unmount(store)

    def test_space_and_inodes(self) -> None:
        self.fill("size=4m", "head -c 4064k /dev/zero >.x", CRITICAL, "no-space")
        self.fill("size=4m", "head -c 3968k /dev/zero >.x", WARNING, "little-space")
        self.fill("nr_inodes=1000", "touch $(seq -f .x%g 995)", CRITICAL, "no-inodes")
        self.fill("nr_inodes=1000", "touch $(seq -f .x%g 970)", WARNING, "few-inodes")

    def test_a_store_that_nobody_can_change(self) -> None:
        store = "/etc/libvirt/secrets"
        self.machine.run("mount", "-t", "tmpfs", "-o", "mode=0700,size=64k", "none", store).ok()
        self.machine.run("mount", "-o", "remount,ro", store).ok()
        self.assertFound(CRITICAL, "read-only")
        self.machine.run("mount", "-o", "remount,rw,size=64m", store).ok()
        self.assertFound(GOOD)
        self.machine.unmount(store)
        for attribute in ("i", "a"):
            self.machine.run("chattr", f"+{attribute}", str(self.store)).ok()
            try:
                self.assertFound(CRITICAL, "read-only")
                self.assertIn("can be neither set nor sealed; chattr -ia it", self.check().out)
            finally:
                self.machine.run("chattr", "-ia", str(self.store)).ok()
            self.assertFound(GOOD)

    def assertComesAndGoes(self, severity: int, kind: str, path: Path, content: str | bytes) -> None:
        """With a file, which may be there already."""
        before = path.read_bytes() if path.exists() else None
        write_file(path, content)
        self.assertComes(severity, kind)
        if before is None:
            path.unlink()
        else:
            write_file(path, before)
        self.assertFound(GOOD)

    def test_files_of_secrets(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        one, two, _ = self.secrets
        sealed = sealed_in(self.store, one)
        text = sealed.read_bytes()
        self.assertComesAndGoes(CRITICAL, "definition", one.xml_in(self.store), "<secret>")
        self.assertComesAndGoes(CRITICAL, "definition", self.store / f"{one.uuid.upper()}.xml", one.xml)
        self.assertComesAndGoes(CRITICAL, "definition", one.xml_in(self.store), two.xml)
        self.assertComesAndGoes(CRITICAL, "damaged", sealed, text[:-1])
        self.assertComesAndGoes(WARNING, "shadowed", self.store / f"{one.uuid}.aes256cbc", "x")
        self.assertComesAndGoes(WARNING, "orphan", sealed_in(self.store, Secret()), text)
        self.assertComesAndGoes(WARNING, "leftover", self.store / f"{one.uuid}.jwe.keyhold-new", text)
        self.assertComesAndGoes(WARNING, "aside", self.store / f"{one.uuid}.jwe.aside-1", text)
        self.assertComesAndGoes(WARNING, "unknown", self.store / f"{one.uuid}.jwe~", text)

    def test_a_line_for_every_file(self) -> None:
        self.configure()
        copies = [self.store / f"{secret.uuid}.base64.bak" for secret in self.secrets]
        for path in copies:
            write_file(path, "dmFsdWU=")
        self.assertFound(WARNING, "plain", "plain-copy")
        self.assertEqual(self.check().out.count("warning: "), 2)
        lines = self.check("--verbose").out.splitlines()
        for path in (*copies, *(secret.value_in(self.store) for secret in self.secrets)):
            kind = "plain-copy" if path in copies else "plain"
            name = f"/etc/libvirt/secrets/{path.name}"
            self.assertEqual(sum(line.startswith(f"warning: {kind}: '{name}' ") for line in lines), 1, lines)
        self.assertEqual(len(lines), 2 * self.COUNT + 1)
        [store] = json.loads(self.check("--json", "--verbose").out)["stores"]
        self.assertEqual(len(store["findings"]), 2 * self.COUNT)
        self.assertEqual(sum(cause["count"] for cause in store["causes"]), 2 * self.COUNT)

    def test_a_user_who_cannot_see(self) -> None:
        self.keyhold.user = self.machine.one
        done = self.check()
        self.assertEqual(done.code, UNKNOWN)
        self.assertIn("run the check as root", done.out)
        self.assertNotIn("keyhold_secrets", self.check("--prometheus").out)
        self.keyhold.user = None
        self.assertFound(GOOD)

    def test_wrong_options_are_unknown(self) -> None:
        self.assertEqual(self.check("--nagois").code, UNKNOWN)
        self.assertEqual(self.check("--expect-mode", "rwx").code, UNKNOWN)

    def test_nagios(self) -> None:
        self.assertRegex(self.check("--nagios").out, r"\AKEYHOLD OK - [^|]* \| secrets=3 unreadable=0 plain=3 free=\d+B\n\Z")
        self.configure()
        self.assertRegex(self.check("--nagios").out, r"\AKEYHOLD WARNING - plain: 3 values [^|]* \| .*\nwarning: plain: 3 ")

    def test_prometheus(self) -> None:
        self.configure()
        metrics = self.check("--prometheus").out
        self.assertRegex(metrics, r'(?m)^keyhold_findings\{.*kind="plain",severity="warning"\} 3$')
        self.assertPromtoolAccepts(metrics)

    def test_a_store_named_twice_has_its_metrics_once(self) -> None:
        root = self.machine.home / "root"
        Secret().write(root / "etc/secrets", b"value")
        metrics = self.check("--prometheus", "--root", str(root), "--root", f"{root}/", "--system", "--system").out
        self.assertEqual(metrics.count("keyhold_secrets{"), 2)
        self.assertPromtoolAccepts(metrics)

    def assertPromtoolAccepts(self, metrics: str) -> None:
        done = self.machine.run("promtool", "check", "metrics", stdin=metrics)
        self.assertEqual((done.code, done.out + done.err), (0, ""))
