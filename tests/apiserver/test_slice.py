"""The thin slice: an object appears, CIDRs are found, networks follow, everything can go again."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.coordinator import FINALIZER
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
)
from tests.apiserver.harness import Cluster, Operator, condition, eventually, kubeadm_config

pytestmark = pytest.mark.usefixtures("operator")

SERVICE = "10.96.0.0/16"


async def synced(cluster: Cluster) -> dict[str, Any]:
    async def check() -> dict[str, Any] | None:
        status = await cluster.status()
        return status if status.get("phase") == "Synced" else None

    status: dict[str, Any] = await eventually("SpiderCoordinator default is Synced", check)
    return status


async def test_both_lists_come_from_the_service_cidr_objects_and_kubeadm(cluster: Cluster) -> None:
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config('"10.244.0.0/16,fd00:10:244::/56"', SERVICE)
    )
    await cluster.coordinator()

    async def both() -> dict[str, Any] | None:
        status = await cluster.status()
        return status if status.get("overlayPodCIDR") else None

    status = await eventually("pod CIDRs are found", both)
    assert status["phase"] == "Synced"
    assert "reason" not in status
    assert status["overlayPodCIDR"] == ["10.244.0.0/16", "fd00:10:244::/56"]
    assert status["serviceCIDR"] == [SERVICE]
    assert status["podCIDRType"] == "cluster"
    assert status["sources"] == {
        "overlayPodCIDR": "kubeadm-config",
        "serviceCIDR": "ServiceCIDR API",
    }
    assert status["observedGeneration"] == 1
    assert condition(status, "Ready")["status"] == "True"


async def test_a_metric_shows_whether_the_object_is_ready(
    cluster: Cluster, operator: Operator
) -> None:
    async def ready() -> bool:
        return operator.metric("spidercoordinator_ready") == 1

    async def not_ready() -> bool:
        return not await ready()

    await cluster.coordinator({"podCIDRType": "none"})
    await eventually("the metric is 1", ready)
    await cluster.api.delete(SPIDERCOORDINATORS, "default")
    await eventually("the metric is 0", not_ready)


async def test_the_object_bears_the_finalizer_and_can_be_deleted(cluster: Cluster) -> None:
    await cluster.coordinator()

    async def held() -> bool:
        thing = await cluster.api.find(SPIDERCOORDINATORS, "default")
        return bool(thing and FINALIZER in thing["metadata"].get("finalizers", ()))

    await eventually("the finalizer is set", held)
    await cluster.api.delete(SPIDERCOORDINATORS, "default")

    async def gone() -> bool:
        return await cluster.api.find(SPIDERCOORDINATORS, "default") is None

    await eventually("the deletion completes", gone)


async def test_a_change_of_the_coordinator_reaches_every_network(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    names = [f"net-{number}" for number in range(20)]
    for name in names:
        await cluster.network(name)

    async def carry(table: int) -> bool:
        sections = [await cluster.section(name) for name in names]
        return all(section.get("hostRuleTable") == table for section in sections)

    await eventually("all carry the default", lambda: carry(500))
    await cluster.coordinator({"hostRuleTable": 777})
    await eventually("all carry the change", lambda: carry(777))

    async def counted() -> bool:
        networks = (await cluster.status()).get("networks")
        return bool(networks == {"inSync": 20, "total": 20, "summary": "20 of 20"})

    await eventually("the status counts them", counted)


async def test_a_change_of_a_network_reaches_its_attachment_at_once(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await cluster.network("own", {"coordinator": {"vethLinkAddress": "169.254.100.1"}})

    async def address() -> bool:
        return (await cluster.section("own")).get("vethLinkAddress") == "169.254.100.1"

    await eventually("the network's own value is rendered", address)
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, "own", "default")
    await eventually("a deleted attachment comes back", address)
    await cluster.api.patch(
        NETWORK_ATTACHMENT_DEFINITIONS, "own", "default", patch={"spec": {"config": "{}"}}
    )
    await eventually("an edited attachment is mended", address)


async def test_without_a_coordinator_networks_say_what_is_missing(cluster: Cluster) -> None:
    await cluster.network("alone")

    async def told() -> bool:
        reason = (await cluster.section("alone")).get("notReadyReason", "")
        return "SpiderCoordinator default does not exist" in reason

    await eventually("the attachment carries the reason", told)


async def test_another_coordinator_is_told_that_it_is_not_used(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 888}, name="spare")

    async def refused() -> dict[str, Any] | None:
        status = await cluster.status("spare")
        return status if condition(status, "Ready") else None

    status = await eventually("a status is written", refused)
    assert condition(status, "Ready")["reason"] == "NotSelected"
    assert "only the SpiderCoordinator named default takes effect" in status["reason"]


async def test_nodes_get_the_effective_section(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none", "vethLinkAddress": "169.254.100.1"})

    async def written() -> bool:
        found = await cluster.api.find(CONFIG_MAPS, "spidercoordinator-node-defaults", "default")
        return '"vethLinkAddress": "169.254.100.1"' in (found or {"data": {}})["data"].get(
            "coordinator.json", ""
        )

    await eventually("the ConfigMap for nodes has it", written)


async def test_transitions_are_told_as_events(cluster: Cluster) -> None:
    made = await cluster.coordinator({"podCIDRType": "none"})
    await synced(cluster)

    async def told() -> bool:
        uid = made["metadata"]["uid"]
        fields = f"involvedObject.uid={uid}"
        events, _ = await cluster.api.list(EVENTS, "default", fields=fields)
        return [event["reason"] for event in events] == ["Synced"]

    await eventually("one Event, for the one transition", told)


async def test_nothing_is_written_when_nothing_changes(
    cluster: Cluster, operator: Operator
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await synced(cluster)

    async def settled() -> str | None:
        before = operator.metric(
            'spidercoordinator_reconciles_total{kind="SpiderCoordinator",result="ok"}'
        )
        thing = await cluster.api.get(SPIDERCOORDINATORS, "default")
        version: str = thing["metadata"]["resourceVersion"]
        return version if before and FINALIZER in thing["metadata"].get("finalizers", ()) else None

    version = await eventually("the finalizer is set", settled)
    # Touch a source without a change of its content: a decision is due, a write is not.
    for annotation in ("1", "2", "3"):
        await cluster.api.apply(
            CONFIG_MAPS,
            {
                "metadata": {
                    "namespace": "kube-system",
                    "name": "unrelated",
                    "annotations": {"touched": annotation},
                }
            },
        )
    await cluster.coordinator({"podCIDRType": "none"}, name="spare")

    async def other() -> bool:
        return bool(await cluster.status("spare"))

    await eventually("later work is done", other)
    thing = await cluster.api.get(SPIDERCOORDINATORS, "default")
    assert thing["metadata"]["resourceVersion"] == version
