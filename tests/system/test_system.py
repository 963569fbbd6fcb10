# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system instance, as root and as an unprivileged user, through virsh and python-libvirt."""

import base64
import fcntl
import json
import os
import re
import struct
import subprocess
from collections.abc import Callable

import libvirt

from harness.case import SystemCase
from harness.daemon import DaemonEnded
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED, EventLog
from harness.secret_files import Secret, write_file
from harness.waiting import wait_for

VALUE = b"hunter2\0\xff\x80"


class SystemInstanceThroughVirsh(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.secret = Secret(usage="client.nova secret", description="of nova")
        self.file = self.machine.home / "definition.xml"
        self.file.write_text(self.secret.xml)

    def define_with_virsh(self) -> None:
        out = self.daemon.virsh("secret-define", "--file", str(self.file))
        self.assertEqual(out, f"Secret {self.secret.uuid} created")

    def test_a_secret_is_defined_set_read_listed_dumped_and_undefined(self) -> None:
        uuid = self.secret.uuid
        self.define_with_virsh()
        text = base64.b64encode(VALUE).decode()
        self.assertEqual(self.daemon.virsh("secret-set-value", uuid, "--base64", text).splitlines()[-1],
                         "Secret value set")
        self.assertEqual(self.daemon.virsh("secret-get-value", uuid), text)
        self.assertEqual(self.daemon.virsh("secret-dumpxml", uuid), self.secret.xml.strip())
        listed = self.daemon.virsh("secret-list").splitlines()[2:]
        self.assertEqual([line.split(maxsplit=1) for line in listed],
                         [[uuid, "ceph client.nova secret"]])
        self.assertIn(f"Secret {uuid} ", self.daemon.virsh("secret-undefine", uuid))
        self.assertEqual(self.daemon.virsh("secret-list").splitlines()[2:], [])

    def test_a_value_from_a_file_is_kept_byte_for_byte(self) -> None:
        self.define_with_virsh()
        value = self.machine.home / "value"
        value.write_bytes(VALUE)
        self.daemon.virsh("secret-set-value", self.secret.uuid, "--file", str(value), "--plain")
        text = self.daemon.virsh("secret-get-value", self.secret.uuid)
        self.assertEqual(base64.b64decode(text), VALUE)
        self.assertEqual(self.value_of(self.daemon.open(), self.secret), VALUE)

    def test_list_filters_tell_the_four_kinds_apart(self) -> None:
        kinds = {(e, p): Secret(usage=f"{e}{p}", ephemeral=e, private=p)
                 for e in (False, True) for p in (False, True)}
        for secret in kinds.values():
            self.file.write_text(secret.xml)
            self.daemon.virsh("secret-define", str(self.file))

        def listed(*options: str) -> set[str]:
            lines = self.daemon.virsh("secret-list", *options).splitlines()[2:]
            return {line.split()[0] for line in lines}

        def of(*keys: tuple[bool, bool]) -> set[str]:
            return {kinds[key].uuid for key in keys}
        e_p, e_np, ne_p, ne_np = (True, True), (True, False), (False, True), (False, False)
        self.assertEqual(listed(), of(e_p, e_np, ne_p, ne_np))
        self.assertEqual(listed("--ephemeral"), of(e_p, e_np))
        self.assertEqual(listed("--no-ephemeral"), of(ne_p, ne_np))
        self.assertEqual(listed("--private"), of(e_p, ne_p))
        self.assertEqual(listed("--no-private"), of(e_np, ne_np))
        self.assertEqual(listed("--ephemeral", "--no-private"), of(e_np))
        self.assertEqual(listed("--private", "--no-private"), of(e_p, e_np, ne_p, ne_np))

    def test_secret_event_reports_every_change(self) -> None:
        lifecycle, values = self.watch("lifecycle"), self.watch("value-changed")

        # virsh does not say when it listens: changes go on until it has reported one
        def both_listen() -> bool:
            self.define_with_virsh()
            self.daemon.virsh("secret-set-value", uuid, "--base64", "AAAA")
            return bool(lifecycle()) and bool(values())
        uuid = self.secret.uuid
        wait_for("virsh reports a definition and a value", both_listen)
        self.daemon.virsh("secret-undefine", uuid)
        wait_for("virsh reports the end", lambda: "Undefined" in lifecycle())
        *before, last = lifecycle().splitlines()
        self.assertEqual(set(before), {f"event 'lifecycle' for secret {uuid}: Defined"})
        self.assertEqual(last, f"event 'lifecycle' for secret {uuid}: Undefined")
        self.assertEqual(set(values().splitlines()), {f"event 'value-changed' for secret {uuid}"})

    def watch(self, event: str) -> Callable[[], str]:
        """What `virsh secret-event` has said so far."""
        # it writes line by line to a terminal only
        terminal, end = os.openpty()
        self.addCleanup(os.close, terminal)
        watcher = self.machine.popen(
            "virsh", "-c", "secret:///system", "secret-event", "--event", event, "--loop",
            stdin=subprocess.DEVNULL, stdout=end)
        os.close(end)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        os.set_blocking(terminal, False)
        heard = bytearray()

        def report() -> str:
            try:
                heard.extend(os.read(terminal, 65536))
            except BlockingIOError:
                pass
            return heard.decode()
        return report

    def test_a_definition_that_the_schema_refuses_is_refused_with_validate(self) -> None:
        self.file.write_text(Secret(type="volume", usage="not-a-path").xml)
        refused = self.machine.virsh("secret-define", str(self.file), "--validate").failed()
        self.assertIn("XML document failed to validate against schema", refused)
        self.daemon.virsh("secret-define", str(self.file))


class SystemInstanceThroughPython(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.root = self.daemon.open()

    def test_definitions_and_values_read_back_and_are_files_of_their_form(self) -> None:
        types = {"ceph": "client.cinder", "volume": "/var/lib/vol<1>", "iscsi": "iqn.2026-11:a",
                 "tls": "tls & co", "vtpm": "vm", "": ""}
        secrets = [Secret(type=kind, usage=usage, description="d") for kind, usage in types.items()]
        for secret in secrets:
            handle = self.define(self.root, secret, VALUE)
            self.assertEqual(handle.XMLDesc(), secret.xml)
            self.assertEqual(handle.value(), VALUE)
            self.assertEqual(handle.usageID(), secret.usage)
            if secret.usage:
                found = self.root.secretLookupByUsage(handle.usageType(), secret.usage)
                self.assertEqual(found.UUIDString(), secret.uuid)
            store = self.machine.store
            self.assertEqual(secret.xml_in(store).read_text(), secret.xml)
            self.assertEqual(secret.value_in(store).read_bytes(), base64.b64encode(VALUE))
        self.assertListed(self.root, *secrets)

    def test_only_definitions_and_values_are_in_the_store_and_only_root_reads_them(self) -> None:
        valued, bare, passing = Secret(usage="a"), Secret(usage="b"), Secret(usage="c", ephemeral=True)
        for secret in (valued, passing):
            self.define(self.root, secret, VALUE)
        self.define(self.root, bare)
        files = {f"{valued.uuid}.xml", f"{valued.uuid}.base64", f"{bare.uuid}.xml"}
        self.assertEqual({path.name for path in self.machine.store.iterdir()}, files)
        for path in self.machine.store.iterdir():
            self.assertEqual((path.stat().st_mode & 0o7777, path.stat().st_uid), (0o600, 0), path)
        for directory in (self.machine.store, self.machine.state):
            self.assertEqual(directory.stat().st_mode & 0o7777, 0o700, directory)

    def test_an_undefined_secret_leaves_no_file(self) -> None:
        secret = Secret(usage="a")
        self.define(self.root, secret, VALUE).undefine()
        self.assertEqual(list(self.machine.store.iterdir()), [])
        error = self.refusal(self.root.secretLookupByUUIDString, secret.uuid)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)

    def test_each_change_is_one_event_in_order_for_every_client(self) -> None:
        other = self.daemon.open(readonly=False)
        logs = [EventLog(self.root), EventLog(other)]
        secret = Secret(usage="a")
        handle = self.define(self.root, secret, b"one")
        handle.setValue(b"two")
        self.define(other, Secret(secret.uuid, usage="a", description="new"))
        handle.undefine()
        expected = [(what, secret.uuid) for what in
                    (DEFINED, VALUE_CHANGED, VALUE_CHANGED, DEFINED, UNDEFINED)]
        for log in logs:
            self.assertEqual(log.take(), expected)

    def test_a_filter_for_one_secret_lets_no_other_through(self) -> None:
        one, other = Secret(usage="one"), Secret(usage="other")
        handle = self.define(self.root, one)
        filtered, everything = EventLog(self.root, handle), EventLog(self.root)
        self.define(self.root, other, b"value")
        handle.setValue(b"value")
        handle.undefine()
        self.define(self.root, one)
        self.assertEqual(len(everything.take()), 5)
        self.assertEqual(filtered.seen(), [(VALUE_CHANGED, one.uuid), (UNDEFINED, one.uuid),
                                           (DEFINED, one.uuid)])

    def test_a_client_that_deregistered_hears_no_more(self) -> None:
        secret = Secret(usage="a")
        leaving, staying = EventLog(self.root), EventLog(self.daemon.open())
        self.define(self.root, secret)
        self.assertEqual(staying.take(), [(DEFINED, secret.uuid)])
        leaving.deregister()
        before = leaving.seen()
        self.root.secretLookupByUUIDString(secret.uuid).setValue(b"value")
        self.assertEqual(staying.take(), [(VALUE_CHANGED, secret.uuid)])
        self.assertEqual(leaving.seen(), before)
        self.assertIn((DEFINED, secret.uuid), before)
        self.assertEqual(self.refusal(self.root.secretEventDeregisterAny, 999).get_error_code(),
                         libvirt.VIR_ERR_INVALID_ARG)

    def test_a_client_that_goes_without_a_word_leaves_the_others_their_events(self) -> None:
        going, secret = self.daemon.open(), Secret(usage="a")
        log = EventLog(self.root)
        EventLog(going)
        going.close()
        self.define(self.root, secret)
        self.assertEqual(log.take(), [(DEFINED, secret.uuid)])

    def test_a_failed_change_is_no_event(self) -> None:
        first, second = Secret(usage="a"), Secret(usage="a")
        log = EventLog(self.root)
        self.define(self.root, first)
        self.refusal(self.root.secretDefineXML, second.xml)
        self.assertEqual(log.take(), [(DEFINED, first.uuid)])

    def test_the_greatest_value_the_protocol_carries_is_kept(self) -> None:
        value = os.urandom(65536)
        secret = Secret(usage="a")
        self.define(self.root, secret, value)
        self.assertEqual(self.value_of(self.root, secret), value)

    def test_other_paths_than_system_are_refused(self) -> None:
        for path in ("session", "bogus", "", "system/"):
            uri = f"secret:///{path}?socket={self.machine.run_dir}/libvirt-sock"
            error = self.refusal(libvirt.open, uri)
            self.assertIn(f"unexpected secret URI path '/{path}', try secret:///system", str(error))

    def test_the_connection_getters_answer_as_of_a_secret_driver(self) -> None:
        self.assertEqual(self.root.getType(), "secret")
        self.assertEqual((self.root.isAlive(), self.root.isSecure(), self.root.isEncrypted()), (1, 1, 0))
        self.assertEqual(self.root.getLibVersion(), libvirt.getVersion())
        error = self.refusal(self.root.getCapabilities)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SUPPORT)

    def test_the_log_tells_where_each_error_was_raised(self) -> None:
        uuid = Secret().uuid
        for refused in (f"<secret><uuid>{uuid[:-1]}</uuid></secret>",
                        f"<secret private='maybe'><uuid>{uuid}</uuid></secret>"):
            self.refusal(self.root.secretDefineXML, refused)
        log = self.daemon.log()
        places = [re.search(rf" error : (\w+:[1-9]\d*) : {text}", log)
                  for text in ("internal error: malformed uuid element", "XML error: invalid value of 'private'")]
        self.assertEqual(len({place and place.group(1) for place in places} - {None}), 2, log)

    def test_the_lock_file_holds_the_pid_and_goes_with_the_daemon(self) -> None:
        lock = self.machine.state / "driver.pid"
        self.assertEqual(lock.read_text(), str(self.daemon.pid))
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse(lock.exists())


