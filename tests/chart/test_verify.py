"""What `helm test` runs, with the chart's own arguments and its own account, on a real API server.

There is no kubelet: the tests say of the pod what one would. tests/e2e/test_helm_test.py runs it.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from testbed.apiserver import ApiServer
from tests.apiserver.harness import COMMAND, Operator, eventually
from tests.apiserver.kubelet import Kubelet, kubelet
from tests.chart.helm import CHART, Helm, Object, nested, pick
from tests.chart.test_access import NAD, NAD_CRD, account, environment

RUNNER = "test-spidercoordinator-test"
MADE = "test-spidercoordinator-test-network"
ADDRESS = "169.254.100.1"
REPORT: Object = json.loads(
    (CHART.parents[1] / "cni/internal/explain/testdata/report.json").read_text()
)
# Those of the report, which has no route but to them.
VALUES = nested(
    "coordinator",
    {
        "vethLinkAddress": ADDRESS,
        "podCIDRType": "none",
        "serviceCIDR": ["10.96.0.0/12"],
        "hijackCIDR": [],
    },
)
STATUS = {"k8s.v1.cni.cncf.io/network-status": "[]"}
IMAGE = {"name": "explain", "image": "", "imageID": "", "ready": False, "restartCount": 0}


@pytest.fixture(scope="module")
def release(
    server: ApiServer, helm: Helm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Helm]:
    """The chart, with Multus' kind."""
    cluster = Helm(helm.binaries, tmp_path_factory.mktemp("verify"), server.kubeconfig)
    cluster.kubectl("apply", "-f", str(NAD_CRD), "-f", str(CHART / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    cluster.install(VALUES)
    yield cluster
    cluster.run("uninstall", "test", "--no-hooks")
    for name in cluster.names("spidercoordinators"):
        cluster.kubectl("patch", name, "--type=merge", '-p={"metadata":{"finalizers":null}}')
    cluster.kubectl("delete", "-f", str(NAD_CRD))


@pytest.fixture(scope="module")
def operator(
    release: Helm, server: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    login = account(release, server, "test-spidercoordinator-operator")
    log = tmp_path_factory.mktemp("operator") / "log"
    running = Operator(login, log, environment(release, VALUES))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def node(release: Helm, operator: Operator, server: ApiServer) -> AsyncIterator[Kubelet]:
    """A node that the pod is bound to; the garbage collector's work is done at the end."""
    assert operator.running()
    async with (
        Client(await Login.find({"KUBECONFIG": str(server.kubeconfig)})) as api,
        kubelet(api) as made,
    ):
        await made.node("node-1")
        yield made
    release.kubectl("delete", NAD, "--all")


@dataclass(frozen=True)
class Hook:
    """The hook's pod, and a kubeconfig with the token of its account."""

    pod: Object
    login: Path

    @property
    def command(self) -> list[str]:
        [container] = self.pod["spec"]["containers"]
        return [str(COMMAND), *container["args"]]

    @property
    def environ(self) -> dict[str, str]:
        [container] = self.pod["spec"]["containers"]
        plain = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        return plain | {"KUBECONFIG": str(self.login)}


@pytest.fixture(scope="module")
def hook(release: Helm, server: ApiServer) -> Hook:
    pod = pick(release.template(VALUES), "Pod", "-test")
    return Hook(pod, account(release, server, RUNNER))


@asynccontextmanager
async def running(hook: Hook, seconds: int) -> AsyncIterator[Process]:
    """What the hook's pod runs, but for so many seconds."""
    command = [*hook.command, f"--timeout={seconds}"]
    process = await asyncio.create_subprocess_exec(
        *command, env=hook.environ, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()


async def ended(process: Process) -> str:
    """What it said, and then its exit status."""
    async with asyncio.timeout(60):
        told, failed = await process.communicate()
    return f"{told.decode()}{failed.decode()}exit {process.returncode}"


async def becomes(release: Helm, phase: str, annotations: Object, **status: object) -> None:
    """Say of the pod what a scheduler, Multus and a kubelet would."""

    async def made() -> bool:
        return f"pod/{MADE}" in release.names("pods")

    await eventually("the pod is made", made, seconds=30)
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": MADE},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "node-1"},
    }
    path = f"/api/v1/namespaces/default/pods/{MADE}/binding"
    release.kubectl("create", f"--raw={path}", "-f", "-", stdin=json.dumps(binding))
    patch: Object = {"metadata": {"annotations": annotations}}
    release.kubectl("patch", "pod", MADE, "-p", json.dumps(patch))
    patch = {"status": {"phase": phase, **status}}
    flags = ("--subresource=status", "--type=merge", "-p", json.dumps(patch))
    release.kubectl("patch", "pod", MADE, *flags)


def nothing_left(release: Helm) -> bool:
    return release.names("pods,spidermultusconfigs", "--all-namespaces") == []


async def test_it_passes_where_the_pod_has_what_the_network_says(
    release: Helm, hook: Hook, node: Kubelet
) -> None:
    node.told[MADE] = json.dumps(REPORT)
    async with running(hook, 30) as process:
        await becomes(release, "Succeeded", STATUS)
        said = await ended(process)
    assert said.endswith("exit 0")
    assert "OK       SpiderCoordinator default: it knows the cluster" in said
    assert (
        f"NetworkAttachmentDefinition default/{MADE}: made, with vethLinkAddress {ADDRESS}" in said
    )
    assert f"Pod default/{MADE}: started on node-1, and has veth0 with {ADDRESS}/32" in said
    assert nothing_left(release)


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        pytest.param({}, f"NOTE     Pod default/{MADE}: was not attached by Multus", id="without"),
        pytest.param(STATUS, "ERROR    veth0: does not exist", id="with"),
    ],
)
async def test_a_pod_without_veth0_is_a_fault_of_ours_only_with_multus(
    release: Helm,
    hook: Hook,
    node: Kubelet,
    *,
    annotations: Object,
    said: str,
) -> None:
    node.told[MADE] = json.dumps({**REPORT, "interfaces": REPORT["interfaces"][:1]})
    async with running(hook, 30) as process:
        await becomes(release, "Succeeded", annotations)
        told = await ended(process)
    assert said in told
    assert told.endswith("exit 1" if annotations else "exit 0")
    assert nothing_left(release)


async def test_a_pod_that_does_not_start_is_told_with_its_event(
    release: Helm, hook: Hook, node: Kubelet
) -> None:
    del node
    async with running(hook, 4) as process:
        await becomes(release, "Pending", {})
        uid = release.get("pod", MADE)["metadata"]["uid"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "why", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": MADE, "namespace": "default", "uid": uid},
            "type": "Warning",
            "reason": "FailedCreatePodSandBox",
            "message": "no plugin macvlan",
            "lastTimestamp": "2026-01-01T00:00:00Z",
        }
        release.apply([event])
        told = await ended(process)
    release.kubectl("delete", "event", "why")
    assert "does not start: FailedCreatePodSandBox: no plugin macvlan: test.interface" in told
    assert told.endswith("exit 1")
    assert nothing_left(release)


async def test_what_an_earlier_test_left_goes_first(
    release: Helm, hook: Hook, node: Kubelet
) -> None:
    node.told[MADE] = json.dumps(REPORT)
    earlier = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": MADE, "namespace": "default"},
        "spec": {"cniType": "macvlan", "macvlan": {"master": ["left"]}},
    }
    release.apply([earlier])

    async def rendered() -> bool:
        return release.names(NAD) != []

    await eventually("its NAD is made", rendered)
    async with running(hook, 30) as process:

        async def deleted() -> bool:
            return release.names("spidermultusconfigs") == []

        await eventually("the network goes", deleted)
        release.kubectl("delete", NAD, MADE)
        await becomes(release, "Succeeded", STATUS)
        said = await ended(process)
    assert said.endswith("exit 0")


