"""Bring up a cluster: the namespaces, then the control plane, then the nodes.

All of it takes some seconds, so an interrupted run is not continued but removed and
made anew; what takes long (binaries, images) is in the cache.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from pathlib import Path

from testbed import (
    binaries,
    certificates,
    cgroups,
    cluster_network,
    cni,
    control_plane,
    forwarder,
    images,
    kubeconfig,
    namespaces,
    network,
    node,
    paths,
    processes,
    readiness,
    teardown,
    topology,
)
from testbed.agents import Agents
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.namespaces import Namespaces
from testbed.paths import State
from testbed.processes import Process
from testbed.progress import Progress

_API_SECONDS = 60.0


def ensure(state: State, progress: Progress, network: Agents | None = None) -> Cluster:
    """Return the running cluster of a state; make it when there is none.

    `network` is its cluster network in place of the testbed's own.

    Raises:
        TestbedError: something does not come up; the text has the end of its log.
    """
    existing = Cluster.recorded(state)
    if existing is not None and _usable(existing, progress):
        return existing
    if state.root.exists():
        teardown.remove(state)
    tools = binaries.ensure()
    cluster = Cluster(
        state,
        topology.nodes(topology.wanted_count()),
        network=network.project.name if network else cni.BRIDGE,
        kubernetes=binaries.kubernetes_release(),
    )
    _link_tools(state, tools)
    progress.say(f"making a cluster of {len(cluster.nodes)}")
    _make(cluster, tools, progress, network)
    state.record.write_text(cluster.record())
    return cluster


def _usable(existing: Cluster, progress: Progress) -> bool:
    ended = existing.ended()
    if ended:
        progress.say(f"{', '.join(ended)}: ended since the last `up`; making the cluster anew")
        return False
    wanted = topology.wanted_count() if os.environ.get("TESTBED_NODES") else len(existing.nodes)
    if wanted != len(existing.nodes):
        raise TestbedError(
            f"TESTBED_NODES={wanted}, but a cluster of {len(existing.nodes)} is up: "
            "`make down` first"
        )
    cluster_network.check(existing.network)
    release = binaries.kubernetes_release()
    if os.environ.get(binaries.KUBERNETES) and existing.kubernetes != release:
        raise TestbedError(
            f"{binaries.KUBERNETES} asks for {release}, but a cluster of "
            f"{existing.kubernetes or 'another release'} is up: `make down` first"
        )
    progress.say("the cluster is up already")
    return True


def _link_tools(state: State, tools: Path) -> None:
    state.bin.mkdir(parents=True, exist_ok=True)
    for tool in tools.iterdir():
        link = state.bin / tool.name
        link.unlink(missing_ok=True)
        link.symlink_to(tool)


def _make(cluster: Cluster, tools: Path, progress: Progress, pod_network: Agents | None) -> None:
    state = cluster.state
    authority = certificates.Authority(tools, state, cluster.control_plane)
    with ThreadPoolExecutor() as pool:
        issued = pool.submit(authority.issue_cluster)
        inside = _make_network(cluster)
        issued.result()
    progress.say("namespaces and certificates are there")

    first = inside[cluster.control_plane.name]
    _start_api(cluster, first, tools)
    cluster.kubectl("apply", "--filename=-", stdin=(paths.SOURCES / "rbac.yaml").read_text())
    progress.say("API server answers")

    for name, flags in (
        ("kube-controller-manager", control_plane.controller_manager(state)),
        ("kube-scheduler", control_plane.scheduler(state)),
    ):
        _start_inside(first, name, [str(tools / name), *flags], state)
    for member in cluster.nodes:
        credentials = authority.issue_node(member)
        node.start(member, inside[member.name], tools, state, credentials)
    config = authority.config_of(cluster.control_plane)
    upload = ("init", "phase", "upload-config", "kubeadm", f"--config={config}")
    binaries.run(tools, "kubeadm", *upload, f"--kubeconfig={state.kubeconfig}")
    cluster.import_image(images.ensure_pause())
    _connect_pods(cluster, inside, pod_network, progress)


def _make_network(cluster: Cluster) -> dict[str, Namespaces]:
    """Make all namespaces and their links; return those of the nodes by name."""
    root = cluster.state.root
    fabric = namespaces.hold_network(network.FABRIC, root)
    network.build_fabric(fabric)
    gateway = namespaces.hold_network(network.GATEWAY, root)
    network.attach(fabric, gateway, network.GATEWAY, topology.GATEWAY)
    network.enable_forwarding(gateway)
    inside = {}
    for member in cluster.nodes:
        cgroups.create(cgroups.name_of(root, member.name))
        inside[member.name] = namespaces.hold_node(member.name, root)
        node.make_private(member, inside[member.name], cluster.state)
        network.attach(fabric, inside[member.name], member.name, member.address)
        network.enable_forwarding(inside[member.name])
        if cluster.network == cni.BRIDGE:
            network.masquerade_pods(inside[member.name])
    return inside


def _start_api(cluster: Cluster, inside: Namespaces, tools: Path) -> None:
    """Start etcd and the API server, and make it reachable from the host."""
    state = cluster.state
    etcd = _start_inside(inside, "etcd", [str(tools / "etcd"), *control_plane.etcd(state)], state)
    flags = control_plane.apiserver(state, cluster.control_plane)
    apiserver = _start_inside(
        inside, "kube-apiserver", [str(tools / "kube-apiserver"), *flags], state
    )
    forwarding, url = forwarder.start(inside, cluster.control_plane, state)
    processes.wait_until(
        f"the API server answers at {url}",
        lambda: kubeconfig.is_ready(url, state.pki / "ca.crt"),
        seconds=_API_SECONDS,
        watching=(etcd, forwarding, apiserver),
    )
    state.kubeconfig.touch(mode=0o600)
    state.kubeconfig.write_text(kubeconfig.at_server(state.kubernetes / "super-admin.conf", url))


def _start_inside(inside: Namespaces, name: str, command: list[str], state: State) -> Process:
    return processes.start(name, inside.command(command), state=state.root)


def _connect_pods(
    cluster: Cluster,
    inside: dict[str, Namespaces],
    pod_network: Agents | None,
    progress: Progress,
) -> None:
    """Give each node its CNI plugins and configuration, and the way to the pods of others."""
    meta = cni.meta_plugin()
    plugins = cni.plugins(meta)
    ranges = readiness.pod_ranges(cluster)
    for member in cluster.nodes:
        node.install_plugins(inside[member.name], plugins, cni.meta_name(meta))
    if pod_network is None:
        _route_pods(cluster, inside, ranges)
    else:
        pod_network.install(cluster)
        if pod_network.project.by_node_ranges:
            readiness.wait_for_routes(cluster, inside, ranges)
        progress.say(f"{cluster.network} is the cluster network")
    for member in cluster.nodes:
        # Afterwards, as on any cluster: kube-router removes what it finds there when it comes.
        name = cni.meta_name(meta)
        node.configure_meta(inside[member.name], name, cluster.state, cluster.cni_file)
    readiness.wait_for_nodes(cluster)
    progress.say("nodes are Ready")


def _route_pods(
    cluster: Cluster, inside: dict[str, Namespaces], ranges: dict[str, IPv4Network]
) -> None:
    """Make the testbed's own cluster network: a bridge on each node, and routes between."""
    for member in cluster.nodes:
        configuration = cni.bridge_network(ranges[member.name])
        inside[member.name].path(str(cluster.cni_file)).write_text(configuration)
        for other in cluster.nodes:
            if other != member:
                network.add_pod_route(inside[member.name], ranges[other.name], other)
