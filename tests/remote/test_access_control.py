# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fine-grained access control: libvirtd with the polkit access driver, a real polkitd, and rules that
distinguish secrets. Root is always allowed by polkit, so the clients are other users' processes.

Everything here is what libvirt's own driver does as well (`run.py --stock`)."""

import re
from pathlib import Path

import libvirt

from access_case import DENIED, OTHER_VALUE, VALUE, AccessControlCase, rule
from example_host import NAME
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED
from harness.machine import User
from harness.secret_files import Secret
from harness.settings import settings
from other_user import OtherUser, Refused
from servers.dbus import SystemBus
from servers.polkit import CONFIGURATION, PolicyKit
from test_scram import DAEMON as SCRAM_DAEMON
from test_scram import ScramCase

# the permissions that each call asks for: docs/aclpolkit of libvirt
CONNECTION_CALLS = {
    "count": "connect.search-secrets",
    "list": "connect.search-secrets",
    "list-all": "connect.search-secrets",
    "watch": "connect.search-secrets",
    "unwatch": "connect.read",
}
SECRET_CALLS = {
    # first: it gives a handle also to a client that may not look the secret up
    "define": {"secret.write", "secret.save"},
    "lookup-by-uuid": {"secret.getattr"},
    "lookup-by-usage": {"secret.getattr"},
    "dump": {"secret.read"},
    "get": {"secret.read-secure"},
    "set": {"secret.write"},
    "undefine": {"secret.delete"},
}
# where no rule decides: what libvirt's policy says of its actions
OPEN_TO_ALL = {"lookup-by-uuid", "lookup-by-usage", "dump"}
SECRET_PERMISSIONS = sorted(set().union(*SECRET_CALLS.values()))
# what a rule sees of each: viraccessdriverpolkit.c
USAGE_ATTRIBUTES = {"volume": "secret_usage_volume", "ceph": "secret_usage_ceph",
                    "iscsi": "secret_usage_target", "tls": "secret_usage_name"}


def documented_rule() -> str:
    text = (Path(__file__).resolve().parents[2] / "docs/connections.md").read_text()
    found = re.search(r"(?ms)^polkit\.addRule.*?^\}\);$", text)
    assert found is not None
    return found.group()


