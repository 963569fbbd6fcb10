# SPDX-License-Identifier: LGPL-2.1-or-later
"""A store that keyhold check looks at."""

import json

from harness.command_case import CommandCase
from harness.machine import Result
from harness.settings import settings

GOOD, WARNING, CRITICAL, UNKNOWN = range(4)
NAMES = ("ok", "warning", "critical", "unknown")


class CheckCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.store.chmod(0o700)

    @staticmethod
    def environment(env: dict[str, str]) -> dict[str, str]:
        return {"LIBVIRT_DRIVER_DIR": settings().secret_only, **env}

    def check(self, *options: str, **env: str) -> Result:
        return self.keyhold.run("check", *options, env=self.environment(env))

    def found(self, *options: str, **env: str) -> tuple[int, list[tuple[str, str]]]:
        done = self.check("--json", *options, **env)
        told = json.loads(done.out)
        self.assertEqual(told["exit"], done.code)
        [store] = told["stores"]
        return done.code, [(cause["severity"], cause["kind"]) for cause in store["causes"]]

    def assertComes(self, severity: int, kind: str) -> None:
        """It is there, whatever else is."""
        self.assertIn((NAMES[severity], kind), self.found()[1])

    def assertFound(self, severity: int, *kinds: str, options: tuple[str, ...] = (), **env: str) -> None:
        code, found = self.found(*options, **env)
        self.assertEqual((code, found), (severity, [(NAMES[severity], kind) for kind in kinds]))