async def test_what_is_made_belongs_to_the_hooks_pod_and_that_to_the_release(
    release: Helm, hook: Hook, node: Kubelet
) -> None:
    """So that all of it goes when the test is killed, and when the release is uninstalled."""
    del node
    release.apply([hook.pod])
    uid = release.get("pod", RUNNER)["metadata"]["uid"]
    own = {"SPIDERCOORDINATOR_POD_NAME": RUNNER, "SPIDERCOORDINATOR_POD_UID": uid}
    process = await asyncio.create_subprocess_exec(*hook.command, env=hook.environ | own)

    async def made() -> bool:
        return f"pod/{MADE}" in release.names("pods")

    await eventually("the pod is made", made, seconds=30)
    process.kill()
    await process.wait()
    owners = [
        release.get(kind, name)["metadata"]["ownerReferences"]
        for kind, name in (("pod", MADE), ("spidermultusconfig", MADE), ("pod", RUNNER))
    ]
    assert [each["uid"] for [each] in owners[:2]] == [uid, uid]
    assert owners[2][0]["uid"] == release.get("serviceaccount", RUNNER)["metadata"]["uid"]
    release.kubectl("delete", "pod", MADE, RUNNER, "--force", "--grace-period=0")
    release.kubectl("delete", "spidermultusconfig", MADE)
