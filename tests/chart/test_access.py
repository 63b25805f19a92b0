"""The operator's account may do what the operator does: by its sources, and by running it."""

import re
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from spidercoordinator.discovery.nodereports import installer_pods
from spidercoordinator.discovery.sources import detectors, sources
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.reconcilers import nodedefaults
from spidercoordinator.runtime.settings import Settings
from testbed import kubeconfig
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import COMMAND, Operator, eventually
from tests.chart.helm import CHART, Helm, Object, Values, nested, rules_of

CILIUM = ("cilium", "cilium-config")
NODE_DEFAULTS = "test-spidercoordinator-node-defaults"
NAD_CRD = CHART.parents[1] / "testbed" / "manifests" / "network-attachment-definition.crd.yaml"
LEASE = "test-spidercoordinator-operator"
LEASES = "lease.coordination.k8s.io"
NAD = "network-attachment-definitions.k8s.cni.cncf.io"
NETWORK = (
    '{"apiVersion": "spiderpool.spidernet.io/v2beta1", "kind": "SpiderMultusConfig",'
    ' "metadata": {"name": "net", "namespace": "kube-system"},'
    ' "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}}'
)
OURS = {"spiderpool.spidernet.io", "k8s.cni.cncf.io", "apiextensions.k8s.io", "coordination.k8s.io"}


def selections() -> list[Selection]:
    of_sources = [each for source in sources(CILIUM, ()) for each in source.watched]
    of_detectors = [each for detector in detectors(CILIUM, ()) for each in detector.watched]
    defaults = nodedefaults.selection(
        Settings(namespace="default", node_defaults_configmap=NODE_DEFAULTS)
    )
    installers = installer_pods("default", "app.kubernetes.io/component=installer")
    watched = [*of_sources, *of_detectors, installers]
    return [defaults, *(each.selection for each in watched)]


def needed() -> set[tuple[str, str, str, str]]:
    """Group, plural, namespace and name of all that informers of foreign kinds watch."""
    return {
        (
            resource.group,
            resource.plural,
            selection.namespace,
            selection.fields.removeprefix("metadata.name="),
        )
        for selection in selections()
        for resource in selection.resources
    }


def test_the_operator_may_watch_what_its_informers_need_and_nothing_else(helm: Helm) -> None:
    objects = helm.template(nested("global.ciliumConfigMap", "/".join(CILIUM)))
    granted = {
        (group, plural, thing["metadata"].get("namespace", ""), name)
        for thing, rule in rules_of(objects, "-operator")
        if {"list", "watch"} <= set(rule["verbs"])
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for name in rule.get("resourceNames", [""])
        if group not in OURS
    }
    assert granted == needed()


@pytest.fixture
def networks(cluster: Helm) -> Iterator[Helm]:
    """The cluster with the kind that Multus brings, and the release."""
    cluster.kubectl("apply", "-f", str(NAD_CRD))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{NAD}")
    cluster.install(nested("defaultIPAM.type", "host-local"))
    yield cluster
    cluster.kubectl("delete", "-f", str(NAD_CRD))


def account(cluster: Helm, server: ApiServer, name: str) -> Path:
    """A kubeconfig that holds the token of a service account, as a pod would."""
    token = cluster.kubectl("create", "token", name).stdout.strip()
    path = cluster.home / f"{name}.kubeconfig"
    path.write_text(kubeconfig.with_token(server.url, server.authority.read_bytes(), token))
    return path


def environment(helm: Helm, values: Values | None = None) -> dict[str, str]:
    """The operator's environment as the chart sets it, on free ports."""
    [operator] = [thing for thing in helm.template(values) if thing["kind"] == "Deployment"]
    entries = operator["spec"]["template"]["spec"]["containers"][0]["env"]
    chart = {entry["name"]: entry["value"] for entry in entries if "value" in entry}
    return chart | {
        "SPIDERCOORDINATOR_NAMESPACE": "default",
        "SPIDERCOORDINATOR_HTTP_PORT": "0",
        "SPIDERCOORDINATOR_WEBHOOK_PORT": str(free_port()),
        "SPIDERCOORDINATOR_LOG_FORMAT": "text",
        "SPIDERCOORDINATOR_DEFAULT_IPAM": '{"type": "host-local"}',
    }


def phase(cluster: Helm) -> str:
    found: Object = cluster.get("spidercoordinators", "default")
    return str(found.get("status", {}).get("phase"))


