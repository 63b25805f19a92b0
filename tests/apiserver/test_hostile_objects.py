"""Objects that the API server stores and nobody wants: the others are served all the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.runtime.recursion import allow_deep_objects
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, eventually, kubeadm_config
from tests.apiserver.networks import MACVLAN, Networks

DEPTHS = (101, 1_500, 9_900)
TEXTS = {
    "deep": "[" * 60_000,
    "deep-and-closed": '{"type":' * 400 + '"x"' + "}" * 400,
    "twice": '{"type":"a","type":"b"}',
    "surrogate": r'{"type":"\ud800"}',
    "infinite": '{"type":"a","x":Infinity}',
}
LONG_NUMBER = '{"cniVersion":"1.0.0","name":"n","type":"a","x":' + "9" * 60_000 + "}"


@pytest.fixture
def operator(server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    running = Operator(server.kubeconfig, tmp_path / "log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def networks(cluster: Cluster) -> AsyncIterator[Networks]:
    # This process, too, reads what it has stored.
    allow_deep_objects()
    await cluster.coordinator({"podCIDRType": "none"})
    yield Networks(cluster.api)
    await cluster.clean()


def deep(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


async def test_json_of_any_depth_and_size_is_said_to_be_invalid(
    networks: Networks, operator: Operator
) -> None:
    for levels in DEPTHS:
        await networks.make(f"deep-{levels}", {**MACVLAN, "ipam": {"type": "x", "a": deep(levels)}})
    for name, text in TEXTS.items():
        await networks.make(f"custom-{name}", {"cniType": "custom", "customCNI": text})
        chain = {**MACVLAN, "chainCNIJsonData": [text[:16_000]]}
        await networks.make(f"chain-{name}", chain)
    await networks.make("long-number", {"cniType": "custom", "customCNI": LONG_NUMBER})
    for levels in DEPTHS:
        found = await networks.has(f"deep-{levels}", "Invalid")
        assert found["message"].startswith("spec.ipam: it is nested more than 100 levels deep")
    for name in TEXTS:
        assert "spec.customCNI" in (await networks.has(f"custom-{name}", "Invalid"))["message"]
        found = await networks.has(f"chain-{name}", "Invalid")
        assert "spec.chainCNIJsonData[0]" in found["message"]
    await networks.ready("long-number")
    # A start reads all of them in one list.
    operator.stop()
    operator.start()
    await networks.make("good")
    await networks.ready("good")
    assert "Traceback" not in operator.text()


YAML = {
    "a cycle": "networking: &a\n  podSubnet: *a\n  serviceSubnet: *a\n",
    "an integer too long": f"networking:\n  podSubnet: {'9' * 5000}\n",
    "no date": "networking:\n  podSubnet: 2001-99-99\n",
    "deep": "networking: " + "[" * 3000,
    "deep and closed": "networking: " + "[" * 3000 + "]" * 3000,
    "a tag": "networking: !!python/object/apply:os.system [x]\n",
    "no key": "? {a: b}\n: c\nnetworking: {? [x] : y}\n",
    "a null byte": 'networking: "\\0"\n',
    "a set": "networking: !!set {podSubnet, serviceSubnet}\n",
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "networking: {podSubnet: *i, serviceSubnet: *i}\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in YAML.items()])
async def test_a_config_map_of_odd_yaml_ends_nothing(
    networks: Networks, cluster: Cluster, operator: Operator, text: str
) -> None:
    await cluster.coordinator({"podCIDRType": "cluster"})
    await cluster.config_map("kube-system", "kubeadm-config", {"ClusterConfiguration": text})
    good = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await networks.make("good")
    await cluster.config_map("kube-system", "kubeadm-config", good)

    async def rendered() -> bool:
        section = await cluster.section("good")
        return section.get("overlayPodCIDR") == ["10.244.0.0/16"]

    await eventually("a network is rendered from what was corrected", rendered)
    assert operator.running()
    assert operator.text().count("unexpected error") <= 1
