# SPDX-License-Identifier: LGPL-2.1-or-later
"""What took the key away from people with libvirt 12.1 and later, whose daemon then did not start:
each trigger that was reported, and what it is with this driver.

| reported | here |
|---|---|
| /var/lib/systemd/credential.secret was not kept, the sealed key was | LostHostSecret.test_the_secret_of_the_host_is_gone |
| /etc/machine-id is another one, so that systemd deletes credential.secret | LostHostSecret.test_the_machine_id_changed |
| a golden image: the key was sealed on the builder | LostHostSecret.test_a_clone_has_a_host_secret_of_its_own |
| reinstalled, both directories kept, but not of one time | LostHostSecret.test_a_clone_has_a_host_secret_of_its_own |
| a new TPM; another PCR policy; TPM state after an upgrade; systemd-creds crashes without TPM2; systemd chooses another kind of key at each boot | no TPM can be had here; to the daemon each is a credential that is not there: NoCredential |
| the directory of the key is missing at the first boot | NoCredential.test_the_directory_comes_later |
| the unit that makes the key fails (no /usr/bin/sh) | NoCredential.test_encryption_on_and_no_key_was_ever_made |
| containers without systemd credentials | NoCredential.test_no_credentials_at_all, test_a_directory_of_credentials_that_is_not_there |
| the key is deleted as a cure, and a new one made | CuresThatPeopleFound.test_delete_the_key_and_make_a_new_one |
| a raw key file in place of the credential | CuresThatPeopleFound.test_a_raw_key_file |
| encryption switched off | CuresThatPeopleFound.test_encryption_off |
| not one secret exists | NoSecretAtAll |
"""

import base64
import os
import re

from harness.sealed_case import SealedCase
from harness.sealed_files import KeyFile, sealed_in
from harness.secret_files import Secret, snapshot, write_file

NAME = "secrets-encryption-key"


class KeyTriggerCase(SealedCase):
    """`self.secret` is sealed, `self.plain` is not. The key is where systemd puts a credential."""

    def setUp(self) -> None:
        super().setUp()
        self.credentials = self.machine.home / "credentials"
        self.credentials.mkdir(mode=0o700)
        self.key = KeyFile.make(self.credentials / NAME)
        self.plain = Secret(usage="plain")
        self.plain.write(self.store, b"plain")
        self.store_sealed()
        (self.machine.etc / "secret.conf").unlink()

    def begin_here(self) -> None:
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.credentials)})

    def assertOnlySealedValuesAreMissing(self, *words: str) -> None:
        before = snapshot(self.store)
        self.assertServesAllBut(self.daemon, self.plain)
        self.assertValueRefused(self.key.id, "secret.conf", *words)
        self.assertEqual(snapshot(self.store), before)


class LostHostSecret(KeyTriggerCase):
    """The key is sealed with systemd-creds under the secret of the host, and unsealed beside the
    daemon, not by its unit: so that the daemon starts."""

    def setUp(self) -> None:
        super().setUp()
        self.host = self.machine.home / "systemd"
        self.host.mkdir(mode=0o700)
        self.machine_id = self.machine.home / "machine-id"
        self.become("0123456789abcdef0123456789abcdef")
        self.machine.bind_all({self.host: "/var/lib/systemd", self.machine_id: "/etc/machine-id"})
        self.sealed_key = self.machine.home / "sealed-key"
        self.systemd_creds("encrypt", "--with-key=host", str(self.key.path), str(self.sealed_key)).ok()
        self.assertEqual(self.unseal(), 0)

    def become(self, machine_id: str) -> None:
        write_file(self.machine_id, machine_id + "\n", 0o444)

    def systemd_creds(self, verb: str, *arguments: str):  # type: ignore[no-untyped-def]
        return self.machine.run("systemd-creds", verb, f"--name={NAME}", *arguments)

    def unseal(self) -> int:
        """What a unit does at boot: the key is there, or it is not."""
        self.key.path.unlink(missing_ok=True)
        done = self.systemd_creds("decrypt", str(self.sealed_key), "-")
        if done.code == 0:
            KeyFile.make(self.key.path, done.raw)
        return done.code

    def assertBootsWithoutTheKey(self) -> None:
        self.assertNotEqual(self.unseal(), 0)
        self.begin_here()
        self.assertOnlySealedValuesAreMissing()
        # a copy of the key that was kept elsewhere, and a reload
        self.key.put()
        self.configure(earlier=[self.key])
        self.daemon.reload()
        self.assertValue(b"value")

    def test_the_secret_of_the_host_is_there(self) -> None:
        self.begin_here()
        self.assertValue(b"value")

    def test_the_secret_of_the_host_is_gone(self) -> None:
        (self.host / "credential.secret").unlink()
        self.assertBootsWithoutTheKey()

    def test_the_machine_id_changed(self) -> None:
        self.become("fedcba9876543210fedcba9876543210")
        self.assertBootsWithoutTheKey()

    def test_a_clone_has_a_host_secret_of_its_own(self) -> None:
        (self.host / "credential.secret").unlink()
        self.systemd_creds("encrypt", "--with-key=host", str(self.key.path), "-").ok()
        self.assertTrue((self.host / "credential.secret").exists())
        self.assertBootsWithoutTheKey()


