"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: their flags."""

from pathlib import Path

from testbed import topology
from testbed.paths import State
from testbed.topology import Node

ETCD = "http://127.0.0.1:2379"
_ETCD_PEER = "http://127.0.0.1:2380"


def etcd(state: State) -> list[str]:
    """Return etcd's flags; its ports are those of the node's own loopback."""
    return [
        f"--data-dir={state.etcd}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={_ETCD_PEER}",
        f"--initial-advertise-peer-urls={_ETCD_PEER}",
        f"--initial-cluster=default={_ETCD_PEER}",
        # The data is of no use after the cluster.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(state: State, node: Node) -> list[str]:
    """Return kube-apiserver's flags, those that kubeadm's static pod has."""
    pki = state.pki
    return [
        f"--etcd-servers={ETCD}",
        f"--advertise-address={node.address}",
        f"--secure-port={topology.API_PORT}",
        f"--service-cluster-ip-range={topology.SERVICE_CIDR}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
    ]


def controller_manager(state: State) -> list[str]:
    """Return kube-controller-manager's flags."""
    pki = state.pki
    return [
        *client(state.kubernetes / "controller-manager.conf"),
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={topology.POD_CIDR}",
        f"--service-cluster-ip-range={topology.SERVICE_CIDR}",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/sa.key",
        "--use-service-account-credentials=true",
        # One instance: a lease would only make its start slower.
        "--leader-elect=false",
    ]


def scheduler(state: State) -> list[str]:
    """Return kube-scheduler's flags."""
    return [*client(state.kubernetes / "scheduler.conf"), "--leader-elect=false"]


def client(kubeconfig: Path) -> list[str]:
    """Return the flags with which a component reaches the API server and listens on loopback."""
    options = ("--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig")
    return [*(f"{option}={kubeconfig}" for option in options), "--bind-address=127.0.0.1"]
