# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold check: each finding comes, and goes once its cause has."""

import json
import os
import shutil
from pathlib import Path

from harness.command_case import CommandCase
from harness.machine import Result
from harness.sealed_files import KeyFile
from harness.secret_files import write_file
from harness.settings import settings

GOOD, WARNING, CRITICAL, UNKNOWN = range(4)


class CheckCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.store.chmod(0o700)

    def check(self, *options: str, **env: str) -> Result:
        return self.keyhold.run("check", *options, env={"LIBVIRT_DRIVER_DIR": settings().secret_only, **env})

    def assertFound(self, severity: int, *kinds: str, options: tuple[str, ...] = (), **env: str) -> None:
        done = self.check("--json", *options, **env)
        told = json.loads(done.out)
        [store] = told["stores"]
        found = [cause["kind"] for cause in store["causes"]]
        self.assertEqual((done.code, found), (severity, list(kinds)), done.out)
        self.assertEqual(told["exit"], severity)


class Check(CheckCase):
    def test_all_is_well(self) -> None:
        self.assertFound(GOOD)

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

    def test_a_lost_key_is_one_line(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.configure(self.other_key)
        [store] = json.loads(self.check("--json").out)["stores"]
        self.assertEqual([(each["kind"], each["count"]) for each in store["causes"]], [("missing-key", self.COUNT)])
        self.configure()
        self.assertFound(GOOD)

    def test_new_values_are_refused(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.key.path.rename(self.machine.home / "away")
        self.assertEqual(self.check().code, CRITICAL)
        self.assertIn("critical: refused:", self.check().out)
        (self.machine.home / "away").rename(self.key.path)
        self.assertFound(GOOD)

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

    def test_a_library_that_is_not_there(self) -> None:
        module = self.machine.home / "modules/libvirt_driver_secret.so"
        module.parent.mkdir()
        content = (Path(settings().secret_only) / module.name).read_bytes()
        module.write_bytes(content.replace(b"libgnutls.so.30\0", b"libgnutls.so.99\0"))
        self.assertFound(CRITICAL, "library", LIBVIRT_DRIVER_DIR=str(module.parent))
        module.write_bytes(content)
        self.assertFound(GOOD, LIBVIRT_DRIVER_DIR=str(module.parent))

    def test_a_full_file_system(self) -> None:
        for options in ("size=64k", "nr_inodes=8"):
            self.machine.run("mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "none", "/etc/libvirt/secrets").ok()
            self.machine.run("sh", "-c", "umask 077; head -c 8k /dev/zero >/etc/libvirt/secrets/.x").ok()
            self.assertFound(CRITICAL, "full")
            self.machine.unmount("/etc/libvirt/secrets")
        self.assertFound(GOOD)

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
        done = self.machine.run("promtool", "check", "metrics", stdin=metrics)
        self.assertEqual((done.code, done.out + done.err), (0, ""))


class CheckBesideADaemon(CheckCase):
    def test_the_store_has_gone_or_was_exchanged(self) -> None:
        self.start()
        self.assertFound(GOOD)
        away = self.etc / "away"
        self.store.rename(away)
        self.assertFound(CRITICAL, "store")
        self.store.mkdir(mode=0o700)
        self.assertFound(CRITICAL, "store")
        shutil.rmtree(self.store)
        away.rename(self.store)
        self.assertFound(GOOD)

    def test_there_is_no_store(self) -> None:
        shutil.rmtree(self.store)
        self.assertFound(UNKNOWN, "unseen")
