# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who calls, under SELinux: in a virtual machine, because few hosts of these tests have it."""

from guests import selinux
from harness.secret_files import Secret
from test_identity import SOME_CLIENT_OF_ROOT, IdentityCase, noted, stock_notes_nothing


class ClientsUnderSelinux(IdentityCase):
    @stock_notes_nothing
    def test_the_context_of_each_client_is_known(self) -> None:
        secrets = {kind: Secret(usage=kind) for kind in ("client_t", "other_client_t")}
        script = "".join(
            f"as {kind} virsh 'secret-define /{kind}.xml; secret-set-value {secret.uuid} --base64 AAAA;"
            f" secret-get-value {secret.uuid}; secret-undefine {secret.uuid}'\n"
            for kind, secret in secrets.items())
        said = selinux.run(self.machine, f"export VIRSH_DEFAULT_CONNECT_URI=secret:///system\n{script}",
                           {f"/{kind}.xml": secret.xml for kind, secret in secrets.items()})
        for kind, secret in secrets.items():
            context = f"system_u:system_r:{kind}:s0"
            self.assertAllBy(noted(said.replace("\r", ""), secret),
                             f"{SOME_CLIENT_OF_ROOT}, SELinux context '{context}'",
                             ("defined", "given a value", "read", "undefined"))
