"""What docs and the plugin's source say of what is warned of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from spidercoordinator.core.network.bondoptions import ALIASES, BOND_OPTIONS, NUMBERS, WORDS
from spidercoordinator.core.network.compatibility import (
    COMPATIBILITY_RULES,
)
from tests.unit.network.compatibility.networks import Spec, warnings

ROOT = Path(__file__).parents[4]
DOCUMENT = ROOT / "docs" / "spidermultusconfig.md"


def documented() -> list[Spec]:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [each for block in blocks for each in yaml.safe_load_all(block) if each]


@pytest.mark.parametrize("example", documented(), ids=lambda each: each["metadata"]["name"])
def test_no_example_of_the_docs_is_warned_of(example: Spec) -> None:
    assert warnings(example["spec"]) == []


def test_every_reason_is_in_the_docs() -> None:
    text = DOCUMENT.read_text()
    reasons = {rule.reason for rule in COMPATIBILITY_RULES if rule.severity == "warning"}
    assert [each for each in sorted(reasons) if f"`{each}`" not in text] == []


def test_bond_options_are_those_of_the_plugin() -> None:
    source = (ROOT / "cni" / "internal" / "ifacer" / "options.go").read_text()
    constants = dict(re.findall(r'^\t(\w+) += "(\w+)"$', source, re.MULTILINE))
    tables = re.findall(r"^var option\w+ = .*?\n}\n", source, re.MULTILINE | re.DOTALL)
    assert len(tables) == 2
    keys = re.findall(r'(?:^\t"?|, ")(\w+)"?: ', "".join(tables), re.MULTILINE)
    assert {constants.get(key, key) for key in keys} == BOND_OPTIONS


def test_values_of_bond_options_are_those_of_the_plugin() -> None:
    source = (ROOT / "cni" / "internal" / "ifacer" / "options.go").read_text()
    numbers = re.findall(r'"(\w+)": +numbers\((\w+)\)', source)
    assert {name: int(most.replace("most32", str(2**31 - 1))) for name, most in numbers} == NUMBERS
    words = re.findall(r'"(\w+)": +words\((.*)\),', source)
    named = {name: tuple(re.findall(r'"([^"]+)"', inner)) for name, inner in words}
    switches = re.findall(r'"(\w+)": +onOff\(\)', source)
    assert named | dict.fromkeys(switches, ("off", "on")) == WORDS
    table = re.search(r"optionAliases = .*?\n}\n", source, re.DOTALL)
    assert table is not None
    assert dict(re.findall(r'"(\w+)": "(\w+)"', table[0])) == ALIASES