class EachCall(AccessControlCase):
    def test_calls_on_a_connection_are_refused_without_their_permission_alone(self) -> None:
        users = {permission: self.machine.add_user(permission.replace(".", "-"))
                 for permission in (*sorted(set(CONNECTION_CALLS.values())), "connect.write")}
        self.serve(rule("return denied[user] !== permission;",
                        denied={user.name: permission for permission, user in users.items()}))
        self.define(self.root, Secret())
        for permission, user in users.items():
            client = self.client(user)
            registered = 0
            for call, needed in CONNECTION_CALLS.items():
                arguments = (registered,) if call == "unwatch" else ()
                with self.subTest(call=call, denied=permission):
                    if needed == permission:
                        self.assertDenied(client.call, call, *arguments)
                    elif call == "watch":
                        registered = client.call(call)[0]
                    elif call != "unwatch" or permission != "connect.search-secrets":
                        client.call(call, *arguments)

    def test_a_connection_is_refused_without_its_permission(self) -> None:
        self.serve(rule("return user !== 'one' || permission !== 'connect.getattr';"))
        self.assertDenied(self.client, self.machine.one)
        self.client(self.machine.two)

    def test_calls_on_a_secret_are_refused_without_their_permissions_alone(self) -> None:
        secrets = {permission: Secret(usage=permission) for permission in SECRET_PERMISSIONS}
        self.serve(rule("return denied[action.lookup('secret_uuid')] !== permission;",
                        denied={secret.uuid: permission for permission, secret in secrets.items()}))
        client = self.client(self.machine.one)
        for secret in secrets.values():
            self.define(self.root, secret, OTHER_VALUE)
        found, expected = {}, {}
        for permission, secret in secrets.items():
            for call in SECRET_CALLS:
                found[call, permission] = self.attempt(client, call, secret)
                expected[call, permission] = permission not in SECRET_CALLS[call]
        self.assertEqual(found, expected)

    def test_what_was_refused_has_changed_nothing(self) -> None:
        self.serve(rule("return user !== 'one' || "
                        "['secret.write', 'secret.save', 'secret.delete'].indexOf(permission) < 0;"))
        secret = Secret(usage="kept", description="as it was")
        self.define(self.root, secret, VALUE)
        client, other = self.client(self.machine.one), self.client(self.machine.two)
        other.call("watch")
        again = Secret(uuid=secret.uuid, usage="kept", description="changed")
        new = Secret(usage="new")
        self.assertDenied(client.call, "define", again.xml)
        self.assertDenied(client.call, "define", new.xml)
        self.assertDenied(client.set, secret.uuid, OTHER_VALUE)
        self.assertDenied(client.call, "undefine", secret.uuid)
        self.assertListed(self.root, secret)
        self.assertEqual(client.call("dump", secret.uuid), secret.xml)
        self.assertEqual(client.get(secret.uuid), VALUE)
        # the use that was refused is not taken
        self.define(self.root, Secret(usage="new"))
        seen = other.events_until(self.pass_marker())
        self.assertEqual([what for what, uuid in seen if uuid in (secret.uuid, new.uuid)], [])

    def test_a_refusal_does_not_tell_whether_there_is_a_value_or_it_is_private(self) -> None:
        self.serve(rule("return permission !== 'secret.read-secure';"))
        client = self.client(self.machine.one)
        secrets = [Secret(), Secret(private=True), Secret(private=True, ephemeral=True)]
        for number, secret in enumerate(secrets):
            self.define(self.root, secret, VALUE if number else None)
            self.assertDenied(client.get, secret.uuid)

    def test_permission_to_read_does_not_reveal_a_private_value(self) -> None:
        self.serve(rule("return true;"))
        client = self.client(self.machine.one)
        secret = Secret(private=True)
        client.call("define", secret.xml)
        client.set(secret.uuid, VALUE)
        self.assertIn("secret is private",
                      self.error(client.get, secret.uuid, code=libvirt.VIR_ERR_INVALID_SECRET))

    def test_a_rule_can_tell_connections_of_a_hypervisor_apart(self) -> None:
        self.serve(rule("return permission !== 'secret.read-secure' || "
                        "action.lookup('connect_driver') === 'QEMU';"), settings().with_qemu)
        secret = Secret()
        self.define(self.root, secret, VALUE)
        self.assertEqual(self.client(self.machine.one, scheme="qemu").get(secret.uuid), VALUE)
        self.assertDenied(self.client(self.machine.one).get, secret.uuid)

    def test_when_nobody_can_be_asked_everything_is_refused(self) -> None:
        self.serve(rule("return true;"))
        secret, new = Secret(usage="kept"), Secret()
        self.define(self.root, secret, VALUE)
        client = self.client(self.machine.one)
        self.assertEqual(client.get(secret.uuid), VALUE)
        self.bus.close()  # polkitd alone would be started again by the bus
        calls = {"count": (), "list": (), "list-all": (), "watch": (), "get": (secret.uuid,),
                 "dump": (secret.uuid,), "set": (secret.uuid, ""), "define": (new.xml,),
                 "undefine": (secret.uuid,)}
        for call, arguments in calls.items():
            with self.subTest(call=call), self.assertRaises(Refused):
                client.call(call, *arguments)
        self.daemon.stop()
        self.assertEqual({path.stem for path in self.machine.store.iterdir()}, {secret.uuid})


