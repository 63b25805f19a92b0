"""README's installation, and the Istio guide, as what a new user types and then sees."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from testbed.paths import PROJECT

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
