"""The objects of the demo, as the text that `kubectl apply` gets and the demo prints."""

from testbed.images import BOX

APP_PORT = 8080
"""Where the application of a mesh pod listens."""

PROXY_PORT = 15006
"""Where Istio's rules redirect what comes in."""

NODE_SHELL = "node-shell"
"""A pod in the network of its node, for requests that come from the node."""

MACVLAN_CONF = """\
MACVLAN_MASTER_INTERFACE="eth0"
cat <<EOF | kubectl apply -f -
apiVersion: spiderpool.spidernet.io/v2beta1
kind: SpiderMultusConfig
metadata:
  name: macvlan-conf
  namespace: kube-system
spec:
  cniType: macvlan
  macvlan:
    master:
    - ${MACVLAN_MASTER_INTERFACE}
  coordinator:
    vethLinkAddress: 169.254.100.1
EOF"""
"""The guide's step 4, as it stands there."""

MACVLAN_INHERIT = """\
cat <<EOF | kubectl apply -f -
apiVersion: spiderpool.spidernet.io/v2beta1
kind: SpiderMultusConfig
metadata:
  name: macvlan-inherit
  namespace: kube-system
spec:
  cniType: macvlan
  macvlan:
    master:
    - eth0
  ipam:
    type: host-local
    ranges:
    - - subnet: 172.30.0.0/16
        rangeStart: 172.30.16.1
        rangeEnd: 172.30.23.254
        gateway: 172.30.0.1
    routes:
    - dst: 0.0.0.0/0
EOF"""
"""The same network without an address of its own: what the SpiderCoordinator says counts.

host-local counts each network's addresses apart, so this one needs a range of its own.
"""

_POD = """\
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  annotations:
    v1.multus-cni.io/default-network: {network}
spec:{placement}
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: {image}
    command: [redirect-listener, "{app}", "{proxy}"]
EOF"""

_NODE_SHELL = """\
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:{placement}
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - name: shell
    image: {image}
    command: [sleep, "2147483647"]
EOF"""


def mesh_pod(name: str, network: str, node: str = "") -> str:
    """Return the command that makes a pod whose first interface is `network`.

    Its container is the application and, on the port that Istio redirects to, its proxy.
    """
    return _POD.format(
        name=name,
        network=network,
        image=BOX,
        app=APP_PORT,
        proxy=PROXY_PORT,
        placement=placement(node),
    )


def node_shell(node: str = "") -> str:
    """Return the command that makes the pod from which requests come."""
    return _NODE_SHELL.format(name=NODE_SHELL, image=BOX, placement=placement(node))


def placement(node: str) -> str:
    """Return the line of a pod's spec that puts it on `node`; nothing when there is but one."""
    return f"\n  nodeName: {node}" if node else ""