class RulesByAttribute(AccessControlCase):
    """User one may do everything to what the rules name, and nothing to the rest."""

    def possible(self, client: OtherUser, secret: Secret) -> set[str]:
        return {call for call in SECRET_CALLS if self.attempt(client, call, secret)}

    def test_the_uuid_decides(self) -> None:
        mine, other = Secret(usage="mine"), Secret(usage="other")
        self.serve(rule("return permission.indexOf('secret.') !== 0 || "
                        "action.lookup('secret_uuid') === mine;", mine=mine.uuid))
        client = self.client(self.machine.one)
        for secret in (mine, other):
            self.define(self.root, secret, VALUE)
        self.assertEqual(client.call("list"), [mine.uuid])
        self.assertEqual(self.possible(client, mine), set(SECRET_CALLS))
        self.assertEqual(self.possible(client, other), set())
        self.assertListed(self.root, other)

    def test_the_use_decides_for_every_type_that_libvirt_tells_polkit(self) -> None:
        self.serve(rule("""
            if (permission.indexOf("secret.") !== 0) return true;
            return attributes.some(function(name) {
                return action.lookup(name) === "/mine of " + name; });""",
                        attributes=sorted(USAGE_ATTRIBUTES.values())))
        client = self.client(self.machine.one)
        mine = {kind: Secret(type=kind, usage=f"/mine of {name}")
                for kind, name in USAGE_ATTRIBUTES.items()}
        # the text of another type, which a rule that ignores the type would take
        names = list(USAGE_ATTRIBUTES.values())
        others = {kind: Secret(type=kind, usage=f"/mine of {names[names.index(name) - 1]}")
                  for kind, name in USAGE_ATTRIBUTES.items()}
        for secret in (*mine.values(), *others.values(), unused := Secret()):
            self.define(self.root, secret, VALUE)
        self.assertEqual(client.call("list"), sorted(secret.uuid for secret in mine.values()))
        for kind in USAGE_ATTRIBUTES:
            with self.subTest(kind=kind):
                self.assertEqual(self.possible(client, mine[kind]), set(SECRET_CALLS))
                self.assertEqual(self.possible(client, others[kind]), set())
        self.assertDenied(client.get, unused.uuid)
        self.assertListed(self.root, unused, *others.values())

    def test_the_use_of_a_vtpm_secret_is_not_told_but_its_uuid_is(self) -> None:
        """libvirt 9.0 has no attribute for it."""
        named = Secret(type="vtpm", usage="named")
        self.serve(rule("""
            return permission.indexOf("secret.") !== 0 || action.lookup("secret_uuid") === named ||
                attributes.some(function(name) { return !!action.lookup(name); });""",
                        named=named.uuid, attributes=sorted(USAGE_ATTRIBUTES.values())))
        client, other = self.client(self.machine.one), Secret(type="vtpm", usage="other")
        for secret in (named, other):
            self.define(self.root, secret, VALUE)
        self.assertEqual(self.possible(client, named), set(SECRET_CALLS))
        self.assertEqual(self.possible(client, other), set())

    def test_a_new_secret_is_checked_by_the_use_that_it_asks_for(self) -> None:
        self.serve(rule("return permission.indexOf('secret.') !== 0 || "
                        "action.lookup('secret_usage_ceph') === 'mine';"))
        client = self.client(self.machine.one)
        self.assertDenied(client.call, "define", Secret(usage="other").xml)
        self.assertDenied(client.call, "define", Secret(type="volume", usage="mine").xml)
        self.assertListed(self.root)
        secret = Secret(usage="mine")
        client.call("define", secret.xml)
        self.assertListed(self.root, secret)


    def test_the_documented_rule_adds_to_what_everybody_may(self) -> None:
        self.serve(documented_rule())
        mine, other = Secret(usage="client.one"), Secret(usage="client.two")
        for secret in (mine, other):
            self.define(self.root, secret, VALUE)
        for user, secret, calls in ((self.machine.one, mine, set(SECRET_CALLS)),
                                    (self.machine.one, other, OPEN_TO_ALL),
                                    (self.machine.two, mine, OPEN_TO_ALL)):
            with self.subTest(user=user.name, secret=secret.usage):
                self.assertEqual(self.possible(self.client(user), secret), calls)
                self.define(self.root, secret, VALUE)


