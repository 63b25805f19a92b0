"""What cannot be read is not absent: lists and type stay, and the status says why.

The operator runs with the chart's rights, from which a test takes some away: every list of that
kind is then refused with 403, as after a mistake in a role.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.discovery import servicedryrun
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    Resource,
)
from testbed.apiserver import ApiServer
from tests.apiserver import foreign
from tests.apiserver.harness import Cluster, Operator, condition, eventually, kubeadm_config
from tests.apiserver.rights import Rights

SPACE = "unreadable"
OF_CALICO = ("ippools", "ipamblocks")
ALL_SOURCES = (
    *OF_CALICO,
    *("ciliumpodippools", "ciliumnodes", "configmaps", "pods", "nodes", "daemonsets"),
    *("servicecidrs", "services"),
)
SERVICE = ["10.96.0.0/16"]
PODS = {"calico": ["10.222.64.0/18"], "cluster": ["10.244.0.0/16"]}
SIDECARS = Resource("networking.istio.io", "v1", "sidecars", "Sidecar")
WATCHES_END_WITHIN = 180.0
"""Seconds; the API server looks at rights when a watch is opened, which it is each minute."""


@pytest.fixture(scope="module")
def rights(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Rights:
    return Rights(server, tmp_path_factory.mktemp("rights"), SPACE)


@pytest.fixture
def limited(rights: Rights, tmp_path: Path) -> Iterator[Operator]:
    """An operator that is not started yet."""
    made = Operator(
        rights.kubeconfig,
        tmp_path / "log",
        {
            "SPIDERCOORDINATOR_NAMESPACE": SPACE,
            "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": "test-spidercoordinator-node-defaults",
        },
    )
    yield made
    made.stop()


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster, rights: Rights) -> AsyncIterator[None]:
    await foreign.clean(cluster.api)
    yield
    rights.restore()
    await foreign.clean(cluster.api)


async def with_status(
    cluster: Cluster, what: str, seconds: float = 60.0, **wanted: Any
) -> dict[str, Any]:
    """Wait until the status has these fields and its condition Degraded says this."""
    last: dict[str, Any] = {}

    async def check() -> bool:
        last.clear()
        last.update(await cluster.status())
        said = condition(last, "Degraded").get("message", "")
        return wanted.items() <= last.items() and what in said

    try:
        await eventually(f"{wanted}, Degraded: {what}", check, seconds=seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; status: {last}") from error
    return last


async def nad_version(cluster: Cluster) -> str:
    found = await cluster.api.find(NETWORK_ATTACHMENT_DEFINITIONS, "net", "default")
    return str(found["metadata"]["resourceVersion"]) if found else ""


async def calico_runs(cluster: Cluster) -> None:
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "default-ipv4-ippool", "10.222.64.0/18")
    await foreign.daemon_set(cluster.api, "calico-node")


async def kubeadm_made_it(cluster: Cluster) -> None:
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config("10.244.0.0/16", SERVICE[0])
    )
    await foreign.node(cluster.api, "node-1", "10.244.0.0/24")


async def rendered(cluster: Cluster, pod: list[str]) -> str:
    """Wait until the network has these pod CIDRs; the version of its NAD."""

    async def has_them() -> bool:
        return bool((await cluster.section("net")).get("overlayPodCIDR") == pod)

    await eventually(f"the network is rendered with {pod}", has_them)
    return await nad_version(cluster)


@pytest.mark.parametrize(
    ("make", "type_"),
    [(calico_runs, "calico"), (kubeadm_made_it, "cluster")],
    ids=["calico", "cluster"],
)
async def test_a_restart_that_can_read_nothing_changes_nothing(
    cluster: Cluster, limited: Operator, rights: Rights, make: Any, type_: str
) -> None:
    pod = PODS[type_]
    await make(cluster)
    await cluster.coordinator({"podCIDRType": "auto"})
    await cluster.network("net")
    limited.start()
    before = await rendered(cluster, pod)
    await with_status(cluster, "", phase="Synced", podCIDRType=type_)
    limited.stop()
    rights.take_away(*ALL_SOURCES)
    limited.start()
    status = await with_status(
        cluster, "may not list", phase="Synced", podCIDRType=type_, overlayPodCIDR=pod
    )
    assert status["serviceCIDR"] == SERVICE
    assert status["sources"]["serviceCIDR"] == "last known, from ServiceCIDR API"
    assert condition(status, "Ready")["status"] == "True"
    # A change of a setting is rendered with what is known, so the network was looked at, too.
    assert await nad_version(cluster) == before
    await cluster.coordinator({"podCIDRType": "auto", "hostRuleTable": 620})

    async def followed() -> bool:
        section = await cluster.section("net")
        return bool(section["hostRuleTable"] == 620 and section["overlayPodCIDR"] == pod)

    await eventually("settings are still followed", followed)
    rights.restore()
    limited.stop()
    limited.start()
    sources = {
        "overlayPodCIDR": "Calico IPPools" if type_ == "calico" else "kubeadm-config",
        "serviceCIDR": "ServiceCIDR API",
    }
    await with_status(cluster, "", phase="Synced", sources=sources)


async def test_nothing_that_can_be_read_from_the_start_is_not_ready_and_never_none(
    cluster: Cluster, limited: Operator, rights: Rights
) -> None:
    rights.take_away(*ALL_SOURCES)
    await cluster.coordinator({"podCIDRType": "auto"})
    await cluster.network("net")
    limited.start()
    status = await with_status(cluster, "may not list", phase="NotReady")
    assert "podCIDRType" not in status
    for kind in ("daemonsets.apps", "servicecidrs.networking.k8s.io"):
        assert f"may not list {kind}" in status["reason"]

    async def told() -> bool:
        return status["reason"] in (await cluster.section("net")).get("notReadyReason", "")

    await eventually("the network says so", told)
    rights.restore()
    await with_status(cluster, "", phase="Synced", podCIDRType="none", serviceCIDR=SERVICE)


async def test_kinds_of_calico_that_are_forbidden_are_said_to_be(
    cluster: Cluster, limited: Operator, rights: Rights
) -> None:
    await kubeadm_made_it(cluster)
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "default-ipv4-ippool", "10.222.64.0/18")
    rights.take_away(*OF_CALICO)
    await cluster.coordinator({"podCIDRType": "auto"})
    limited.start()
    status = await with_status(
        cluster,
        "may not list ippools.crd.projectcalico.org",
        phase="Synced",
        podCIDRType="cluster",
        overlayPodCIDR=["10.244.0.0/16"],
    )
    assert condition(status, "Degraded")["reason"] == "SourceNotReadable"


async def test_a_dry_run_that_is_forbidden_is_unread_and_no_absence(
    rights: Rights,
) -> None:
    rights.take_away("services")
    async with Client(await Login.find({"KUBECONFIG": str(rights.kubeconfig)})) as client:
        report = await servicedryrun.ask(client, SPACE)
    assert report.service == ()
    assert report.unread.startswith("may not try to create a Service (dry run): ")


async def test_istio_that_cannot_be_told_keeps_what_was_said_of_it(
    cluster: Cluster, limited: Operator, rights: Rights
) -> None:
    await foreign.install(cluster.api, SIDECARS)
    try:
        await cluster.coordinator({"podCIDRType": "none"})
        limited.start()
        status = await with_status(cluster, "Istio is installed and", phase="Synced")
        before = condition(status, "VethLinkAddress")
        assert before["reason"] == "IstioNeedsIt"
        limited.stop()
        rights.take_away("customresourcedefinitions")
        limited.start()
        why = "whether Istio is installed cannot be told: may not list customresourcedefinitions"
        status = await with_status(cluster, why, phase="Synced")
        assert condition(status, "VethLinkAddress") == before
    finally:
        await foreign.remove(cluster.api, SIDECARS)


async def test_rights_that_are_taken_away_while_it_runs(
    cluster: Cluster, limited: Operator, rights: Rights
) -> None:
    await calico_runs(cluster)
    await cluster.coordinator({"podCIDRType": "auto"})
    await cluster.network("net")
    limited.start()
    before = await rendered(cluster, ["10.222.64.0/18"])
    await with_status(cluster, "", phase="Synced", podCIDRType="calico")
    rights.take_away(*OF_CALICO, "daemonsets")
    await with_status(
        cluster,
        "may not list daemonsets.apps",
        WATCHES_END_WITHIN,
        phase="Synced",
        podCIDRType="calico",
        overlayPodCIDR=["10.222.64.0/18"],
    )
    assert await nad_version(cluster) == before


async def test_a_change_is_an_event_and_a_log_line_with_old_and_new(
    cluster: Cluster, limited: Operator
) -> None:
    await kubeadm_made_it(cluster)
    made = await cluster.coordinator({"podCIDRType": "auto"})
    limited.start()
    await with_status(cluster, "", phase="Synced", overlayPodCIDR=["10.244.0.0/16"])
    await calico_runs(cluster)
    await with_status(cluster, "", phase="Synced", podCIDRType="calico")
    change = (
        "overlayPodCIDR is now 10.222.64.0/18 (Calico IPPools), before 10.244.0.0/16"
        " (kubeadm-config)"
    )

    async def told() -> bool:
        fields = f"involvedObject.uid={made['metadata']['uid']}"
        events, _ = await cluster.api.list(EVENTS, "default", fields=fields)
        said = {each["reason"]: each["message"] for each in events}
        return bool(
            said.get("CIDRsChanged") == change
            and said.get("PodCIDRTypeChanged") == "podCIDRType is now calico, before cluster"
        )

    await eventually("both are Events", told)
    assert change in limited.text()
    assert "podCIDRType is now calico, before cluster" in limited.text()
    assert await cluster.api.find(SPIDERCOORDINATORS, "default") is not None
