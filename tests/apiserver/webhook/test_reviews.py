"""The admission webhook on a real API server: what it refuses, and what it warns of."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from spidercoordinator.errors import ApiInvalidError
from spidercoordinator.kube.resource import NODES
from testbed import binaries
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.installers import Installers
from tests.apiserver.networks import MACVLAN, Networks
from tests.apiserver.webhook.conftest import BAD, refuses

REFUSED = 'spidercoordinator_webhook_reviews_total{kind="SpiderMultusConfig",result="refused"}'


async def test_refusal_names_field_and_what_is_allowed(networks: Networks) -> None:
    with pytest.raises(ApiInvalidError, match=r"spec\.customCNI: it is JSON, but not"):
        await networks.make("bad", BAD)


async def test_good_network_passes_and_works(networks: Networks) -> None:
    await networks.make("good")
    await networks.ready("good")


async def test_rival_is_refused_while_the_first_is_there(networks: Networks) -> None:
    await networks.wanting("first", "common")
    await networks.ready("first")
    with pytest.raises(ApiInvalidError, match="SpiderMultusConfig first"):
        await networks.wanting("second", "common")


async def test_cr_name_cannot_change(networks: Networks) -> None:
    with pytest.raises(ApiInvalidError, match="cr-name"):
        await networks.change(
            "first", {"metadata": {"annotations": {"multus.spidernet.io/cr-name": "other"}}}
        )


async def test_one_that_lost_its_name_can_be_relabelled_and_renamed(
    networks: Networks, webhook: Operator
) -> None:
    webhook.stop()
    await networks.wanting("late", "common")
    webhook.start()
    await networks.has("late", "NameConflict")
    await eventually("the webhook answers again", lambda: refuses(networks))
    await networks.change("late", {"metadata": {"labels": {"a": "b"}, "finalizers": ["x.org/y"]}})
    await networks.change("late", {"spec": {"macvlan": {"master": ["eth1"]}}})
    annotations = {"multus.spidernet.io/cr-name": "first"}
    with pytest.raises(ApiInvalidError, match="cr-name"):
        await networks.change("first", {"metadata": {"annotations": annotations}})
    annotations["multus.spidernet.io/cr-name"] = "late"
    await networks.change("late", {"metadata": {"annotations": annotations, "finalizers": None}})
    await networks.ready("late")
    assert await networks.nad("late")
    await networks.delete("late")


async def test_a_refusal_is_no_error_in_the_log(networks: Networks, webhook: Operator) -> None:
    with pytest.raises(ApiInvalidError):
        await networks.make("logged", BAD)
    lines = [each for each in webhook.text().splitlines() if "default/logged" in each]
    assert len(lines) == 1
    assert " INFO " in lines[0]
    assert "object=SpiderMultusConfig default/logged" in lines[0]
    assert "user=" in lines[0]
    assert webhook.metric(REFUSED) >= 1


def applied(server: ApiServer, spec: dict[str, Any], *flags: str, name: str) -> str:
    """What kubectl shows beside the result when it applies a network."""
    thing = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
    command = [str(binaries.ensure() / "kubectl"), f"--kubeconfig={server.kubeconfig}"]
    shown = subprocess.run(
        [*command, "apply", *flags, "-f", "-"],
        input=json.dumps(thing),
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return shown.stderr


def test_doubtful_address_is_shown_by_kubectl(own_server: ApiServer, networks: Networks) -> None:
    assert networks
    spec = {**MACVLAN, "coordinator": {"vethLinkAddress": "169.254.169.254"}}
    shown = applied(own_server, spec, name="doubtful")
    assert "Warning: spec.coordinator.vethLinkAddress" in shown
    assert "metadata service" in shown


def test_field_that_the_api_server_drops_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    assert networks
    spec = {"cniType": "sriov", "sriov": {"resourceName": "acme.io/vf", "enableRdma": True}}
    shown = applied(own_server, spec, "--validate=false", name="old-field")
    assert "Warning: spec.sriov.enableRdma: there is no such field; it is called rdma" in shown


async def test_what_is_inherited_and_left_out_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    cluster = Cluster(networks.api)
    await cluster.coordinator({"podCIDRType": "none", "podMACPrefix": "0a:1b"})
    ipvlan = {"cniType": "ipvlan", "ipvlan": {"master": ["eth0"]}}

    async def shown() -> bool:
        told = applied(own_server, ipvlan, "--dry-run=server", name="inherits")
        return "Warning: spec.coordinator.podMACPrefix: 0a:1b of SpiderCoordinator" in told

    await eventually("kubectl shows the warning", shown)
    await cluster.coordinator({"podCIDRType": "none"})


async def test_master_that_no_node_has_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    installers = Installers(networks.api)

    def shown(master: str) -> str:
        # It is there already, on another master: this is a change.
        spec = {"cniType": "macvlan", "macvlan": {"master": [master]}}
        return applied(own_server, spec, "--dry-run=server", name="moved")

    async def shows(master: str, text: str) -> None:
        async def check() -> bool:
            found = shown(master)
            return text in found if text else not found

        await eventually(f"{master}: kubectl shows {text!r}", check)

    applied(own_server, MACVLAN, name="moved")
    await installers.start("other", labels={"app": "other"})
    await installers.tell("other", "eth9")
    for node in ("node-1", "node-2", "node-3"):
        await installers.start(node)
    assert shown("eth9") == ""
    await installers.tell("node-1", "eth0")
    await shows("eth9", 'Warning: spec.macvlan.master[0]: interface "eth9" is not on the only node')
    await installers.tell("node-2", "eth0", "eth1")
    await shows("eth9", "is not on any of the 2 nodes that report (node-1, node-2), so pods fail")
    assert shown("eth0") == ""
    await shows("eth1", "is not on 1 of 2 nodes (node-1), so pods fail there")
    await installers.tell("node-2", "eth0", truncated=True)
    await shows("eth9", "of 1 it is not known (node-2)")
    await installers.end("node-2")
    await shows("eth9", "is not on the only node that reports (node-1)")
    await installers.end("node-1", "node-3", "other")
    await shows("eth9", "")


async def test_a_range_that_another_network_gives_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.6.0.0/24"}]]}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": ipam}
    assert "overlaps" not in applied(own_server, spec, name="first")

    async def shown() -> bool:
        told = applied(own_server, spec, "--dry-run=server", name="second")
        return "Warning: spec.ipam: 10.6.0.1 to 10.6.0.255 overlaps" in told and "/first" in told

    await eventually("kubectl shows the warning", shown)
    await networks.delete("first")


async def test_an_address_of_a_node_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    await networks.api.create(NODES, {"metadata": {"name": "near"}})
    addresses = {"addresses": [{"type": "InternalIP", "address": "10.66.0.77"}]}
    await networks.api.patch(NODES, "near", patch={"status": addresses}, subresource="status")
    spec = {**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.66.0.0/24"}}

    async def shown() -> bool:
        text = applied(own_server, spec, "--dry-run=server", name="over-nodes")
        return "10.66.0.77 of node near" in text

    await eventually("the webhook warns", shown)
    await networks.api.delete(NODES, "near")
