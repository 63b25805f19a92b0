"""The CNI files of a node: the cluster network, Multus or its stand-in, the plugins."""

import json
import os
from ipaddress import IPv4Network
from pathlib import Path

from testbed import images
from testbed.errors import TestbedError
from testbed.paths import PLUGINS

BIN = Path("/opt/cni/bin")
CONF = Path("/etc/cni/net.d")
MULTUS_KUBECONFIG = CONF / "multus.d" / "multus.kubeconfig"
BRIDGE, CALICO, FLANNEL, KUBE_ROUTER = "bridge", "calico", "flannel", "kube-router"
NETWORKS = {
    BRIDGE: CONF / "10-testbed.conflist",
    CALICO: CONF / "10-calico.conflist",
    FLANNEL: CONF / "10-flannel.conflist",
    KUBE_ROUTER: CONF / "10-kuberouter.conflist",
}
"""The cluster networks, the testbed's own first, and their files: a real one's agents write it."""
STANDIN = "multus-standin"


def bridge_network(pod_cidr: IPv4Network) -> str:
    """Render a node's part of the testbed's own cluster network: a bridge with its pod range."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        # The plugin would hide pods from pods of other nodes, too: the node does it.
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            # Each node has a range of its own, so its leases are not shared with the others.
            "dataDir": "/var/lib/cni/testbed",
            "ranges": [[{"subnet": str(pod_cidr)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return _json({"cniVersion": "1.0.0", "name": "testbed", "plugins": [bridge, portmap]})


def multus(kind: str, cluster_network: Path) -> str:
    """Render the configuration of the meta plugin; `kind` is `multus` or the stand-in."""
    return _json(
        {
            # Multus makes a list's plugins run at this version, which all of them know.
            "cniVersion": "0.3.1",
            "name": "multus-cni-network",
            "type": kind,
            "capabilities": {"portMappings": True},
            "kubeconfig": str(MULTUS_KUBECONFIG),
            "clusterNetwork": str(cluster_network),
            "multusNamespace": "kube-system",
        }
    )


def _json(content: dict[str, object]) -> str:
    return json.dumps(content, indent=2) + "\n"


def meta_plugin() -> Path:
    """Return Multus if `TESTBED_MULTUS` names it, the stand-in otherwise.

    Raises:
        TestbedError: the named file is no program, or the stand-in cannot be built.
    """
    named = os.environ.get("TESTBED_MULTUS")
    if not named:
        return images.go_binary(STANDIN)
    if not os.access(named, os.X_OK) or not Path(named).is_file():
        raise TestbedError(f"TESTBED_MULTUS={named}: not an executable file; give Multus' path")
    return Path(named).resolve()


def plugins(meta: Path) -> dict[str, Path]:
    """Return name and file of each plugin that a node gets.

    The folder that `TESTBED_CNI_PATH` names goes before the distribution's.

    Raises:
        TestbedError: `TESTBED_CNI_PATH` is no folder.
    """
    # Where the links lead to, for a node may not see the clone.
    found = {path.name: path.resolve() for path in PLUGINS.iterdir()}
    named = os.environ.get("TESTBED_CNI_PATH")
    if named:
        if not Path(named).is_dir():
            raise TestbedError(f"TESTBED_CNI_PATH={named}: no such folder; give one with plugins")
        found |= {path.name: path for path in Path(named).resolve().iterdir() if path.is_file()}
    found[meta_name(meta)] = meta
    return found


def meta_name(meta: Path) -> str:
    """Return the plugin's type: whatever file `TESTBED_MULTUS` names, it is called multus."""
    return STANDIN if meta.name == STANDIN else "multus"
