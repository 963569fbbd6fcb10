# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret:///system and secret+unix:///system: the sockets of the system daemon."""

from every_call import EveryCall
from harness.daemon import loaded
from harness.secret_files import Secret
from harness.settings import MODULE_NAME, settings
from remote_case import RemoteCase

SHORT, LONG = "secret:///system", "secret+unix:///system"


class SystemCase(RemoteCase):
    configuration = ""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.serve(configuration=cls.configuration)


class SystemUri(EveryCall, SystemCase):
    uri = SHORT

    def test_the_daemon_serves_with_the_module_under_test(self) -> None:
        self.assertEqual(loaded(self.daemon.pid, MODULE_NAME), {settings().module.stat().st_ino})


class SystemUriWithItsTransport(EveryCall, SystemCase):
    uri = LONG


class UserOfTheSystemUri(EveryCall, SystemCase):
    """An unprivileged user, on the socket for reading and writing."""

    uri = SHORT

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.user = cls.machine.one


class UserOfTheSystemUriWithItsTransport(UserOfTheSystemUri):
    uri = LONG


class ReadOnlySocket(SystemCase):
    """An unprivileged user, who may open no other socket."""

    configuration = 'unix_sock_rw_perms = "0700"\n'

    def virsh(self, uri: str, *command: str) -> str:
        return self.machine.virsh(*command, uri=uri, readonly=True, user=self.machine.one).ok()

    def test_definitions_are_listed_and_dumped(self) -> None:
        for uri in (SHORT, LONG):
            with self.subTest(uri=uri):
                self.assertIn(self.secret.uuid, self.virsh(uri, "secret-list"))
                self.assertEqual(self.virsh(uri, "secret-dumpxml", self.secret.uuid),
                                 self.secret.xml.strip())

    def test_values_and_changes_are_refused_even_to_a_client_that_asks_for_more(self) -> None:
        new = Secret(usage="new")
        definition = self.machine.home / "new.xml"
        definition.write_text(new.xml)
        for uri in (SHORT, LONG):
            for socket, readonly in (("", True), ("?socket=/run/libvirt/libvirt-sock-ro", False)):
                for command, call in (
                        (("secret-get-value", self.secret.uuid), "virSecretGetValue"),
                        (("secret-set-value", self.secret.uuid, "--base64", "AAAA"), "virSecretSetValue"),
                        (("secret-undefine", self.secret.uuid), "virSecretUndefine"),
                        (("secret-define", str(definition)), "virSecretDefineXML")):
                    with self.subTest(uri=uri + socket, call=call):
                        done = self.machine.virsh(*command, uri=uri + socket, readonly=readonly,
                                                  user=self.machine.one)
                        self.assertIn(f"operation forbidden: read only access prevents {call}",
                                      done.failed())
        self.assertListed(self.daemon.open(), self.secret)
        self.assertEqual(self.value_of(self.daemon.open(), self.secret), b"value")

    def test_the_other_socket_is_refused(self) -> None:
        for uri in (SHORT, LONG):
            with self.subTest(uri=uri):
                self.assertRefused(
                    uri, "error: Failed to connect socket to '/var/run/libvirt/libvirt-sock': "
                    "Permission denied", user=self.machine.one)


class NoDaemon(RemoteCase):
    def test_nobody_listens(self) -> None:
        for uri in (SHORT, LONG):
            with self.subTest(uri=uri):
                self.assertIn("error: Failed to connect socket to '/var/run/libvirt/libvirt-sock': "
                              "No such file or directory", self.machine.virsh("uri", uri=uri).failed())
