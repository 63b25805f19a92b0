"""The objects that the tests make."""

from typing import Any

from testbed.images import BOX
from tests.e2e.cluster import Object

APP_PORT = 8080
PROXY_PORT = 15006
MASTER = "eth0"
FIRST_INTERFACE = "v1.multus-cni.io/default-network"
FURTHER_INTERFACES = "k8s.v1.cni.cncf.io/networks"

NAMESPACE = "spidercoordinator-e2e"

# host-local keeps one store of addresses for a network's name: with the same name in all
# configurations, pods of different networks never get the same address.
SHARED_NAME = {"cni.spidernet.io/cniconfig-name": NAMESPACE}


def namespace() -> Object:
    # The pod in its node's network is refused elsewhere, where clusters are strict by default.
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }


def network(name: str, spec: Object, annotations: dict[str, str] | None = None) -> Object:
    return {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": SHARED_NAME if annotations is None else annotations,
        },
        "spec": {"cniType": "macvlan", "macvlan": {"master": [MASTER]}, **spec},
    }


PLUGINS = "/opt/cni/bin"
"""The node's folder of CNI plugins."""


def plugins_shell(name: str, node: str, **spec: Any) -> Object:
    """A pod with a shell that sees the node's CNI plugins; `spec` is laid over its own."""
    container = {
        "name": "shell",
        "image": BOX,
        "command": ["sleep", "2147483647"],
        "volumeMounts": [{"name": "bin", "mountPath": PLUGINS}],
    }
    volume = {"name": "bin", "hostPath": {"path": PLUGINS}}
    return pod(name, node, {}, {"containers": [container], "volumes": [volume], **spec})


def pod(name: str, node: str, annotations: dict[str, str], spec: Object | None = None) -> Object:
    """A pod that listens as an application and as a proxy; `spec` is laid over its own."""
    container = {
        "name": "app",
        "image": BOX,
        "command": ["redirect-listener", str(APP_PORT), str(PROXY_PORT)],
        "readinessProbe": {
            "httpGet": {"port": APP_PORT, "path": "/"},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": annotations,
            "labels": {"app": name},
        },
        "spec": {
            "nodeName": node,
            # The programs ignore SIGTERM, and nothing of them is worth waiting for.
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            **(spec or {}),
        },
    }


def service(name: str) -> Object:
    """A ClusterIP Service in front of the pod of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": APP_PORT}]},
    }
