"""What the testbed writes for the components; that they accept it shows in `up`."""

import json
import tomllib
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
import yaml

from testbed import (
    certificates,
    cni,
    containerd,
    control_plane,
    images,
    kube_proxy,
    kubeconfig,
    kubelet,
    network,
    release,
    topology,
)
from testbed.errors import TestbedError
from testbed.paths import State

FIRST, SECOND = topology.nodes(2)


def test_containerd_runs_without_the_right_to_lower_oom_scores() -> None:
    document = tomllib.loads(containerd.config(images.PAUSE))
    cri = document["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == images.PAUSE
    assert cri["cni"] == {"bin_dir": str(cni.BIN), "conf_dir": str(cni.CONF)}


def test_kubelet_keeps_to_its_own_cgroup() -> None:
    document = json.loads(kubelet.config("/pki/ca.crt", "testbed-1234-node1"))
    assert document["cgroupRoot"] == "/testbed-1234-node1"
    assert document["authentication"]["x509"]["clientCAFile"] == "/pki/ca.crt"
    assert document["clusterDNS"], "without it every pod gets a MissingClusterDNS event"
    assert f"--node-ip={SECOND.address}" in kubelet.flags(SECOND)


def test_kube_proxy_leaves_the_machines_connection_tracking_alone() -> None:
    flags = kube_proxy.flags(FIRST)
    limits = [flag for flag in flags if flag.startswith("--conntrack-")]
    assert len(limits) == 4
    assert all(flag.endswith("=0") for flag in limits)


def test_kube_proxy_runs_in_the_mode_that_is_asked_for() -> None:
    assert kube_proxy.wanted_mode({}) == "iptables"
    mode = kube_proxy.wanted_mode({"TESTBED_KUBE_PROXY_MODE": "nftables"})
    assert "--proxy-mode=nftables" in kube_proxy.flags(FIRST, mode)
    with pytest.raises(TestbedError, match="'ipvs': give iptables or nftables"):
        kube_proxy.wanted_mode({"TESTBED_KUBE_PROXY_MODE": "ipvs"})


def test_kubeadm_documents_tell_the_cidrs() -> None:
    text = certificates.kubeadm_config(SECOND, FIRST, Path("/pki"))
    init, cluster = yaml.safe_load_all(text)
    assert init["nodeRegistration"]["name"] == "node2"
    assert init["localAPIEndpoint"]["advertiseAddress"] == str(FIRST.address)
    assert cluster["networking"]["podSubnet"] == str(topology.POD_CIDR)
    assert cluster["networking"]["serviceSubnet"] == str(topology.SERVICE_CIDR)
    assert "127.0.0.1" in cluster["apiServer"]["certSANs"]


def test_components_agree_on_the_ranges(tmp_path: Path) -> None:
    state = State(tmp_path)
    services = f"--service-cluster-ip-range={topology.SERVICE_CIDR}"
    assert services in control_plane.apiserver(state, FIRST)
    manager = control_plane.controller_manager(state)
    assert services in manager
    assert f"--cluster-cidr={topology.POD_CIDR}" in manager


def test_the_bridge_has_the_nodes_range() -> None:
    document = json.loads(cni.bridge_network(IPv4Network("10.244.3.0/24")))
    bridge = document["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert bridge["ipMasq"] is False


@pytest.mark.parametrize(
    ("file", "kind"), [("/x/multus-standin", "multus-standin"), ("/x/multus-amd64", "multus")]
)
def test_meta_plugin_leads_to_the_cluster_network(file: str, kind: str) -> None:
    assert cni.meta_name(Path(file)) == kind
    document = json.loads(cni.multus(kind, cni.NETWORKS[cni.FLANNEL]))
    assert document["type"] == kind
    assert document["clusterNetwork"] == str(cni.NETWORKS[cni.FLANNEL])
    assert document["kubeconfig"] == str(cni.MULTUS_KUBECONFIG)


def test_named_plugins_go_before_the_distributions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution, named = tmp_path / "distribution", tmp_path / "named"
    for folder, names in ((distribution, ("bridge", "macvlan")), (named, ("macvlan",))):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    monkeypatch.setattr(cni, "PLUGINS", distribution)
    monkeypatch.setenv("TESTBED_CNI_PATH", str(named))
    meta = tmp_path / "multus"
    assert cni.plugins(meta) == {
        "bridge": distribution / "bridge",
        "macvlan": named / "macvlan",
        "multus": meta,
    }


@pytest.mark.parametrize(("address", "routed"), [(FIRST.address, True), (topology.GATEWAY, False)])
def test_all_but_the_gateway_have_a_default_route(address: IPv4Address, routed: bool) -> None:
    commands = network.eth0_commands(address).splitlines()
    assert f"address add {address}/16 dev eth0" in commands
    assert (f"route add default via {topology.GATEWAY}" in commands) is routed


def test_a_kubeconfig_moves_to_another_address(tmp_path: Path) -> None:
    original = tmp_path / "admin.conf"
    original.write_text(kubeconfig.with_token("https://172.30.0.11:6443", b"authority", "secret"))
    moved = yaml.safe_load(kubeconfig.at_server(original, "https://127.0.0.1:4000"))
    assert moved["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:4000",
        "certificate-authority-data": "YXV0aG9yaXR5",
    }
    assert moved["users"][0]["user"] == {"token": "secret"}


def test_pods_of_macvlan_networks_get_addresses_of_the_underlay() -> None:
    ipam = yaml.safe_load(release.VALUES.read_text())["defaultIPAM"]
    given = ipam["ranges"][0][0]
    assert IPv4Network(given["subnet"]) == topology.UNDERLAY
    assert IPv4Address(given["gateway"]) == topology.GATEWAY
    first, last = IPv4Address(given["rangeStart"]), IPv4Address(given["rangeEnd"])
    taken = [node.address for node in topology.nodes(topology.MOST_NODES)]
    assert not any(first <= address <= last for address in (topology.GATEWAY, *taken))