class NoCredential(KeyTriggerCase):
    def assertStartsWithoutTheKey(self, **environment: str) -> None:
        self.begin(env=environment)
        self.assertOnlySealedValuesAreMissing("which is not configured")
        self.assertNothingNewIsStored(f"{self.secret.uuid}.jwe", text="not stored in plain beside sealed ones")
        self.configure(encrypt=False)
        self.daemon.reload()
        self.define(self.root, Secret(usage="new"), b"asked for in plain")

    def test_no_credentials_at_all(self) -> None:
        self.assertStartsWithoutTheKey()

    def test_a_directory_of_credentials_that_is_not_there(self) -> None:
        self.assertStartsWithoutTheKey(CREDENTIALS_DIRECTORY=str(self.machine.home / "missing"))

    def test_credentials_without_this_one(self) -> None:
        self.key.path.unlink()
        self.assertStartsWithoutTheKey(CREDENTIALS_DIRECTORY=str(self.credentials))

    def test_an_empty_credential(self) -> None:
        write_file(self.key.path, b"")
        self.begin_here()
        self.assertServesAllBut(self.daemon, self.plain)
        self.assertValueRefused(self.key.id, str(self.key.path), "must hold exactly 32 bytes")
        self.assertNothingNewIsStored(str(self.key.path))

    def test_without_the_credential_and_with_encryption_asked_for(self) -> None:
        self.configure(encrypt=True)
        self.begin()
        self.assertServesAllBut(self.daemon, self.plain)
        self.assertValueRefused(self.key.id)
        self.assertNothingNewIsStored("encryption-key")

    def test_the_directory_comes_later(self) -> None:
        late = self.machine.home / "late"
        self.configure(encrypt=True, key=late / NAME)
        self.begin()
        self.assertServesAllBut(self.daemon, self.plain)
        self.assertNothingNewIsStored(str(late / NAME))
        late.mkdir()
        KeyFile.make(late / NAME, self.key.raw)
        self.daemon.reload()
        self.assertValue(b"value")

    def test_encryption_on_and_no_key_was_ever_made(self) -> None:
        """A key is never made by the driver, whether sealed values exist or not."""
        for path in self.store.iterdir():
            path.unlink()
        self.configure(encrypt=True, key=self.machine.home / "never made")
        self.begin()
        self.assertNothingNewIsStored("never made")
        self.assertFalse((self.machine.home / "never made").exists())
        self.assertEqual(list(self.store.iterdir()), [])


class CuresThatPeopleFound(KeyTriggerCase):
    def test_delete_the_key_and_make_a_new_one(self) -> None:
        """The sealed value outlives the cure: reading says what is wanted, setting quarantines it."""
        right = KeyFile.make(self.machine.home / "kept elsewhere", self.key.raw)
        before = sealed_in(self.store, self.secret).read_bytes()
        self.key = KeyFile.make(self.key.path)
        self.begin_here()
        self.assertValueRefused(right.id)
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertValue(b"new")
        quarantined = self.store / f"{self.secret.uuid}.jwe.aside-1"
        self.assertEqual(quarantined.read_bytes(), before)
        # found again, the old key serves beside the new one
        quarantined.rename(sealed_in(self.store, self.secret))
        self.configure(earlier=[right])
        self.restart(env={"CREDENTIALS_DIRECTORY": str(self.credentials)})
        self.assertValue(b"value")

    def test_a_raw_key_file(self) -> None:
        raw = KeyFile.make(self.machine.home / "raw", self.key.raw)
        self.key.path.unlink()
        self.configure(key=raw)
        self.begin_here()
        self.assertValue(b"value")

    def test_encryption_off(self) -> None:
        """The key goes on opening what is sealed, as long as there is one."""
        self.configure(encrypt=False)
        self.begin_here()
        self.assertValue(b"value")
        new = Secret(usage="new")
        self.define(self.root, new, b"new")
        self.assertPlain(b"new", new)
        self.key.path.unlink()
        self.restart(env={"CREDENTIALS_DIRECTORY": str(self.credentials)})
        self.assertOnlySealedValuesAreMissing()
        self.assertValue(b"new", new)

    def test_no_key_is_needed_for_values_that_deployment_tools_write(self) -> None:
        self.key.path.unlink()
        self.configure(encrypt=True)
        self.begin_here()
        write_file(self.plain.value_in(self.store), base64.b64encode(b"rotated") + b"\n")
        self.daemon.reload()
        self.assertValue(b"rotated", self.plain)


class NoSecretAtAll(SealedCase):
    def test_a_daemon_without_secrets_needs_no_key(self) -> None:
        self.key.path.unlink()
        self.configure(encrypt=True, key=self.key)
        self.begin()
        self.assertListed(self.root)
        self.assertMemoryOnlyWorks()
        said = [line for line in self.daemon.log().splitlines() if re.search("key", line)]
        self.assertEqual(len(said), 1, said)

    def test_in_the_session_instance_of_a_user(self) -> None:
        user = self.machine.one
        settings = user.store.parent / "secret.conf"
        settings.parent.mkdir(parents=True)
        write_file(settings, "encrypt_data = 1\n")
        user.owns(settings.parent, settings)
        self.daemon = self.start(user=user)
        self.root = self.daemon.open()
        self.assertMemoryOnlyWorks()
        new = Secret(usage="new")
        error = self.refusal(self.define, self.root, new, b"value")
        self.assertIn(f"{user.home}/runtime/libvirt/secrets/encryption-key", str(error))
        self.assertEqual([path.name for path in user.store.iterdir() if not path.name.endswith(".xml")],
                         [], os.listdir(user.store))
