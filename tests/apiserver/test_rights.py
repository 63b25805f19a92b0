"""The operator with the rights the chart gives it, and no others, does all of its work."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from spidercoordinator.kube.resource import CONFIG_MAPS, SPIDERCOORDINATORS
from testbed import binaries
from testbed.apiserver import ApiServer
from tests.apiserver import foreign
from tests.apiserver.conftest import ROOT, kubectl
from tests.apiserver.harness import Cluster, Operator, eventually, kubeadm_config

SPACE = "rights"
RIGHTS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


@pytest.fixture(scope="module")
def kubeconfig(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig with the token of the operator's service account, from the chart's objects."""
    folder = tmp_path_factory.mktemp("rights")
    helm = [
        str(binaries.ensure() / "helm"),
        "template",
        "test",
        f"--namespace={SPACE}",
        "--kube-version=1.34.0",
    ]
    chart = str(ROOT / "charts" / "spidercoordinator")
    rendered = subprocess.run([*helm, chart], check=True, capture_output=True, text=True).stdout
    wanted = [each for each in yaml.safe_load_all(rendered) if each and each["kind"] in RIGHTS]
    manifest = folder / "rights.yaml"
    manifest.write_text(yaml.safe_dump_all(wanted))
    kubectl(server.kubeconfig, "create", "namespace", SPACE)
    kubectl(server.kubeconfig, "apply", "-f", str(manifest))
    (account,) = {
        each["metadata"]["name"]
        for each in wanted
        if each["kind"] == "ServiceAccount" and each["metadata"]["name"].endswith("-operator")
    }
    token = kubectl(server.kubeconfig, "create", "token", account, f"--namespace={SPACE}")
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token.strip()}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def limited(kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    environ = {
        "SPIDERCOORDINATOR_NAMESPACE": SPACE,
        "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": "test-spidercoordinator-node-defaults",
    }
    running = Operator(kubeconfig, tmp_path / "log", environ)
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster) -> AsyncIterator[None]:
    await foreign.clean(cluster.api)
    yield
    await foreign.clean(cluster.api)


async def test_all_sources_can_be_read_and_all_products_written(
    cluster: Cluster, limited: Operator
) -> None:
    await foreign.install(cluster.api, *foreign.CALICO, *foreign.CILIUM)
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    )
    await cluster.config_map("kube-system", "cilium-config", {"ipam": "kubernetes"})
    await foreign.node(cluster.api, "node-1", "10.244.0.0/24")
    await cluster.coordinator({"podCIDRType": "cluster"})
    await cluster.network("net", {"coordinator": {"vethLinkAddress": "169.254.100.1"}})

    async def rendered() -> bool:
        section = await cluster.section("net")
        return bool(section.get("overlayPodCIDR") == ["10.244.0.0/16"])

    await eventually("the network is rendered", rendered)

    async def readable() -> list[str]:
        found = re.findall(
            r'^spidercoordinator_source_up\{topic="([^"]+)"\} (\S+)$',
            limited.get("/metrics")[1],
            re.MULTILINE,
        )
        return [topic for topic, value in found if value == "-1.0"] or ["none fails"]

    async def all_readable() -> bool:
        return await readable() == ["none fails"]

    await eventually("every source can be read", all_readable)

    async def deleted() -> bool:
        return await cluster.api.find(SPIDERCOORDINATORS, "default") is None

    # It has the operator's finalizer.
    await cluster.api.delete(SPIDERCOORDINATORS, "default")
    await eventually("the SpiderCoordinator can go", deleted)
    defaults = "test-spidercoordinator-node-defaults"
    assert await cluster.api.find(CONFIG_MAPS, defaults, SPACE) is not None
    assert "answered 403" not in limited.text()


async def test_service_ranges_can_be_asked_for(kubeconfig: Path) -> None:
    rights = ["auth", "can-i", "create", "services", f"--namespace={SPACE}"]
    assert kubectl(kubeconfig, *rights).strip() == "yes"
