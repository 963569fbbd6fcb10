# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold key: generate, show-id, export."""

import json
import stat
from pathlib import Path
from typing import Any

from harness.case import SystemCase
from harness.keyhold import Keyhold
from harness.machine import Result
from harness.sealed_files import KeyFile, sealed_in, secret_conf
from harness.secret_files import Secret, write_file
from harness.settings import settings


class Keys(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.keyhold = Keyhold(self.machine)
        self.place = self.machine.etc / "key"

    def configure(self, **more: Any) -> None:
        text = secret_conf(key=Path("/etc/libvirt/key"), **more)
        write_file(self.machine.etc / "secret.conf", text)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.machine.etc.iterdir())

    def test_generate_makes_a_key_file(self) -> None:
        made = self.keyhold.json("key", "generate", str(self.place))
        self.assertEqual(made["file"], str(self.place))
        self.assertEqual(self.place.stat().st_size, 32)
        self.assertEqual(stat.S_IMODE(self.place.stat().st_mode), 0o600)
        self.assertEqual(self.files(), ["key"])
        other = self.keyhold.json("key", "generate", str(self.machine.etc / "other"))
        self.assertNotEqual(made["id"], other["id"])

    def test_generate_makes_the_one_that_secret_conf_names(self) -> None:
        self.configure()
        self.assertEqual(self.keyhold.json("key", "generate")["file"], "/etc/libvirt/key")
        self.assertEqual(self.keyhold.status("--root", str(self.root()))["secrets"], 0)

    def root(self) -> Path:
        root = self.machine.home / "root"
        (root / "etc/secrets").mkdir(parents=True, mode=0o700)
        return root

    def test_generate_never_overwrites(self) -> None:
        for make in (lambda: KeyFile.make(self.place), lambda: self.place.symlink_to("nowhere"),
                     lambda: self.place.mkdir(), lambda: self.place.write_bytes(b"")):
            make()
            before = self.place.lstat()
            self.assertIn("stays as it is",
                          self.keyhold.run("key", "generate", str(self.place)).failed())
            self.assertEqual(self.place.lstat().st_ino, before.st_ino)
            self.assertEqual(self.files(), ["key"])
            self.place.rmdir() if self.place.is_dir() else self.place.unlink()

    def generate_with(self, injection: str) -> Result:
        return self.machine.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=linkat", "-e",
                                f"inject=linkat:{injection}", settings().command, "key", "generate", str(self.place))

    def test_generate_where_there_are_no_hard_links(self) -> None:
        for error in ("EPERM", "EOPNOTSUPP"):
            self.assertIn(str(self.place), self.generate_with(f"error={error}").ok())
            self.assertEqual((self.place.stat().st_size, stat.S_IMODE(self.place.stat().st_mode)), (32, 0o600))
            key = self.place.read_bytes()
            self.assertIn("stays as it is", self.generate_with(f"error={error}").failed())
            self.assertEqual(self.place.read_bytes(), key)
            self.assertEqual(self.files(), ["key"])
            self.place.unlink()

    def test_what_a_killed_run_left_goes(self) -> None:
        self.assertNotIn(self.generate_with("signal=KILL").code, (0, 2))
        [staged] = self.files()
        self.assertNotEqual(staged, "key")
        self.keyhold.json("key", "generate", str(self.place))
        self.assertEqual(self.files(), ["key"])

    def test_generate_refuses_the_place_of_a_lost_key(self) -> None:
        self.configure()
        KeyFile.make(self.place)
        secret = Secret()
        secret.write(self.machine.store, b"value")
        self.keyhold.json("seal")
        self.place.unlink()
        for arguments in ((), ("/etc/libvirt/key",), ("/etc/libvirt/../libvirt/key",)):
            refusal = self.keyhold.run("key", "generate", *arguments).failed()
            self.assertIn(sealed_in(self.machine.store, secret).name, refusal)
            self.assertFalse(self.place.exists())
        self.keyhold.run("key", "generate", "/etc/libvirt/another").ok()

    def test_generate_without_a_place(self) -> None:
        self.assertIn("name the file", self.keyhold.run("key", "generate").failed())

    def test_show_id_names_the_keys_of_secret_conf(self) -> None:
        current = KeyFile.make(self.place)
        earlier = KeyFile.make(self.machine.home / "earlier")
        self.configure(earlier=[earlier])
        self.assertEqual(self.keyhold.json("key", "show-id")["keys"], [
            {"file": "/etc/libvirt/key", "id": current.id, "use": "current"},
            {"file": str(earlier.path), "id": earlier.id, "use": "earlier"},
        ])

    def test_a_key_that_may_not_be_the_current_one_is_not_called_so(self) -> None:
        credential = KeyFile.make(self.machine.home / "secrets-encryption-key")
        write_file(self.machine.etc / "secret.conf", 'secrets_encryption_key = "key"\n')
        env = {"CREDENTIALS_DIRECTORY": str(self.machine.home)}
        for arguments in (("key", "show-id"), ("key", "generate")):
            self.assertIn("'secrets_encryption_key' is not an absolute path",
                          self.keyhold.run(*arguments, env=env).err)
        self.assertEqual(self.keyhold.json("key", "show-id", env=env)["keys"], [
            {"file": str(credential.path), "id": credential.id, "use": "earlier"},
        ])

    def test_show_id_of_what_is_no_key(self) -> None:
        write_file(self.place, "x" * 33)
        result = self.keyhold.run("key", "show-id", str(self.place))
        self.assertEqual(result.code, 2)
        self.assertIn(str(self.place), result.err)

    def test_jose_opens_a_sealed_value_with_the_exported_key(self) -> None:
        self.configure()
        KeyFile.make(self.place)
        secret = Secret()
        secret.write(self.machine.store, b"a value for jose")
        self.keyhold.json("seal")
        exported = self.keyhold.run("key", "export", "--jwk")
        jwk = json.loads(exported.ok())
        self.assertIn("keep it as the key file", exported.err)
        self.assertNotIn(jwk["k"], exported.err)
        [key] = self.keyhold.json("key", "show-id")["keys"]
        self.assertEqual(jwk["kid"], key["id"])
        (self.machine.home / "jwk").write_text(exported.out)
        opened = self.machine.run("jose", "jwe", "dec", "-i",
                                  str(sealed_in(self.machine.store, secret)), "-k",
                                  str(self.machine.home / "jwk"), "-O", "-")
        self.assertEqual(opened.ok(), "a value for jose")

    def test_export_needs_the_word_jwk_and_a_key(self) -> None:
        self.configure()
        self.assertIn("/etc/libvirt/key", self.keyhold.run("key", "export", "--jwk").failed())
        KeyFile.make(self.place)
        self.assertIn("--jwk", self.keyhold.run("key", "export").failed())

    def test_ids_and_refusals_hold_no_key(self) -> None:
        self.configure()
        self.place.write_bytes(b"K" * 32)
        self.place.chmod(0o600)
        jwk = json.loads(self.keyhold.run("key", "export", "--jwk").ok())
        for command in (("status",), ("verify",), ("key", "show-id"), ("key", "generate")):
            result = self.keyhold.run(*command)
            self.assertNotIn("KKKK", result.out + result.err)
            self.assertNotIn(jwk["k"], result.out + result.err)
