# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who calls is known on every connection. The driver's log shows it: at level info there is one line for
each change and each value read."""

import base64
import errno
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from example_host import NAME
from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.machine import Machine, User
from harness.secret_files import Secret
from harness.settings import settings
from other_user import OtherUser, Refused
from remote_case import RemoteCase
from servers.ssh import Sshd
from test_gssapi import URI as GSSAPI_URI
from test_gssapi import GssapiCase
from test_guests import LuksCase
from test_scram import ScramCase
from tls_case import TlsCase

VALUE = b"of the test\0\xff"
FILTER = "2:secret.keyhold"
# libvirt's own driver writes no such lines
stock_notes_nothing = stock_defect(r"noted is \[\]")
WHOLE_LIFE = ("defined", "given a value", "read", "undefined")
SOME_CLIENT_OF_ROOT = "uid 0, user 'root', pid [0-9]+, started at [0-9]+"
SO_PEERSEC = 31  # asm-generic/socket.h


def context_of_clients() -> str:
    """What the line of a client on a unix socket ends with: the context that the kernel gives to servers of
    this process, which those that it starts have too. Nothing where no security module labels sockets."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind("")
        listening.listen()
        client.connect(listening.getsockname())
        with listening.accept()[0] as server:
            try:
                context = server.getsockopt(socket.SOL_SOCKET, SO_PEERSEC, 1024)
            except OSError as error:
                if error.errno != errno.ENOPROTOOPT:
                    raise
                return ""
    return f", SELinux context '{context.decode().rstrip(chr(0))}'"


def log_calls(daemon: Daemon) -> None:
    """From now on, in the running daemon."""
    daemon.machine.run("virt-admin", "--connect", f"libvirtd:///{daemon.instance}",
                       "daemon-log-filters", FILTER, user=daemon.user).ok()


def noted(log: str, secret: Secret) -> list[str]:
    """What it says of a secret, in order, such as "read by uid 0"."""
    return re.findall(rf" info : noteCall:\d+ : secret '{secret.uuid}' (.*)", log)


def local_client(uid: int, name: str, pid: int) -> str:
    """The regular expression of it."""
    # field 22 of /proc/PID/stat; the second field, in parentheses, may hold anything
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"uid {uid}, user '{name}', pid {pid}, started at {started}{re.escape(context_of_clients())}"


def use_with_virsh(machine: Machine, uri: str, secret: Secret, user: User | None = None) -> None:
    definition, value = machine.home / "definition.xml", machine.home / "value"
    definition.write_text(secret.xml)
    value.write_bytes(VALUE)
    machine.virsh(f"secret-define {definition}; secret-set-value {secret.uuid} --plain --file {value};"
                  f" secret-get-value {secret.uuid}; secret-undefine {secret.uuid}",
                  uri=uri, user=user).ok()


class IdentityCase(SystemCase):
    def assertNoted(self, daemon: Daemon, secret: Secret, caller: str, *what: str) -> None:
        """`caller` is a regular expression."""
        self.assertAllBy(noted(daemon.log(), secret), caller, what or WHOLE_LIFE)

    def assertAllBy(self, lines: list[str], caller: str, what: Sequence[str]) -> None:
        wanted = [f"{word} by {caller}" for word in what]
        if len(lines) != len(wanted) or not all(map(re.fullmatch, wanted, lines)):
            raise AssertionError(f"noted is {lines}, wanted was {wanted}")


