"""The demo as data: the guide's five steps, then the proof. No I/O.

The steps are those of the Istio guide that Spiderpool's users know, with this
project's chart in the place of theirs.
"""

from dataclasses import dataclass
from pathlib import Path

from testbed.demo import manifests, mesh
from testbed.demo.checks import (
    Check,
    answered_by,
    is_dropped,
    prints,
    renders,
    shows_address,
    succeeds,
)

ADDRESS = "169.254.100.1"
"""The address of the guide."""

PODS = (
    "macvlan-app",
    "mesh-without",
    "mesh-own-address",
    "mesh-cluster-address",
    manifests.NODE_SHELL,
)
"""All pods of the demo."""

NETWORKS = ("macvlan-conf", "macvlan-inherit")
"""All SpiderMultusConfigs of the demo, in kube-system."""

PROVEN = ("address on veth0", "in the pod", "a request from", "was")
"""The head of the closing table."""

NO_ADDRESS = "none"
OWN_ADDRESS = f"{ADDRESS}, of macvlan-conf alone"
CLUSTER_ADDRESS = f"{ADDRESS}, of the SpiderCoordinator"
_NO_RULES = "no mesh"
_RULES = "Istio's rules"
_NODE = "the node"
_KIND = "spidercoordinators.spiderpool.spidernet.io"
OWN = "kube-system/macvlan-conf"
INHERITING = "kube-system/macvlan-inherit"
_APPLICATION = answered_by(manifests.APP_PORT)
_PROXY = answered_by(manifests.PROXY_PORT)


@dataclass(frozen=True)
class Command:
    """A command line to show and run, and what must be true of its result.

    With `within` it is run again until that is true, for at most so many seconds.
    `proves` is a line of the closing table without its last column, which is what was seen.
    """

    text: str
    check: Check = succeeds
    within: float = 0.0
    proves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """Program Istio's rules for a pod."""

    pod: str


@dataclass(frozen=True)
class Step:
    """A headline and what is done under it."""

    title: str
    actions: tuple[Command | Rules, ...]


def steps(chart: Path, values: Path, node: str = "") -> tuple[Step, ...]:
    """Return the guide and the proof in order.

    With several nodes, `node` is the one where all pods run: only a request from a pod's
    own node comes in on veth0.
    """
    return (
        _install(chart, values),
        _look(),
        Step("3. An installed one is changed with kubectl patch", (patch(ADDRESS),)),
        _one_network(),
        _verify(node),
        _proof_without(node),
        _proof_own(node),
        _proof_cluster(node),
    )


def _install(chart: Path, values: Path) -> Step:
    install = (
        f"helm install spiderpool {chart} -n spiderpool "
        f"--set coordinator.vethLinkAddress={ADDRESS} --values {values}"
    )
    return Step(
        "1. Install with an address for veth0",
        (
            Command("kubectl create namespace spiderpool", prints("namespace/spiderpool created")),
            Command(install, prints("STATUS: deployed")),
            Command("kubectl -n spiderpool rollout status deployment --timeout=120s"),
            Command("kubectl -n spiderpool rollout status daemonset --timeout=120s"),
        ),
    )


def _look() -> Step:
    synced = "--for=jsonpath='{.status.phase}'=Synced"
    parts = (
        f"vethLinkAddress: {ADDRESS}",
        "phase: Synced",
        "overlayPodCIDR:",
        "serviceCIDR:",
        "- spiderpool.spidernet.io",
    )
    return Step(
        "2. The SpiderCoordinator has the address",
        (
            Command(f"kubectl wait {_KIND} default {synced} --timeout=60s"),
            Command(f"kubectl get {_KIND} default -o yaml", prints(*parts)),
        ),
    )


def _one_network() -> Step:
    made = prints("spidermultusconfig.spiderpool.spidernet.io/macvlan-conf created")
    return Step(
        "4. One network gets the address for itself",
        (Command(manifests.MACVLAN_CONF, made), rendered("macvlan-conf", ADDRESS)),
    )


def _verify(node: str) -> Step:
    look = "kubectl exec macvlan-app -n default -- ip addr show veth0"
    return Step(
        "5. A pod of that network has it on veth0",
        (*_pod("macvlan-app", OWN, node), Command(look, shows_address(ADDRESS))),
    )


def _proof_without(node: str) -> Step:
    pod = "mesh-without"
    return Step(
        "Proof: without an address the kernel drops what Istio's rules redirect",
        (
            patch(""),
            Command(manifests.MACVLAN_INHERIT),
            rendered("macvlan-inherit", ""),
            *_pod(pod, INHERITING, node),
            Command(manifests.node_shell(node)),
            _ready(manifests.NODE_SHELL),
            _ask(pod, _APPLICATION, NO_ADDRESS, _NO_RULES),
            Rules(pod),
            _ask(pod, is_dropped, NO_ADDRESS, _RULES),
        ),
    )


def _proof_own(node: str) -> Step:
    pod = "mesh-own-address"
    return Step(
        "Proof: the address of one network is enough",
        (
            *_pod(pod, OWN, node),
            Rules(pod),
            _ask(pod, _PROXY, OWN_ADDRESS, _RULES),
        ),
    )


def _proof_cluster(node: str) -> Step:
    pod = "mesh-cluster-address"
    return Step(
        "Proof: so is the cluster's, after a patch and with a new pod",
        (
            patch(ADDRESS),
            rendered("macvlan-inherit", ADDRESS),
            *_pod(pod, INHERITING, node),
            Rules(pod),
            _ask(pod, _PROXY, CLUSTER_ADDRESS, _RULES),
        ),
    )


def patch(address: str) -> Command:
    """Set the cluster-wide vethLinkAddress; "" takes it away."""
    body = f'{{"spec": {{"vethLinkAddress": "{address}"}}}}'
    return Command(
        f"kubectl patch spidercoordinators default --type='merge' -p '{body}'",
        prints("spidercoordinator.spiderpool.spidernet.io/default patched"),
    )


def rendered(name: str, address: str) -> Command:
    """Wait until a network's NetworkAttachmentDefinition has the address; "" for none."""
    text = f"kubectl get net-attach-def {name} -n kube-system -o jsonpath='{{.spec.config}}'"
    return Command(text, renders(address), within=15)


def _pod(name: str, network: str, node: str) -> tuple[Command, Command]:
    return Command(manifests.mesh_pod(name, network, node)), _ready(name)


def _ready(name: str) -> Command:
    return Command(f"kubectl wait pod {name} --for=condition=Ready --timeout=60s")


def _ask(name: str, check: Check, *proves: str) -> Command:
    return Command(mesh.request(name), check, proves=(*proves, _NODE))
