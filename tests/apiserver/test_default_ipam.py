"""Networks that name no IPAM, with no setting for them: Spiderpool's, or a sentence."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from spidercoordinator.core.network.ipam import NO_IPAM, SPIDERPOOL_KIND
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl, serving_our_kinds
from tests.apiserver.harness import COMMAND, Cluster, Operator, condition, eventually
from tests.apiserver.networks import MACVLAN, Networks

POOLS = {"cniType": "macvlan", "macvlan": {"master": ["eth0"], "ippools": {"ipv4": ["p"]}}}


def spiderpools_crd() -> dict[str, Any]:
    """The CRD of Spiderpool's pools, without its schema."""
    plural, _, group = SPIDERPOOL_KIND.partition(".")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v2beta1", "served": True, "storage": True}
    return {
        "metadata": {"name": SPIDERPOOL_KIND},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"kind": "SpiderIPPool", "plural": plural},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture(scope="module")
def plain() -> Iterator[ApiServer]:
    with serving_our_kinds() as running:
        yield running


@pytest.fixture(scope="module")
def unset(plain: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    given = {"SPIDERCOORDINATOR_DEFAULT_IPAM": "{}"}
    running = Operator(plain.kubeconfig, tmp_path_factory.mktemp("unset") / "log", given)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def networks(plain: ApiServer, unset: Operator) -> AsyncIterator[Networks]:
    assert unset.running()
    async with Client(await Login.find({"KUBECONFIG": str(plain.kubeconfig)})) as client:
        await Cluster(client).coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]})
        yield Networks(client)


async def plugins(networks: Networks, name: str) -> list[dict[str, Any]]:
    config = json.loads((await networks.nad(name))["spec"]["config"])
    found: list[dict[str, Any]] = config["plugins"]
    return found


async def test_a_network_says_what_it_lacks_until_spiderpool_is_there(networks: Networks) -> None:
    await networks.make("plain")
    await networks.make("pools", POOLS)
    await networks.make("own", {**MACVLAN, "ipam": {"type": "dhcp"}})
    said = await networks.has("plain", "NoIPAM")
    assert said["message"] == NO_IPAM
    status = (await networks.get("plain"))["status"]
    assert condition(status, "Ready")["reason"] == "NoIPAM"
    told = [{"type": "coordinator", "notReadyReason": NO_IPAM}]
    assert await plugins(networks, "plain") == told
    await networks.ready("own")
    # It asks for Spiderpool by name: it is rendered so, with a warning.
    await networks.ready("pools")
    degraded = await networks.has("pools", "Degraded")
    assert degraded["reason"] == "SpiderpoolMissing"

    await networks.api.apply(CUSTOM_RESOURCE_DEFINITIONS, spiderpools_crd())
    await networks.ready("plain")
    assert (await plugins(networks, "plain"))[0]["ipam"] == {"type": "spiderpool"}

    async def well() -> bool:
        conditions = (await networks.get("pools"))["status"]["conditions"]
        return "Degraded" not in {each["type"] for each in conditions}

    await eventually("the warning is gone", well)

    await networks.api.delete(CUSTOM_RESOURCE_DEFINITIONS, SPIDERPOOL_KIND)
    await networks.has("plain", "NoIPAM")
    assert await plugins(networks, "plain") == told

    async def gone() -> bool:
        return await networks.api.find(CUSTOM_RESOURCE_DEFINITIONS, SPIDERPOOL_KIND) is None

    # What is applied to it while it is being deleted goes with it.
    await eventually("the CRD is gone", gone)


async def test_render_takes_the_clusters_ipam_from_its_status(
    networks: Networks, plain: ApiServer
) -> None:
    await networks.api.apply(CUSTOM_RESOURCE_DEFINITIONS, spiderpools_crd())

    async def told() -> bool:
        return (await Cluster(networks.api).status()).get("defaultIPAM") == {"type": "spiderpool"}

    await eventually("the status says which IPAM is taken", told)
    await networks.make("rendered")
    await networks.ready("rendered")
    shown = "".join(
        kubectl(plain.kubeconfig, "get", kind, "--all-namespaces", "-o", "yaml") + "---\n"
        for kind in ("spidercoordinators", "spidermultusconfigs")
    )
    command = [str(COMMAND), "render", "-f", "-"]
    rendering = asyncio.to_thread(
        subprocess.run, command, input=shown, check=True, capture_output=True, text=True, timeout=60
    )
    done = await rendering
    assert (await networks.nad("rendered"))["spec"]["config"] in done.stdout
