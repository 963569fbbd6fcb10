# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root's shell in a system that is up, in which the blocks of a page are run one after the other."""

import shlex
import subprocess
import threading

from booted import Booted
from pages import Block

DIRECTORY = "/run/walk"
OUTPUT = f"{DIRECTORY}/output"
# As a reader has it, but for the end at the first command that fails.
BEGINNING = f"""
umask 022
cd /root/keyhold
PS4=
trap 'code=$?; echo "${{BASH_SOURCE##{DIRECTORY}/}}:$LINENO: exit $code: $BASH_COMMAND" >&2' ERR
set -eE
"""


class BlockFailed(AssertionError):
    pass


class Shell:
    def __init__(self, system: Booted) -> None:
        self._system = system
        system.root(DIRECTORY).mkdir(exist_ok=True)
        system.root("/root/keyhold").mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(system.enter("bash", "--noprofile", "--norc"), stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._send(BEGINNING)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, block: Block, seconds: float) -> str:
        """What it printed; raises with the line of the page if it was not to."""
        name = f"{DIRECTORY}/{block.page.replace('/', '-')}"
        # Line numbers in it are those of the page.
        self._system.write(name, "\n" * (block.line - 1) + block.text)
        source = f". {shlex.quote(name)} </dev/null >{OUTPUT} 2>&1"
        if block.marks.code == 0:
            self._send(f"{source}; echo 0\n")
        else:
            self._send(f"set +e; (set -e; {source}); code=$?; set -e; echo $code\n")
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        timer.cancel()
        output = self._system.root(OUTPUT).read_text(encoding="utf-8", errors="replace")
        if answer != str(block.marks.code):
            raise BlockFailed(f"{block.place}: ended with {answer or 'a failure'}:\n{block.text}--- printed:\n"
                              f"{output[-6000:]}")
        for text in block.marks.prints:
            if text not in output:
                raise BlockFailed(f"{block.place}: '{text}' is not in what it printed:\n{block.text}--- printed:\n"
                                  f"{output[-6000:]}")
        return output

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
