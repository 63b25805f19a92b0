"""Every SpiderMultusConfig shown in the docs is taken as written and becomes a NAD."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.core.network.validation import find_problems
from spidercoordinator.kube.resource import SPIDERCOORDINATORS
from tests.apiserver.harness import COMMAND, Cluster
from tests.apiserver.networks import Networks

pytestmark = pytest.mark.usefixtures("operator")

DOCUMENT = Path(__file__).parents[2] / "docs" / "spidermultusconfig.md"
TYPES = ("macvlan", "ipvlan", "vlan", "sriov", "ib-sriov", "ipoib", "ovs", "custom")


def examples() -> Iterator[dict[str, Any]]:
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        yield from (each for each in yaml.safe_load_all(block) if each)


EXAMPLES = {each["metadata"]["name"]: each for each in examples()}


def test_each_type_has_a_minimal_and_a_full_example() -> None:
    assert {f"{each}-{size}" for each in TYPES for size in ("minimal", "full")} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_example_becomes_a_nad(name: str, cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    example = EXAMPLES[name]
    annotations = example["metadata"].get("annotations", {})
    networks = Networks(cluster.api)
    await networks.make(name, example["spec"], annotations)
    await networks.ready(name)
    nad = await networks.nad(annotations.get(CR_NAME, name))
    assert nad["spec"].get("config", "") or name == "custom-minimal"
    assert list(find_problems(await networks.get(name))) == []


def rendered(*files: Path) -> dict[str, str | None]:
    """The configurations that `spidercoordinator render` prints, by the name of the NAD."""
    command = [str(COMMAND), "render", *(f"--filename={each}" for each in files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return {
        nad["metadata"]["name"]: nad["spec"].get("config")
        for nad in yaml.safe_load_all(done.stdout)
    }


async def test_render_prints_what_the_operator_makes(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.coordinator_in_effect({"podCIDRType": "none", "vethLinkAddress": "169.254.100.1"})
    networks, made = Networks(cluster.api), {}
    for name, example in EXAMPLES.items():
        annotations = example["metadata"].get("annotations", {})
        await networks.make(name, example["spec"], annotations)
        await networks.ready(name)
        wanted = annotations.get(CR_NAME, name)
        made[wanted] = (await networks.nad(wanted))["spec"].get("config")
    here = tmp_path / "here.yaml"
    here.write_text(yaml.safe_dump_all([await cluster.api.get(SPIDERCOORDINATORS, "default")]))
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump_all(EXAMPLES.values()))
    assert rendered(here, mine) == made
