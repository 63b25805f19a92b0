"""`spidercoordinator diff` as a process beside the operator, with the right to read only."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.cli.exits import Exit
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS
from testbed import kubeconfig
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import COMMAND, Cluster, Operator, kubeadm_config
from tests.apiserver.networks import NAMESPACE, Networks

ACCOUNT = f"{NAMESPACE}:differ"
KINDS = (
    "spidercoordinators.spiderpool.spidernet.io,spidermultusconfigs.spiderpool.spidernet.io,"
    "network-attachment-definitions.k8s.cni.cncf.io"
)


class Reader:
    """A person who may list the three kinds."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        for command in (
            f"create serviceaccount differ -n {NAMESPACE}",
            f"create clusterrole differ --verb=list --resource={KINDS}",
            f"create clusterrolebinding differ --clusterrole=differ --serviceaccount={ACCOUNT}",
        ):
            kubectl(server.kubeconfig, *command.split())
        token = kubectl(server.kubeconfig, "create", "token", "differ", "-n", NAMESPACE).strip()
        self.kubeconfig = folder / "kubeconfig"
        text = kubeconfig.with_token(server.url, server.authority.read_bytes(), token)
        self.kubeconfig.write_text(text)

    async def diff(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """What the command says."""
        return await asyncio.to_thread(
            subprocess.run,
            [str(COMMAND), "diff", f"--kubeconfig={self.kubeconfig}", "-n", NAMESPACE, *arguments],
            env={"PATH": os.environ["PATH"]},
            input=text,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def reader(server: ApiServer, tmp_path: Path) -> Reader:
    return Reader(server, tmp_path)


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return {change["nad"]: change for change in found["changes"]}


async def test_what_is_foretold_comes_true(
    reader: Reader, cluster: Cluster, operator: Operator
) -> None:
    del operator
    pools = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await cluster.config_map("kube-system", "kubeadm-config", pools)
    await cluster.coordinator_in_effect({"podCIDRType": "cluster"})
    networks = Networks(cluster.api)
    for name in ("one", "two"):
        await networks.make(name)
        await networks.ready(name)

    live = yaml.safe_dump(await networks.get("one"))
    done = await reader.diff("-f", "-", text=live)
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert done.stdout.startswith("diff: 0 NetworkAttachmentDefinitions would be made, 0 changed")

    patch = {"spec": {"coordinator": {"vethLinkAddress": "169.254.100.9"}}}
    json_text = json.dumps(patch)
    done = await reader.diff("smc/one", "-p", json_text, "-o", "json")
    assert done.returncode == Exit.FOUND
    foretold = said(done)
    assert list(foretold) == [f"{NAMESPACE}/one"]

    await cluster.api.patch(SPIDERMULTUSCONFIGS, "one", NAMESPACE, patch=patch)
    await networks.ready("one")
    config = (await networks.nad("one"))["spec"]["config"]
    after = foretold[f"{NAMESPACE}/one"]["after"]
    assert json.loads(after.partition("config:\n")[2]) == json.loads(config)

    done = await reader.diff("spidercoordinator/default", "-p", "{spec: {hostRuleTable: 600}}")
    assert done.returncode == Exit.FOUND
    assert "0 NetworkAttachmentDefinitions would be made, 2 changed, 0 deleted" in done.stdout
    assert done.stdout.count('+      "hostRuleTable": 600') == 2

    done = await reader.diff("spidercoordinator/default", "-p", "{spec: {hostRuleTable: 0}}")
    assert (done.returncode, done.stdout) == (Exit.FOUND, "")
    assert "SpiderCoordinator default: error: spec.hostRuleTable: " in done.stderr

    done = await reader.diff("smc/three", "-p", json_text)
    assert done.returncode == Exit.USAGE
    assert f"SpiderMultusConfig {NAMESPACE}/three does not exist" in done.stderr


async def test_who_may_not_read_is_told_what_a_person_can_do(
    server: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    kubectl(server.kubeconfig, "create", "serviceaccount", "nobody", "-n", NAMESPACE)
    token = kubectl(server.kubeconfig, "create", "token", "nobody", "-n", NAMESPACE).strip()
    path = tmp_path / "nobody"
    for secret, advice in ((token, "ask an administrator of the cluster"), ("x", "log in again")):
        text = kubeconfig.with_token(server.url, server.authority.read_bytes(), secret)
        path.write_text(text)
        for command in (["doctor"], ["diff", "scc/default", "-p", "{}"]):
            done = await asyncio.to_thread(
                subprocess.run,
                [str(COMMAND), *command],
                env={"PATH": os.environ["PATH"], "KUBECONFIG": str(path)},
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == Exit.NO_ANSWER, done.stdout
            assert advice in done.stderr
            assert "operator's" not in done.stderr
            assert done.stderr.count("\n") == 1