class NoteOfACall(IdentityCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.secret = Secret(usage="noted")

    def client(self, user: User | None) -> OtherUser:
        client = OtherUser(self.machine, user, self.daemon.socket_uri())
        self.addCleanup(client.close)
        return client

    @stock_notes_nothing
    def test_user_and_process_of_a_local_client_are_known(self) -> None:
        log_calls(self.daemon)
        for user, uid, name in ((None, 0, "root"), (self.machine.one, self.machine.one.uid, "one")):
            secret, client = Secret(), self.client(user)
            client.call("define", secret.xml)
            client.set(secret.uuid, VALUE)
            client.get(secret.uuid)
            client.call("undefine", secret.uuid)
            self.assertNoted(self.daemon, secret, local_client(uid, name, client.pid))

    def test_nothing_is_noted_unless_the_log_is_asked_for_it(self) -> None:
        use_with_virsh(self.machine, "secret:///system", self.secret)
        self.assertEqual(noted(self.daemon.log(), self.secret), [])

    @stock_notes_nothing
    def test_values_are_not_noted_whatever_the_level(self) -> None:
        self.machine.run("virt-admin", "--connect", "libvirtd:///system", "daemon-log-filters",
                         "1:secret.keyhold").ok()
        use_with_virsh(self.machine, "secret:///system", self.secret)
        self.assertNoted(self.daemon, self.secret, "uid 0, .*")
        log = self.daemon.log().encode()
        self.assertNotIn(b"of the test", log)
        self.assertNotIn(base64.b64encode(VALUE), log)

    @stock_notes_nothing
    def test_what_was_refused_is_not_noted(self) -> None:
        log_calls(self.daemon)
        private = Secret(usage="noted", private=True)
        client = self.client(self.machine.one)
        client.call("define", private.xml)
        for work in (lambda: client.get(private.uuid), lambda: client.call("define", self.secret.xml)):
            with self.assertRaises(Refused):
                work()
        self.assertNoted(self.daemon, private, "uid .*", "defined")
        self.assertEqual(noted(self.daemon.log(), self.secret), [])


class CallerOfASessionDaemon(IdentityCase):
    @stock_notes_nothing
    def test_its_user_is_known(self) -> None:
        one, secret = self.machine.one, Secret()
        daemon = self.start(user=one)
        log_calls(daemon)
        client = OtherUser(self.machine, one, daemon.socket_uri())
        self.addCleanup(client.close)
        client.call("define", secret.xml)
        self.assertNoted(daemon, secret, local_client(one.uid, "one", client.pid), "defined")


class CallerWithTls(IdentityCase, TlsCase):
    @stock_notes_nothing
    def test_the_name_in_the_certificate_is_known(self) -> None:
        log_calls(self.daemon)
        secret = Secret()
        use_with_virsh(self.machine, f"secret://{NAME}/system", secret)
        self.assertNoted(self.daemon, secret, "x509 name 'O=Example,CN=client'")


class CallerWithAPassword(IdentityCase, ScramCase):
    @stock_notes_nothing
    def test_both_names_are_known_over_tls(self) -> None:
        log_calls(self.daemon)
        secret = Secret()
        use_with_virsh(self.machine, f"secret://{NAME}/system", secret)
        self.assertNoted(self.daemon, secret, "SASL user 'fred', x509 name 'O=Example,CN=client'")

    @stock_notes_nothing
    def test_name_and_process_are_known_over_the_unix_socket(self) -> None:
        log_calls(self.daemon)
        secret = Secret()
        use_with_virsh(self.machine, "secret+unix:///system", secret)
        self.assertNoted(self.daemon, secret,
                         f"{SOME_CLIENT_OF_ROOT}, SASL user 'fred'{re.escape(context_of_clients())}")


class CallerWithKerberos(IdentityCase, GssapiCase):
    @stock_notes_nothing
    def test_the_principal_is_known(self) -> None:
        log_calls(self.daemon)
        secret = Secret()
        use_with_virsh(self.machine, GSSAPI_URI, secret)
        self.assertNoted(self.daemon, secret, "SASL user 'fred'")


class CallerOverSsh(IdentityCase, RemoteCase):
    @stock_notes_nothing
    def test_the_process_that_sshd_started_is_known(self) -> None:
        self.addCleanup(Sshd(self.machine).close)
        self.serve()
        log_calls(self.daemon)
        for proxy in ("native", "netcat"):
            secret = Secret()
            use_with_virsh(self.machine, f"secret+ssh://root@{NAME}/system?proxy={proxy}", secret)
            self.assertNoted(self.daemon, secret, SOME_CLIENT_OF_ROOT + re.escape(context_of_clients()))


class CallerOverPlainTcp(IdentityCase, RemoteCase):
    @stock_notes_nothing
    def test_who_has_not_to_say_is_unknown(self) -> None:
        self.serve(arguments=["--listen"],
                   configuration='listen_tls = 0\nlisten_tcp = 1\nauth_tcp = "none"\n')
        log_calls(self.daemon)
        secret = Secret()
        use_with_virsh(self.machine, f"secret+tcp://{NAME}/system", secret)
        self.assertNoted(self.daemon, secret, "an unknown client")


class LibvirtAsCaller(IdentityCase, LuksCase):
    @stock_notes_nothing
    def test_libvirt_is_told_from_the_client_that_starts_a_guest(self) -> None:
        log_calls(self.daemon)
        private = Secret(type="volume", usage=str(self.disk), uuid=self.secret.uuid, private=True)
        self.define(self.qemu, private, b"not the passphrase")
        self.assertIn("Invalid password", str(self.refusal(self.qemu.createXML, self.xml())))
        client = local_client(0, "root", os.getpid())
        self.assertAllBy(noted(self.daemon.log(), private), f"(libvirt for )?{client}",
                         ("defined", "given a value", "read"))
        self.assertRegex(noted(self.daemon.log(), private)[2], f"^read by libvirt for {client}$")


class EmbeddedRoot(IdentityCase):
    @stock_notes_nothing
    def test_a_program_with_an_embedded_root_is_its_own_caller(self) -> None:
        log, definition, secret = self.machine.home / "virsh.log", self.machine.home / "x.xml", Secret()
        definition.write_text(secret.xml)
        self.machine.run("virsh", "--connect", f"secret:///embed?root={self.machine.home}/root",
                         "secret-define", str(definition), env={
                             "LIBVIRT_DRIVER_DIR": settings().secret_only,
                             "LIBVIRT_LOG_FILTERS": FILTER, "LIBVIRT_LOG_OUTPUTS": f"1:file:{log}"}).ok()
        self.assertAllBy(noted(log.read_text(), secret), "this process", ("defined",))