class Filters(AccessControlCase):
    """What shows in lists and events is decided for each secret and each client."""

    RULE = """
        if (permission !== "secret.getattr") return true;
        var uuid = action.lookup("secret_uuid"), use = action.lookup("secret_usage_ceph");
        return uuid.indexOf("feedfeed") === 0 || (use || "").split(" ").indexOf(user) >= 0;"""

    def setUp(self) -> None:
        super().setUp()
        self.serve(rule(self.RULE))
        self.of_one, self.of_two = Secret(usage="one a"), Secret(usage="two a")
        self.of_both = Secret(usage="one two")
        self.of_none = Secret(usage="nobody")
        self.one, self.two = self.client(self.machine.one), self.client(self.machine.two)

    def test_lists_and_counts_leave_out_what_a_client_may_not_see(self) -> None:
        for secret in (self.of_one, self.of_two, self.of_both, self.of_none):
            self.define(self.root, secret)
        for client, secrets in ((self.one, (self.of_one, self.of_both)),
                                (self.two, (self.of_two, self.of_both))):
            visible = sorted(secret.uuid for secret in secrets)
            self.assertEqual(client.call("list"), visible)
            self.assertEqual(client.call("list-all"), visible)
            self.assertEqual(client.call("count"), len(visible))
        self.assertListed(self.root, self.of_one, self.of_two, self.of_both, self.of_none)

    def test_events_reach_only_clients_that_may_see_the_secret(self) -> None:
        for client in (self.one, self.two):
            client.call("watch")
        secrets = (self.of_one, self.of_two, self.of_both, self.of_none)
        for secret in secrets:
            self.define(self.root, secret, VALUE).undefine()
        last = self.pass_marker()
        whole = [DEFINED, VALUE_CHANGED, UNDEFINED]
        for client, visible in ((self.one, (self.of_one, self.of_both)),
                                (self.two, (self.of_two, self.of_both))):
            seen = client.events_until(last)
            self.assertEqual({secret.usage: [what for what, uuid in seen if uuid == secret.uuid]
                              for secret in secrets},
                             {secret.usage: whole if secret in visible else [] for secret in secrets})

    def test_events_of_one_secret_reach_only_clients_that_may_see_it(self) -> None:
        for secret in (self.of_one, self.of_both):
            self.define(self.root, secret)
        self.one.call("watch", self.of_both.uuid)
        self.assertDenied(self.two.call, "watch", self.of_one.uuid)
        self.two.call("watch")
        for secret in (self.of_one, self.of_both):
            self.root.secretLookupByUUIDString(secret.uuid).setValue(VALUE)
        self.assertEqual([uuid for what, uuid in self.two.events_until(self.pass_marker())
                          if what == VALUE_CHANGED], [self.of_both.uuid])
        self.assertEqual(self.one.events_until((VALUE_CHANGED, self.of_both.uuid)),
                         [(VALUE_CHANGED, self.of_both.uuid)])

    def test_what_a_client_did_itself_it_is_told_only_if_it_may_see_it(self) -> None:
        self.one.call("watch")
        self.one.call("define", self.of_none.xml)
        self.one.call("define", self.of_one.xml)
        self.assertEqual([uuid for _, uuid in self.one.events_until(self.pass_marker())
                          if not uuid.startswith("feedfeed")], [self.of_one.uuid])


class ReadOnlyConnection(AccessControlCase):
    """Over the read-only socket, whatever the rules allow."""

    def assertReadOnly(self, client: OtherUser, secret: Secret) -> None:
        new = Secret(usage="new")
        for call, argument in {"get": secret.uuid, "define": secret.xml, "undefine": secret.uuid}.items():
            self.assertIn("read only access", self.error(client.call, call, argument))
        self.assertIn("read only access", self.error(client.call, "define", new.xml))
        self.assertIn("read only access", self.error(client.set, secret.uuid, OTHER_VALUE))
        self.assertEqual(client.call("list"), [secret.uuid])
        self.assertEqual(client.call("dump", secret.uuid), secret.xml)
        self.assertEqual(client.call("watch"), [0, 1])
        self.assertListed(self.root, secret)
        self.assertEqual(self.value_of(self.root, secret), VALUE)

    def check(self, users: list[User | None]) -> None:
        secret = Secret(usage="kept")
        self.define(self.root, secret, VALUE)
        for user in users:
            for readonly in (True, False):
                # a client that does not know that it is read-only asks the daemon
                with self.subTest(user=user, client_knows=readonly):
                    client = OtherUser(self.machine, user, self.daemon.socket_uri(readonly=True), readonly)
                    self.addCleanup(client.close)
                    self.assertReadOnly(client, secret)

    def test_no_value_is_read_and_nothing_changes_where_rules_allow_all(self) -> None:
        self.serve(rule("return true;"))
        self.check([None, self.machine.one])

    def test_no_value_is_read_and_nothing_changes_without_an_access_driver(self) -> None:
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.check([None, self.machine.one])


class OtherTransports(ScramCase):
    """polkit decides about processes; there is none to ask about behind a network."""

    configuration = CONFIGURATION + SCRAM_DAEMON

    @classmethod
    def before_serving(cls) -> None:
        super().before_serving()
        (cls.machine.system_run / "dbus").mkdir()
        bus = SystemBus(cls.machine)
        cls.addClassCleanup(bus.close)
        PolicyKit(bus, rule("return true;"))

    def test_a_client_of_a_unix_socket_is_let_in(self) -> None:
        self.assertIn(self.secret.uuid, self.machine.virsh("secret-list").ok())

    def test_nobody_is_let_in_over_the_network_whatever_the_rules_allow(self) -> None:
        self.assertRefused(f"secret://{NAME}/system", f"error: {DENIED}",
                           logged="internal error: No process ID available")