class TwoOnOneStore(SystemCase):
    def test_a_second_daemon_ends_and_the_first_goes_on(self) -> None:
        first = self.start()
        secret = Secret(usage="a")
        self.define(first.open(), secret, b"kept")
        # the second has sockets of its own: only the store is common
        self.machine.home.joinpath("second").mkdir()
        second = self.new_machine()
        second.bind(self.machine.store.parent, "/etc/libvirt")
        second.state.mkdir()
        second.bind(self.machine.state, "/run/libvirt/secrets")
        rival = self.launch(second)
        self.assertRaises(DaemonEnded, rival.answers)
        self.assertLogNames(rival, "driver.pid", "Resource temporarily unavailable")
        self.assertEqual(self.value_of(first.open(), secret), b"kept")

    def test_any_process_that_holds_the_lock_stops_the_daemon(self) -> None:
        self.machine.state.mkdir()
        lock = self.machine.state / "driver.pid"
        with lock.open("w") as held:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
            daemon = self.launch()
            self.assertRaises(DaemonEnded, daemon.answers)
        self.start()

    def test_a_lock_file_of_a_process_that_is_gone_stops_nobody(self) -> None:
        self.machine.state.mkdir()
        (self.machine.state / "driver.pid").write_text("1")
        daemon = self.start()
        self.assertEqual((self.machine.state / "driver.pid").read_text(), str(daemon.pid))

    def test_the_lock_is_a_write_lock_on_the_first_byte(self) -> None:
        daemon = self.start()
        with (self.machine.state / "driver.pid").open("r+") as file:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
        kind, _, start, length, holder = struct.unpack("hhqqi4x", answer)
        self.assertEqual((kind, start, length, holder), (fcntl.F_WRLCK, 0, 1, daemon.pid))


