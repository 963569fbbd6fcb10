# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sealed values in embedded roots: whose secret.conf counts, and what a program without a daemon sees."""

import base64

from harness.machine import Result, User
from harness.sealed_case import SealedCase
from harness.sealed_files import key_id_of, sealed_in, secret_conf
from harness.secret_files import Secret, write_file
from harness.settings import settings


class EmbeddedRoot(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.root_directory = self.machine.home / "root"
        self.root_store = self.root_directory / "etc/secrets"
        (self.root_directory / "etc").mkdir(parents=True)

    def try_virsh(self, *command: str, user: User | None = None) -> Result:
        return self.machine.run("virsh", "-q", "-c", f"secret:///embed?root={self.root_directory}",
                                *command, user=user, env={"LIBVIRT_DRIVER_DIR": settings().secret_only})

    def virsh(self, *command: str, user: User | None = None) -> str:
        return self.try_virsh(*command, user=user).ok()

    def own_settings(self, **options: object) -> None:
        write_file(self.root_directory / "etc/secret.conf", secret_conf(**options))  # type: ignore[arg-type]

    def store_value(self, user: User | None = None) -> None:
        definition = self.machine.home / "definition.xml"
        write_file(definition, self.secret.xml, 0o644)
        self.virsh("secret-define", str(definition), user=user)
        self.virsh("secret-set-value", self.secret.uuid, "--base64", "dmFsdWU=", user=user)

    def assertRead(self, user: User | None = None) -> None:
        self.assertEqual(self.virsh("secret-get-value", self.secret.uuid, user=user), "dmFsdWU=")

    def test_its_own_secret_conf_goes_before_that_of_the_system(self) -> None:
        self.configure(key=self.new_key("of the system"))
        self.own_settings(key=self.key)
        self.store_value()
        self.assertEqual(key_id_of(sealed_in(self.root_store, self.secret)), self.key.id)
        self.assertRead()

    def test_without_one_that_of_the_system_counts_for_root(self) -> None:
        self.configure(key=self.key)
        self.store_value()
        self.assertEqual(key_id_of(sealed_in(self.root_store, self.secret)), self.key.id)
        self.assertRead()

    def test_without_one_that_of_the_user_counts_for_a_user(self) -> None:
        user = self.machine.one
        self.configure(key=self.new_key("of the system"))
        key = self.new_key("one/key")
        of_user = user.store.parent / "secret.conf"
        of_user.parent.mkdir(parents=True)
        write_file(of_user, secret_conf(key=key))
        user.owns(key.path, of_user.parent, of_user, self.root_directory, self.root_directory / "etc")
        self.store_value(user)
        self.assertEqual(key_id_of(sealed_in(self.root_store, self.secret)), key.id)
        self.assertRead(user)

    def test_an_empty_one_keeps_values_plain(self) -> None:
        self.configure(key=self.key)
        self.own_settings()
        self.store_value()
        self.assertFormats("base64", store=self.root_store)

    def test_one_that_is_a_link_to_nowhere_keeps_new_values_out(self) -> None:
        for system in ({}, {"key": self.key}):
            self.configure(**system)
            conf = self.root_directory / "etc/secret.conf"
            conf.unlink(missing_ok=True)
            conf.symlink_to("away/secret.conf")
            secret = Secret()
            secret.write(self.root_store)
            refused = self.try_virsh("secret-set-value", secret.uuid, "--base64", "dmFsdWU=")
            self.assertIn(f"'{conf}' cannot be used: it is a link to 'away/secret.conf', which is not there",
                          refused.failed())
            self.assertEqual({path.suffix for path in self.root_store.iterdir()}, {".xml"})
            status = self.machine.run(settings().command, "status", "--root", str(self.root_directory)).ok()
            self.assertIn("new values    refused", status)
            self.assertIn("it is a link to 'away/secret.conf', which is not there", status)

    def test_an_open_writes_anew_what_is_under_an_earlier_key(self) -> None:
        self.own_settings(key=self.key)
        self.store_value()
        new = self.new_key("new")
        self.own_settings(key=new, earlier=[self.key])
        self.virsh("secret-list")
        self.assertEqual(key_id_of(sealed_in(self.root_store, self.secret)), new.id)
        self.own_settings(key=new)
        self.assertRead()

    def test_an_open_takes_values_back_to_plain(self) -> None:
        self.own_settings(key=self.key)
        self.store_value()
        self.own_settings(encrypt=False, earlier=[self.key], unseal_existing=1)
        self.virsh("secret-list")
        self.assertFormats("base64", store=self.root_store)
        self.assertEqual(self.secret.value_in(self.root_store).read_bytes(), base64.b64encode(b"value"))

    def test_an_open_seals_plain_values_if_it_is_told_to(self) -> None:
        self.secret.write(self.root_store, b"value", newline=True)
        self.own_settings(key=self.key)
        self.virsh("secret-list")
        self.assertFormats("base64", store=self.root_store)
        self.own_settings(key=self.key, seal_existing=1)
        self.assertRead()
        self.assertFormats("jwe", store=self.root_store)

    def test_without_the_key_it_opens_and_lists(self) -> None:
        self.own_settings(key=self.key)
        self.store_value()
        self.key.path.unlink()
        self.assertIn(self.secret.uuid, self.virsh("secret-list"))
        error = self.try_virsh("secret-get-value", self.secret.uuid).failed()
        for word in (self.key.id, str(self.key.path), sealed_in(self.root_store, self.secret).name):
            self.assertIn(word, error)
        error = self.try_virsh("secret-set-value", self.secret.uuid, "--base64", "bmV3").failed()
        self.assertIn("values must be encrypted and there is no key to do it with", error)
        self.assertFormats("jwe", store=self.root_store)

    def test_a_sealed_file_of_no_bytes_is_no_value(self) -> None:
        self.own_settings(key=self.key)
        self.secret.write(self.root_store)
        self.put_sealed_nothing(self.root_store)
        self.assertIn("does not have a value",
                      self.try_virsh("secret-get-value", self.secret.uuid).failed())

    def test_an_empty_value_removes_the_sealed_one(self) -> None:
        """No connection to a daemon carries an empty value."""
        self.own_settings(key=self.key)
        self.store_value()
        self.machine.run(
            "/usr/bin/python3", "-c", "import libvirt, sys\n"
            "libvirt.virEventRegisterDefaultImpl()\n"
            "connection = libvirt.open(sys.argv[1])\n"
            "connection.secretLookupByUUIDString(sys.argv[2]).setValue(b'')\n",
            f"secret:///embed?root={self.root_directory}", self.secret.uuid,
            env={"LIBVIRT_DRIVER_DIR": settings().secret_only}).ok()
        self.assertFormats(store=self.root_store)
        self.assertIn("does not have a value",
                      self.try_virsh("secret-get-value", self.secret.uuid).failed())
