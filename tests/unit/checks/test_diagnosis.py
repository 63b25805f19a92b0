"""The doctor's findings, from objects as the API server gives them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from spidercoordinator.api.nad import CONTENT_HASH
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.datapath import ClusterComponents, known_conflicts
from spidercoordinator.core.checks.diagnosis import Finding, Snapshot, diagnose


def coordinator(name: str = "default", status: Object | None = None, **meta: Any) -> Object:
    good = {"phase": "Synced", "observedGeneration": 1}
    return {"metadata": {"name": name, "generation": 1, **meta}, "status": good | (status or {})}


def network(conditions: list[Object], observed: int = 1) -> Object:
    return {
        "metadata": {"name": "net", "namespace": "apps", "generation": 1},
        "status": {"observedGeneration": observed, "conditions": conditions},
    }


def condition(kind: str, status: str) -> Object:
    return {"type": kind, "status": status, "reason": "Why", "message": "because"}


def nad(*plugins: Object, ours: bool = False, text: str | None = None) -> Object:
    meta = {"name": "net", "namespace": "apps", "annotations": {CONTENT_HASH: "x"} if ours else {}}
    config = json.dumps({"name": "net", "plugins": plugins}) if text is None else text
    return {"metadata": meta, "spec": {"config": config}}


def installer(wanted: int, ready: int) -> Object:
    meta = {"name": "installer", "namespace": "spiderpool"}
    return {
        "metadata": meta,
        "status": {"desiredNumberScheduled": wanted, "numberReady": ready},
    }


def lease(renewed: str, holder: str | None = "operator-1") -> Object:
    meta = {"name": "operator", "namespace": "spiderpool"}
    return {"metadata": meta, "spec": {"holderIdentity": holder, "renewTime": renewed}}


HEALTHY = Snapshot(
    "default",
    [coordinator()],
    [network([condition("Ready", "True"), condition("VethLinkAddress", "True")])],
    [nad({"type": "macvlan"}, {"type": "coordinator", "serviceCIDR": []}, ours=True)],
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    leases=[lease("2026-01-02T03:04:00.000000Z")],
)
MACVLAN = {"type": "macvlan"}


def snapshot(**changed: Any) -> Snapshot:
    return Snapshot(**({name: getattr(HEALTHY, name) for name in HEALTHY.__slots__} | changed))


@pytest.mark.parametrize(
    ("changed", "level", "what", "text"),
    [
        (
            {"leases": [lease("2026-01-02T03:02:00.000000Z")]},
            "ERROR",
            "Lease spiderpool/operator",
            "operator-1 has not renewed it for 125 s, so no operator works",
        ),
        (
            {"leases": [lease("2026-01-02T03:04:00.000000Z", holder=None)]},
            "ERROR",
            "Lease spiderpool/operator",
            "nobody holds it",
        ),
        ({"leases": [lease("") | {"spec": {}}]}, "ERROR", "Lease spiderpool/operator", "nobody"),
        ({"coordinators": None}, "ERROR", "kind SpiderCoordinator", "install the chart"),
        ({"coordinators": []}, "ERROR", "SpiderCoordinator default", "does not exist"),
        (
            {"coordinators": [coordinator(), coordinator("other")]},
            "NOTE",
            "SpiderCoordinator other",
            "takes no effect",
        ),
        (
            {"coordinators": [coordinator(deletionTimestamp="now")]},
            "ERROR",
            "SpiderCoordinator default",
            "is being deleted",
        ),
        (
            {"coordinators": [coordinator(status={"phase": None})]},
            "ERROR",
            "SpiderCoordinator default",
            "has no status",
        ),
        (
            {"coordinators": [coordinator(generation=2)]},
            "WARNING",
            "SpiderCoordinator default",
            "was changed since",
        ),
        (
            {"coordinators": [coordinator(status={"phase": "NotReady", "reason": "no CIDR"})]},
            "ERROR",
            "SpiderCoordinator default",
            "NotReady: no CIDR",
        ),
        (
            {"coordinators": [coordinator(status={"conditions": [condition("Degraded", "True")]})]},
            "WARNING",
            "SpiderCoordinator default",
            "because",
        ),
        (
            {
                "coordinators": [
                    coordinator(status={"networks": {"inSync": 1, "total": 2, "summary": "1 of 2"}})
                ]
            },
            "WARNING",
            "SpiderCoordinator default",
            "1 of 2 networks in sync",
        ),
        (
            {"networks": [network([], observed=0)]},
            "ERROR",
            "SpiderMultusConfig apps/net",
            "was not reconciled",
        ),
        (
            {"networks": [network([condition("Ready", "False")])]},
            "ERROR",
            "SpiderMultusConfig apps/net",
            "not Ready, Why: because",
        ),
        (
            {"networks": [network([condition("Degraded", "True")])]},
            "WARNING",
            "SpiderMultusConfig apps/net",
            "Degraded, Why: because",
        ),
        ({"nads": None}, "ERROR", "kind NetworkAttachmentDefinition", "install Multus"),
        (
            {"nads": [nad(text="{")]},
            "ERROR",
            "NetworkAttachmentDefinition apps/net",
            "spec.config is no JSON",
        ),
        (
            {"nads": [nad({"type": "coordinator", "serviceCIDR": []})]},
            "ERROR",
            "NetworkAttachmentDefinition apps/net",
            "is its first plugin",
        ),
        (
            {"nads": [nad(MACVLAN, {"type": "coordinator"})]},
            "NOTE",
            "NetworkAttachmentDefinition apps/net",
            "hand-written",
        ),
        (
            {"nads": [nad(MACVLAN, {"type": "coordinator", "notReadyReason": "no"}, ours=True)]},
            "ERROR",
            "NetworkAttachmentDefinition apps/net",
            "its pods do not start: no",
        ),
        ({"installers": []}, "ERROR", "DaemonSet of the node installer", "does not exist"),
        ({"installers": [installer(0, 0)]}, "ERROR", "DaemonSet spiderpool/installer", "no node"),
        ({"installers": [installer(3, 2)]}, "ERROR", "DaemonSet spiderpool/installer", "2 of 3"),
        (
            {"installers": [installer(3, 3)]},
            "NOTE",
            "DaemonSet spiderpool/installer",
            "kubectl exec -n spiderpool daemonset/installer -- /coordinator-install doctor",
        ),
    ],
)
def test_findings(changed: Object, level: str, what: str, text: str) -> None:
    [finding] = diagnose(snapshot(**changed))
    assert (finding.level, finding.what) == (level, what)
    assert text in finding.line


def test_a_healthy_cluster() -> None:
    assert list(diagnose(HEALTHY)) == []


@pytest.mark.parametrize("text", ["[]", "null", "7", '{"plugins":[1,null]}', '{"plugins":{}}'])
def test_odd_configurations_do_not_crash(text: str) -> None:
    assert list(diagnose(snapshot(nads=[nad(text=text)]))) == []


def test_a_finding_is_one_line() -> None:
    assert Finding("NOTE", "a", "b\nc", "d").line == "NOTE     a: b c: d"


def proxy(text: str) -> Object:
    return {"data": {"config.conf": text}}


@pytest.mark.parametrize(
    ("components", "message"),
    [
        (ClusterComponents(), ""),
        (ClusterComponents(cilium={"data": {"kube-proxy-replacement": "false"}}), ""),
        (
            ClusterComponents(cilium={"data": {"kube-proxy-replacement": "true"}}),
            "bpf.hostLegacyRouting",
        ),
        (
            ClusterComponents(
                cilium={
                    "data": {
                        "kube-proxy-replacement": "true",
                        "enable-host-legacy-routing": "true",
                    }
                }
            ),
            "",
        ),
        (ClusterComponents(felix={"spec": {"bpfEnabled": True}}), "bpfEnabled"),
        (ClusterComponents(felix={"spec": {}}), ""),
        (
            ClusterComponents(kube_proxy=proxy("mode: ''"), version="v1.34.4"),
            "tcpBeLiberal: true there",
        ),
        (
            ClusterComponents(kube_proxy=proxy("mode: iptables"), version="v1.28.9"),
            "to 1 on the nodes",
        ),
        (ClusterComponents(kube_proxy=proxy("mode: nftables"), version="v1.34.4"), ""),
        (
            ClusterComponents(
                kube_proxy=proxy("conntrack: {tcpBeLiberal: true}"), version="v1.34.4"
            ),
            "",
        ),
        (ClusterComponents(kube_proxy=proxy("{")), "config.conf is no YAML: line 1, column 2: "),
        (ClusterComponents(kube_router_firewall=True), "--run-firewall=false"),
        (ClusterComponents(spiderpool=True), "only one of both"),
    ],
)
def test_known_conflicts(components: ClusterComponents, message: str) -> None:
    text = " ".join(finding.line for finding in known_conflicts(components))
    assert message in text
    assert bool(message) == bool(text)


@pytest.mark.parametrize(
    "text", ["conntrack: hello", "conntrack: [1]", "a: !!int x", "a: 2026-13-45", "[" * 5000, "5"]
)
def test_a_configuration_of_kube_proxy_can_hold_anything(text: str) -> None:
    components = ClusterComponents(kube_proxy=proxy(text), version="v1.34.4")
    no_yaml = text.startswith(("a: ", "["))
    assert len(list(known_conflicts(components))) == (no_yaml or "conntrack" in text)
