"""The manifests that flannel and kube-router publish themselves, as an API server has them."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.flannel import Flannel, config_maps
from spidercoordinator.discovery.kuberouter import AGENTS, KubeRouter
from tests.unit.discovery.observing import node, observe

FLANNEL = Flannel(config_maps(("kube-system",)))


def published(program: str, kind: str) -> Any:
    """The object of this kind in a program's manifest."""
    text = (Path(__file__).parent / "manifests" / f"{program}.yaml").read_text()
    [found] = [each for each in yaml.safe_load_all(text) if each["kind"] == kind]
    return found


@pytest.mark.parametrize(
    ("of_nodes", "pod"),
    [
        pytest.param([node("a", "10.244.0.0/24")], ("10.244.0.0/16",), id="in use"),
        pytest.param([], ("10.244.0.0/16",), id="no node yet"),
        pytest.param([node("a", "10.42.0.0/24")], (), id="left over, or not fitted to the cluster"),
    ],
)
def test_flannel_s_own_config_map(of_nodes: list[Any], pod: tuple[str, ...]) -> None:
    found = {FLANNEL.config_maps[0]: [published("flannel", "ConfigMap")], nodes.WATCHED: of_nodes}
    report = FLANNEL.report(observe(FLANNEL, found))
    assert report.pod == pod
    assert bool(report.warning) == (not pod)


@pytest.mark.parametrize(
    ("flags", "service"),
    [
        pytest.param([], (), id="as published: with the default, which is no evidence"),
        pytest.param(["--service-cluster-ip-range=10.50.0.0/22"], ("10.50.0.0/22",), id="set"),
    ],
)
def test_kube_router_s_own_daemon_set(flags: list[str], service: tuple[str, ...]) -> None:
    agents = deepcopy(published("kube-router", "DaemonSet"))
    [container] = agents["spec"]["template"]["spec"]["containers"]
    container["args"] += flags
    report = KubeRouter().report(observe(KubeRouter(), {AGENTS: [agents]}))
    assert report.service == service
    assert bool(report.missing) == (not service)
