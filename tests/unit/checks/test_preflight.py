"""What `spidercoordinator preflight` says of clusters."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.core.checks.preflight import Plan, Target, planned, preflight

CHART = Path(__file__).parents[3] / "charts" / "spidercoordinator"

WHEREABOUTS = {"type": "whereabouts", "range": "10.6.0.0/16"}


def node(name: str = "n1", **status: Any) -> dict[str, Any]:
    info = {"kernelVersion": "6.1.0-13-amd64", "kubeletVersion": "v1.34.4"}
    given = {"nodeInfo": info, "images": [{"names": ["reg.example.com/a/operator:1"]}]}
    return {"metadata": {"name": name}, "status": given | status}


def daemon_set(
    name: str, image: str, ready: int = 2, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels or {}},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
        "status": {"desiredNumberScheduled": 2, "numberReady": ready},
    }


def schedule(text: str, key: str = "cron-expression") -> dict[str, Any]:
    meta = {"name": "whereabouts-config", "namespace": "kube-system"}
    return {"metadata": meta, "data": {key: text}}


GOOD = Target(
    version="v1.34.4",
    nodes=[node()],
    daemon_sets=[
        daemon_set("multus", "ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.2-thick"),
        daemon_set("whereabouts", "ghcr.io/k8snetworkplumbingwg/whereabouts:v0.9.2"),
    ],
    nad_kind=True,
    spiderpool=False,
    whereabouts=True,
    reconciler=schedule("@every 876000h"),
)
PLAN = Plan(WHEREABOUTS, ("reg.example.com/a/operator:1",))


def lines(target: Target = GOOD, plan: Plan = PLAN) -> list[str]:
    return [each.line for each in preflight(target, plan) if each.level != "UNSEEN"]


def test_nothing_is_said_of_a_cluster_that_has_everything() -> None:
    assert lines() == []
    assert lines(replace(GOOD, spiderpool=True), replace(PLAN, default_ipam={})) == []


@pytest.mark.parametrize("key", ["cron-expression", "reconciler_cron_expression"])
def test_a_reconciler_that_frees_addresses_in_use_is_warned_of(key: str) -> None:
    [line] = lines(replace(GOOD, reconciler=schedule("30 4 * * *", key)))
    assert line.startswith("WARNING  ConfigMap kube-system/whereabouts-config: ")
    assert f'by {key} "30 4 * * *"' in line
    _, _, patch = line.partition(" -p '")
    changed = schedule("30 4 * * *", key)["data"] | json.loads(patch.rstrip("'"))["data"]
    assert lines(replace(GOOD, reconciler={**schedule(""), "data": changed})) == []


def test_a_schedule_that_is_not_found_is_said() -> None:
    [line] = lines(replace(GOOD, reconciler=None))
    assert line.startswith("NOTE     ConfigMap whereabouts-config: is in no namespace")


@pytest.mark.parametrize("text", ["@every 1h", "@daily", "@every 60m", "0 0 29 2 *"])
def test_any_schedule_that_comes_is_one(text: str) -> None:
    assert len(lines(replace(GOOD, reconciler=schedule(text)))) == 1
    elsewhere = replace(PLAN, default_ipam={"type": "dhcp"})
    assert lines(replace(GOOD, reconciler=schedule(text)), elsewhere) == []


def test_what_cannot_be_seen_is_said_with_where_to_look() -> None:
    unseen = [each for each in preflight(GOOD, PLAN) if each.level == "UNSEEN"]
    assert "ls /opt/cni/bin" in unseen[0].advice


INFO = {"kernelVersion": "4.16.1", "kubeletVersion": "v1.33.1+k3s1"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "v1.30.9"}, "ERROR    Kubernetes: v1.30.9 is too old"),
        ({"nodes": [node(nodeInfo=INFO)]}, "ERROR    Linux: too old on n1 (4.16.1)"),
        ({"nodes": [node(nodeInfo=INFO)]}, "global.cniBinHostPath=/var/lib/rancher/k3s/data/cni"),
        ({"nad_kind": False}, "ERROR    kind NetworkAttachmentDefinition: the API server does not"),
        ({"daemon_sets": []}, "WARNING  Multus: no DaemonSet runs an image of it"),
        (
            {"daemon_sets": [daemon_set("m", "reg:5000/x/multus-cni:v4", ready=1)]},
            "ERROR    DaemonSet kube-system/m: 1 of 2 pods are ready",
        ),
        (
            {"daemon_sets": [daemon_set("w", "whereabouts", ready=0)]},
            "ERROR    DaemonSet kube-system/w: 0 of 2 pods are ready",
        ),
        ({"whereabouts": False}, "ERROR    defaultIPAM: whereabouts, but the API server has no"),
        (
            {
                "daemon_sets": [
                    daemon_set("a", "x", labels={"app.kubernetes.io/component": "spiderpool-agent"})
                ]
            },
            "WARNING  DaemonSet kube-system/a: Spiderpool has a plugin",
        ),
        ({"kinds_of_others": ["spidercoordinators.x"]}, "WARNING  CRD spidercoordinators.x: is"),
        ({"nodes": [node(images=[])]}, "NOTE     image reg.example.com/a/operator:1: is on no"),
    ],
)
def test_what_is_missing_is_named(change: dict[str, Any], told: str) -> None:
    assert [each for each in lines(replace(GOOD, **change)) if told in each]


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"default_ipam": {}}, "WARNING  defaultIPAM: is not set"),
        ({"default_ipam": {"type": "spiderpool"}}, "ERROR    defaultIPAM: spiderpool: Spider"),
        ({"default_ipam": {"type": "whereabouts"}}, "ERROR    defaultIPAM: whereabouts: where"),
        ({"default_ipam": {**WHEREABOUTS, "gateway": "10.7.0.1"}}, "WARNING  defaultIPAM: where"),
        (
            {"images": ("ghcr.io/spidercoordinator/operator:1",)},
            "ERROR    image ghcr.io/spidercoordinator/operator:1: is in no public registry",
        ),
    ],
)
def test_what_cannot_work_of_the_values_is_named(plan: dict[str, Any], told: str) -> None:
    [line] = lines(plan=replace(PLAN, **plan))
    assert line.startswith(told)


def test_images_are_named_as_the_chart_names_them() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    default = ("ghcr.io/spidercoordinator/operator:7", "ghcr.io/spidercoordinator/cni:7")
    assert planned({}, "7").images == planned(values, "7").images == default
    given = {
        "global": {"imageRegistryOverride": "localhost"},
        "operator": {"image": {"registry": "x", "tag": "8"}},
        "installer": {"image": {"repository": "mine/cni", "digest": "sha256:ab"}},
    }
    assert planned(given, "7").images == (
        "localhost/spidercoordinator/operator:8",
        "localhost/mine/cni@sha256:ab",
    )
    own = {"operator": {"image": {"registry": "x.org/"}}}
    assert planned(own, "7").images[0] == "x.org/spidercoordinator/operator:7"


def test_what_may_not_be_read_is_not_missed() -> None:
    said = lines(replace(GOOD, nodes=None, daemon_sets=None))
    assert [each.split(":")[0] for each in said] == ["NOTE     image reg.example.com/a/operator"]
