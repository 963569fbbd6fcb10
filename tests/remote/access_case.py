# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of a libvirtd that asks polkit about every call, and rules for it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import libvirt

from harness.case import SystemCase
from harness.events import UNDEFINED
from harness.machine import User
from harness.secret_files import Secret
from other_user import OtherUser, Refused
from servers.dbus import SystemBus
from servers.polkit import CONFIGURATION, PolicyKit

VALUE, OTHER_VALUE = b"first\0value", b"another value"
DENIED = "access denied: 'secret' denied access"
USAGE_TYPES = {"volume": libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, "ceph": libvirt.VIR_SECRET_USAGE_TYPE_CEPH,
               "iscsi": libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, "tls": libvirt.VIR_SECRET_USAGE_TYPE_TLS,
               "vtpm": libvirt.VIR_SECRET_USAGE_TYPE_VTPM}


def rule(body: str, **data: object) -> str:
    """A rule that decides everything: `body` is JavaScript that returns whether to allow `permission`
    (such as "secret.read") to `user`, and may look at `action` and at the data."""
    variables = "".join(f"var {name} = {json.dumps(value)};\n" for name, value in data.items())
    return f"""{variables}polkit.addRule(function(action, subject) {{
    var permission = action.id.replace("org.libvirt.api.", ""), user = subject.user;
    function allowed() {{ {body} }}
    return allowed() ? polkit.Result.YES : polkit.Result.NO;
}});
"""


class AccessControlCase(SystemCase):
    def serve(self, rules: str, driver_dir: str = "") -> None:
        self.bus = SystemBus(self.machine)
        self.addCleanup(self.bus.close)
        PolicyKit(self.bus, rules)
        self.daemon = self.start(configuration=CONFIGURATION, driver_dir=driver_dir)
        self.root = self.daemon.open()

    def client(self, user: User, readonly: bool = False, scheme: str = "secret") -> OtherUser:
        client = OtherUser(self.machine, user, self.daemon.socket_uri(scheme, readonly), readonly)
        self.addCleanup(client.close)
        return client

    def error(self, call: Callable[..., Any], *arguments: Any,
              code: int = libvirt.VIR_ERR_OPERATION_DENIED) -> str:
        """The text of the refusal with that code."""
        with self.assertRaises(Refused) as raised:
            call(*arguments)
        self.assertEqual(raised.exception.code, code, str(raised.exception))
        return str(raised.exception)

    def assertDenied(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.assertEqual(self.error(call, *arguments, code=libvirt.VIR_ERR_ACCESS_DENIED), DENIED)

    def attempt(self, client: OtherUser, call: str, secret: Secret) -> bool:
        """Whether the client may do that to a secret."""
        text = base64.b64encode(VALUE).decode()
        arguments = {"lookup-by-usage": (USAGE_TYPES[secret.type], secret.usage),
                     "define": (secret.xml,), "set": (secret.uuid, text)}.get(call, (secret.uuid,))
        try:
            client.call(call, *arguments)
        except Refused as refusal:
            self.assertEqual((refusal.code, str(refusal)), (libvirt.VIR_ERR_ACCESS_DENIED, DENIED))
            return False
        return True

    def pass_marker(self) -> tuple[str, str]:
        """Raises events that the rules of these tests show to everybody; events keep their order."""
        marker = Secret(uuid="feedfeed-0000-4000-8000-000000000000", ephemeral=True)
        self.define(self.root, marker).undefine()
        return UNDEFINED, marker.uuid
