from __future__ import annotations

import pytest

from spidercoordinator.discovery.kubeadm import WATCHED, Kubeadm, read_kubeadm_config
from spidercoordinator.discovery.source import Observation, ReadState


def config(text: str) -> dict[str, object]:
    return {"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": text}}


def networking(pod: str, service: str = "10.96.0.0/12") -> str:
    return (
        f"kind: ClusterConfiguration\nnetworking:\n  podSubnet: {pod}\n  serviceSubnet: {service}\n"
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("10.244.0.0/16", ("10.244.0.0/16",), id="plain"),
        pytest.param('"10.244.0.0/16"', ("10.244.0.0/16",), id="quoted"),
        pytest.param("10.1.0.0/16,fd00::/56", ("10.1.0.0/16", "fd00::/56"), id="dual stack"),
        pytest.param('"10.1.0.0/16, fd00::/56"', ("10.1.0.0/16", "fd00::/56"), id="with a blank"),
        pytest.param("[10.1.0.0/16, 10.2.0.0/16]", ("10.1.0.0/16", "10.2.0.0/16"), id="a list"),
        pytest.param("10.1.0.0/16 # 10.9.0.0/16", ("10.1.0.0/16",), id="a comment behind"),
        pytest.param("10.1.2.3/16", ("10.1.0.0/16",), id="host bits"),
        pytest.param("10.1.0.0/16,10.1.0.0/16", ("10.1.0.0/16",), id="twice"),
        pytest.param("10.1.0.0", ("10.1.0.0",), id="an address stays one, to be named"),
        pytest.param("nonsense", ("nonsense",), id="no CIDR, to be named"),
        pytest.param('""', (), id="empty"),
    ],
)
def test_pod_subnet_is_read_as_yaml(written: str, expected: tuple[str, ...]) -> None:
    assert read_kubeadm_config(config(networking(written))).pod == expected


def test_a_commented_line_and_a_longer_key_are_not_taken_for_the_subnet() -> None:
    text = (
        "# podSubnet: 10.1.0.0/16\nmypodSubnet: 10.2.0.0/16\nnetworking:\n"
        "  # podSubnet: 10.3.0.0/16\n  podSubnet: 10.4.0.0/16\n"
    )
    assert read_kubeadm_config(config(text)).pod == ("10.4.0.0/16",)


@pytest.mark.parametrize("version", ["v1beta2", "v1beta3", "v1beta4"])
@pytest.mark.parametrize(
    "documents",
    [
        pytest.param("---\n{0}", id="marked"),
        pytest.param("---\n{0}---\n{1}", id="first"),
        pytest.param("{1}---\n# the cluster\n{0}...\n", id="second"),
        pytest.param("---\n---\n{0}---\n", id="beside empty ones"),
        pytest.param("{2}---\n{0}", id="beside one of another kind with a networking"),
    ],
)
def test_a_file_of_several_documents_is_read_as_kubeadm_reads_it(
    documents: str, version: str
) -> None:
    cluster = f"apiVersion: kubeadm.k8s.io/{version}\n{networking('10.1.0.0/16')}"
    kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    other = f"kind: Other\n{networking('10.9.0.0/16').partition(chr(10))[2]}"
    read = read_kubeadm_config(config(documents.format(cluster, kubelet, other)))
    assert (read.pod, read.service, read.missing) == (("10.1.0.0/16",), ("10.96.0.0/12",), "")


def test_anchors_of_yaml_are_followed() -> None:
    text = (
        "x: &pod '10.1.0.0/16'\nbase: &net {podSubnet: *pod, serviceSubnet: 10.96.0.0/12}\n"
        "networking:\n  <<: *net\n  dnsDomain: x\n"
    )
    assert read_kubeadm_config(config(text)).pod == ("10.1.0.0/16",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(None, "has no key ClusterConfiguration", id="no key"),
        pytest.param("a: [", "is no YAML", id="broken YAML"),
        pytest.param("just text", "has no networking", id="no mapping"),
        pytest.param("networking: none", "has no networking", id="networking is text"),
        pytest.param("networking: {podSubnet: 10.1.0.0/16}", "serviceSubnet", id="one is missing"),
        pytest.param(networking("10.1.0.0"), "podSubnet", id="one is no range"),
    ],
)
def test_what_is_missing_is_named(data: str | None, message: str) -> None:
    obj: dict[str, object] = {"metadata": {}, "data": None} if data is None else config(data)
    read = read_kubeadm_config(obj)
    missing = read.missing
    assert Observation(ReadState.READ, entries={"x": read}).count == 0
    assert message in missing
    assert "kube-system/kubeadm-config" in missing


def test_a_good_pod_subnet_survives_a_missing_service_subnet() -> None:
    entries = read_kubeadm_config(config("networking: {podSubnet: 10.1.0.0/16}"))
    observation = Observation(ReadState.READ, entries={"kube-system/kubeadm-config": entries})
    report = Kubeadm().report({WATCHED.title: observation})
    assert (report.pod, report.service) == (("10.1.0.0/16",), ())


def test_an_absent_config_map_is_named() -> None:
    report = Kubeadm().report({WATCHED.title: Observation(ReadState.READ)})
    assert report.missing == "there is no ConfigMap kube-system/kubeadm-config"
