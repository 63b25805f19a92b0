"""README's installation, and the Istio guide, as what a new user types and then sees."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from testbed import ipam
from testbed.paths import PROJECT
from tests.e2e.cluster import Cluster, Object

POOLS = "ippools.whereabouts.cni.cncf.io"
SYSTEM = ipam.PROJECT.namespace
"""The namespace of whereabouts."""

_SECTION = re.compile(r"^## Install on your own cluster\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_VALUES = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"(?:^    .*\n|^\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Installation:
    """The section of README.

    Attributes:
        values: the chart's values.
        blocks: of commands, each as it stands there.
        text: README as a whole.
    """

    values: str
    blocks: tuple[str, ...]
    text: str

    @classmethod
    def read(cls) -> "Installation":
        """Read README."""
        text = (PROJECT / "README.md").read_text()
        found = _SECTION.search(text)
        assert found is not None
        section = found[1]
        values = _VALUES.search(section)
        assert values is not None
        rest = section.replace(values[0], "")
        blocks = [block for each in _CODE.findall(rest) if (block := _without_indent(each))]
        return cls(values[1], tuple(blocks), text)

    def block(self, start: str) -> str:
        """Return the one block that has a line which starts so."""
        [found] = [each for each in self.blocks if f"\n{start}" in f"\n{each}"]
        return found

    def with_values(self, path: Path) -> "Installation":
        """The same, with the values file elsewhere than in the folder where one is."""
        blocks = (block.replace("-f values.yaml", f"-f {path}") for block in self.blocks)
        return replace(self, blocks=tuple(blocks))


def _without_indent(block: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in block.splitlines()).strip()


def commands(block: str) -> list[str]:
    """Return the commands of a block without here documents, and without their comments."""
    lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line]


def shown(document: Path) -> dict[str, str]:
    """Return each command that a guide shows with `$ `, and what it shows of its output."""
    found = {}
    for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
        for each in f"\n{block}".split("\n$ ")[1:]:
            command, _, output = each.partition("\n")
            found[command] = output.strip("\n")
    return found


def typed(document: Path) -> list[str]:
    """Return the commands of a guide's numbered steps, each block as it stands there."""
    blocks = re.findall(
        r"^    ```shell\n(.*?)^    ```", document.read_text(), re.DOTALL | re.MULTILINE
    )
    return [_without_indent(block) for block in blocks]


@dataclass(frozen=True)
class Guide:
    """A cluster on which README's commands have been typed up to its network."""

    cluster: Cluster
    readme: Installation
    values: Path
    nodes: tuple[str, str]

    @property
    def ipam(self) -> Object:
        """The IPAM that README's values file gives networks."""
        found: Object = yaml.safe_load(self.values.read_text())["defaultIPAM"]
        return found

    def type(self, start: str) -> list[str]:
        """Type the block that has a line which starts so; returns what its commands printed."""
        block = self.readme.block(start)
        if "<<EOF" in block:
            return [self.cluster.shell.output(block)]
        return [self.cluster.shell.output(command) for command in commands(block)]

    def allocations(self) -> dict[str, Object]:
        """Whereabouts' allocations in the network's range, by their offset in it."""
        name = self.ipam["range"].replace("/", "-")
        pool = self.cluster.get(POOLS, name, SYSTEM) or {"spec": {}}
        return dict(pool["spec"].get("allocations") or {})

    def holders(self) -> list[str]:
        """The pods of these, without namespace, one for each allocation."""
        refs = (each["podref"].partition("/")[2] for each in self.allocations().values())
        return sorted(refs)