class AccessOfClients(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.open_secret = Secret(usage="open")
        self.private = Secret(usage="private", private=True)
        self.define(self.root, self.open_secret, VALUE)
        self.define(self.root, self.private, VALUE)

    def test_a_private_value_is_refused_to_root_and_to_others(self) -> None:
        error = self.refusal(self.value_of, self.root, self.private)
        self.assertEqual((error.get_error_code(), error.get_error_domain()),
                         (libvirt.VIR_ERR_INVALID_SECRET, libvirt.VIR_FROM_SECRET))
        self.assertEqual(str(error), "Invalid secret: secret is private")
        refused = self.machine.virsh("secret-get-value", self.private.uuid, user=self.machine.one)
        self.assertIn("secret is private", refused.failed())

    def test_a_private_value_can_be_replaced_and_removed(self) -> None:
        handle = self.root.secretLookupByUUIDString(self.private.uuid)
        handle.setValue(b"new")
        self.assertEqual(self.private.value_in(self.machine.store).read_bytes(), b"bmV3")
        handle.undefine()
        self.assertListed(self.root, self.open_secret)

    def test_the_private_flag_cannot_be_taken_away(self) -> None:
        error = self.refusal(self.root.secretDefineXML, Secret(self.private.uuid, "private").xml)
        self.assertIn("cannot change private flag on existing secret", str(error))

    def test_an_unprivileged_user_on_the_open_socket_may_all(self) -> None:
        one = self.machine.one
        listed = self.machine.virsh("secret-list", user=one).ok()
        self.assertIn(self.private.uuid, listed)
        value = self.machine.virsh("secret-get-value", self.open_secret.uuid, user=one).ok()
        self.assertEqual(base64.b64decode(value), VALUE)
        secret = Secret(usage="of one")
        definition = one.home / "s.xml"
        write_file(definition, secret.xml, 0o644)
        self.machine.virsh("secret-define", str(definition), user=one).ok()
        self.assertEqual(secret.xml_in(self.machine.store).stat().st_uid, 0)
        self.machine.virsh("secret-undefine", secret.uuid, user=one).ok()
        self.assertListed(self.root, self.open_secret, self.private)

    def test_the_read_only_socket_shows_and_changes_nothing(self) -> None:
        definition = self.machine.one.home / "s.xml"
        write_file(definition, Secret(usage="new").xml, 0o644)
        uuid = self.open_secret.uuid
        changes = {
            "virSecretDefineXML": ("secret-define", str(definition)),
            "virSecretGetValue": ("secret-get-value", uuid),
            "virSecretSetValue": ("secret-set-value", uuid, "--base64", "AAAA"),
            "virSecretUndefine": ("secret-undefine", uuid),
        }
        for user in (None, self.machine.one):
            listed = self.machine.virsh("secret-list", user=user, readonly=True).ok()
            self.assertIn(uuid, listed)
            dumped = self.machine.virsh("secret-dumpxml", uuid, user=user, readonly=True).ok()
            self.assertEqual(dumped, self.open_secret.xml.strip())
            for call, command in changes.items():
                refused = self.machine.virsh(*command, user=user, readonly=True).failed()
                self.assertIn(f"operation forbidden: read only access prevents {call}", refused)
        self.assertListed(self.root, self.open_secret, self.private)
        self.assertEqual(self.value_of(self.root, self.open_secret), VALUE)

    def test_a_client_that_lies_about_being_read_write_gets_no_further(self) -> None:
        """The daemon, not the client library, knows which socket a caller came through."""
        uri = f"secret+unix:///system?socket={self.machine.run_dir}/libvirt-sock-ro"
        code = ("import libvirt, sys, json\n"
                "libvirt.registerErrorHandler(lambda c, e: None, None)\n"
                "connection = libvirt.open(sys.argv[1])\n"
                "secret = connection.secretLookupByUUIDString(sys.argv[2])\n"
                "refused = []\n"
                "for call in (secret.value, secret.undefine, lambda: secret.setValue(b'x')):\n"
                "    try:\n"
                "        call()\n"
                "    except libvirt.libvirtError as error:\n"
                "        refused.append(error.get_error_message())\n"
                "print(json.dumps(refused))\n")
        out = self.machine.run("/usr/bin/python3", "-c", code, uri, self.open_secret.uuid,
                               user=self.machine.one).ok()
        refused = json.loads(out)
        self.assertEqual(len(refused), 3)
        self.assertEqual(self.value_of(self.root, self.open_secret), VALUE)