async def test_the_operator_works_with_its_own_account(
    networks: Helm, server: ApiServer, tmp_path: Path
) -> None:
    login = account(networks, server, "test-spidercoordinator-operator")
    operator = Operator(login, tmp_path / "log", environment(networks))
    operator.start()
    try:
        networks.kubectl("apply", "-f", "-", stdin=NETWORK)

        async def settled() -> bool:
            made = networks.names(NAD, "--namespace=kube-system")
            defaults = networks.get("configmap", "test-spidercoordinator-node-defaults")
            return phase(networks) == "Synced" and bool(made) and "data" in defaults

        await eventually("Synced, a network, and the nodes' defaults", settled)
        networks.kubectl("delete", "spidermultusconfigs", "net", "--namespace=kube-system")
        networks.kubectl("delete", "spidercoordinators", "default", "--timeout=20s")
    finally:
        status = operator.stop()
    assert status == 0
    assert not re.findall(r".*(?:[Ff]orbidden|cannot \w+ resource).*", operator.text())


async def test_replicas_take_turns_with_their_own_account(
    networks: Helm, server: ApiServer, tmp_path: Path
) -> None:
    login = account(networks, server, "test-spidercoordinator-operator")
    replicas = [
        Operator(
            login, tmp_path / name, environment(networks) | {"SPIDERCOORDINATOR_POD_NAME": name}
        )
        for name in ("first", "second")
    ]

    def leads(replica: Operator) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            return replica.metric("spidercoordinator_leader") == 1

        return asked

    def held_by(name: str) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            listed = networks.names("leases")
            found = networks.get("lease", LEASE) if f"{LEASES}/{LEASE}" in listed else {}
            return str(found.get("spec", {}).get("holderIdentity")).startswith(f"{name}_")

        return asked

    async def waits() -> bool:
        return second.get("/readyz")[0] == 200

    first, second = replicas
    try:
        first.start()
        await eventually("the first leads", leads(first))
        second.start()
        # By decision 0008 a deleted Lease stays with its holder for those that have seen it. One
        # that has just started may find none and lead, so the second is not deceived here; and the
        # first keeps it as long as it can renew it within ten seconds.
        await eventually("the second has seen who leads", waits)
        networks.kubectl("delete", "lease", LEASE)
        await eventually("the Lease is the first's again", held_by("first"))
        # It is created anew with helm's marks, or helm would refuse to touch it.
        networks.install(nested("defaultIPAM.type", "host-local"))
        assert await held_by("first")()
        assert first.stop() == 0
        await eventually("the second leads", leads(second))
        assert await held_by("second")()
    finally:
        for replica in replicas:
            replica.stop()
    for replica in replicas:
        assert not re.findall(r".*(?:[Ff]orbidden|cannot \w+ resource).*", replica.text())


@pytest.fixture
def two_coordinators(networks: Helm) -> Helm:
    """The default object and one more, both with the finalizer."""
    other = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderCoordinator",
        "metadata": {"name": "other"},
        "spec": {"podCIDRType": "none"},
    }
    networks.apply([other])
    finalizer = '{"metadata": {"finalizers": ["spiderpool.spidernet.io"]}}'
    for name in ("default", "other"):
        networks.kubectl("patch", "spidercoordinators", name, "--type=merge", "-p", finalizer)
    return networks


def run_hook(cluster: Helm, server: ApiServer) -> None:
    """Run what the Job of `helm uninstall` runs, with the Job's account."""
    name = "test-spidercoordinator-uninstall"
    role = [
        thing
        for thing in cluster.template()
        if thing["metadata"]["name"] == name and thing["kind"] != "Job"
    ]
    cluster.apply(role)
    try:
        done = subprocess.run(
            [str(COMMAND), "uninstall"],
            env=environment(cluster) | {"KUBECONFIG": str(account(cluster, server, name))},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    finally:
        cluster.delete(role)
    assert done.returncode == 0, done.stderr


def test_the_hook_lets_everything_go_without_an_operator(
    two_coordinators: Helm, server: ApiServer
) -> None:
    run_hook(two_coordinators, server)
    left = two_coordinators.names("spidercoordinators")
    assert left == ["spidercoordinator.spiderpool.spidernet.io/other"]
    other = two_coordinators.get("spidercoordinators", "other")
    assert "finalizers" not in other["metadata"]


def test_the_hook_and_the_operator_do_not_fight(
    two_coordinators: Helm, server: ApiServer, tmp_path: Path
) -> None:
    login = account(two_coordinators, server, "test-spidercoordinator-operator")
    operator = Operator(login, tmp_path / "log", environment(two_coordinators))
    operator.start()
    try:
        run_hook(two_coordinators, server)
    finally:
        operator.stop()
    left = two_coordinators.names("spidercoordinators")
    assert left == ["spidercoordinator.spiderpool.spidernet.io/other"]
    two_coordinators.kubectl("delete", "spidercoordinators", "other", "--timeout=5s")
