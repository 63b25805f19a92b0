"""One node: its private files, its daemons, its CNI configuration."""

import shutil
from pathlib import Path

from testbed import cgroups, cni, containerd, images, kube_proxy, kubelet, paths, processes
from testbed.namespaces import Namespaces
from testbed.paths import State
from testbed.topology import Node

_SOCKET_SECONDS = 30.0


def make_private(node: Node, inside: Namespaces, state: State) -> None:
    """Give the node its own copy of the folders that its daemons and pods write to.

    Raises:
        TestbedError: a mount fails; the text names it.
    """
    inside.run("sh", str(paths.SOURCES / "node-setup.sh"), node.name, str(state.root))


def start(node: Node, inside: Namespaces, tools: Path, state: State, credentials: Path) -> None:
    """Start containerd, kubelet and kube-proxy.

    Raises:
        TestbedError: containerd does not come up; the text has the end of its log.
    """
    config = inside.path(containerd.CONFIG)
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(containerd.config(images.PAUSE))
    runtime = _start(node, inside, ["containerd", f"--config={containerd.CONFIG}"], state)
    shutil.copyfile(credentials, inside.path(kubelet.KUBECONFIG))
    shutil.copyfile(state.kubernetes / "kube-proxy.conf", inside.path(kube_proxy.KUBECONFIG))
    inside.path(kubelet.CONFIG).write_text(
        kubelet.config(str(state.pki / "ca.crt"), cgroups.name_of(state.root, node.name))
    )
    proxy_flags = kube_proxy.flags(node, kube_proxy.wanted_mode())
    _start(node, inside, [str(tools / "kube-proxy"), *proxy_flags], state)
    processes.wait_until(
        f"containerd of {node.name} listens",
        inside.path(containerd.SOCKET).is_socket,
        seconds=_SOCKET_SECONDS,
        watching=(runtime,),
    )
    _start(node, inside, [str(tools / "kubelet"), *kubelet.flags(node)], state)


def _start(node: Node, inside: Namespaces, command: list[str], state: State) -> processes.Process:
    name = f"{node.name}-{Path(command[0]).name}"
    return processes.start(name, inside.command(command), state=state.root)


def install_plugins(inside: Namespaces, plugins: dict[str, Path], meta: str) -> None:
    """Put the CNI plugins in place."""
    folder = inside.path(str(cni.BIN))
    for name, plugin in plugins.items():
        if name == meta:
            # The cache may drop the file that it is built to while the cluster runs.
            shutil.copy(plugin, folder / name)
        else:
            # A link, for they are many and large; a plugin that is installed later replaces it.
            (folder / name).symlink_to(plugin)


def configure_meta(inside: Namespaces, meta: str, state: State, cluster_network: Path) -> None:
    """Make the meta plugin the one that the runtime calls."""
    credentials = inside.path(str(cni.MULTUS_KUBECONFIG))
    credentials.parent.mkdir(parents=True, exist_ok=True)
    credentials.touch(mode=0o600)
    shutil.copyfile(state.kubernetes / "multus.conf", credentials)
    # The runtime takes the first file by name: this one goes before the cluster network's.
    inside.path(str(cni.CONF / "00-multus.conf")).write_text(cni.multus(meta, cluster_network))
