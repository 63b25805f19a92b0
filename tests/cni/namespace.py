"""A network namespace and what tests ask of it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from testbed import built

Json: TypeAlias = dict[str, Any]

SLOWNESS = 1 if built.folder() is None else 10
"""How many times longer than elsewhere anything may take: more where the processor is emulated."""


def run(*argv: str | Path, check: bool = True, stdin: str | None = None) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(
        [str(word) for word in argv],
        check=False,
        text=True,
        capture_output=True,
        input=stdin,
        timeout=60 * SLOWNESS,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{argv} ended with {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


@dataclass
class Namespace:
    """A network namespace that is removed at the end of the test."""

    name: str

    @property
    def path(self) -> Path:
        return Path("/run/netns") / self.name

    def create(self) -> None:
        run("ip", "netns", "add", self.name)
        self.run("ip link set lo up")

    def delete(self) -> None:
        run("ip", "netns", "del", self.name, check=False)

    def argv(self, command: str) -> list[str]:
        """Return the command line that runs a command inside."""
        return ["nsenter", f"--net={self.path}", *command.split()]

    def run(self, command: str, *, check: bool = True, stdin: str | None = None) -> str:
        """Run a command inside."""
        return run(*self.argv(command), check=check, stdin=stdin)

    def ok(self, command: str) -> bool:
        """Say whether a command inside succeeds."""
        done = subprocess.run(
            self.argv(command), check=False, capture_output=True, timeout=60 * SLOWNESS
        )
        return done.returncode == 0

    def ip(self, words: str) -> list[Json]:
        """Return the answer of an ip command as objects."""
        text = self.run(f"ip -details -json {words}", check=False).strip()
        answer: list[Json] = json.loads(text) if text else []
        return [entry for entry in answer if entry]

    def link(self, name: str) -> Json | None:
        return next((link for link in self.ip("link show") if link["ifname"] == name), None)

    def addresses(self, dev: str) -> list[str]:
        """Return the addresses of an interface as address/length."""
        infos = [info for link in self.ip(f"addr show dev {dev}") for info in link["addr_info"]]
        return [f"{info['local']}/{info['prefixlen']}" for info in infos]

    def routes(self, family: int = 4, table: int | str = "main") -> list[str]:
        """Return the routes of a table as ip prints them, without spaces at the end."""
        lines = self.run(f"ip -{family} route show table {table}", check=False).splitlines()
        return [" ".join(line.split()) for line in lines]

    def rules(self, family: int = 4) -> list[str]:
        return [" ".join(line.split()) for line in self.run(f"ip -{family} rule show").splitlines()]

    def neighbours(self, family: int = 4) -> list[str]:
        lines = self.run(f"ip -{family} neigh show nud permanent").splitlines()
        return [" ".join(line.split()) for line in lines]

    def route_get(self, words: str, family: int = 4) -> str:
        return self.run(f"ip -{family} route get {words}").splitlines()[0]

    def sysctl(self, key: str) -> str:
        return self.run(f"cat /proc/sys/{key.replace('.', '/')}").strip()
