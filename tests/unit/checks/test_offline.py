"""What `spidercoordinator render` prints, and its message when it cannot know all."""

import io
import json
from typing import Any

import pytest
import yaml

from spidercoordinator.cli.main import main

API = "spiderpool.spidernet.io/v2beta1"
COORDINATOR: dict[str, Any] = {
    "apiVersion": API,
    "kind": "SpiderCoordinator",
    "metadata": {"name": "default"},
    "spec": {"vethLinkAddress": "169.254.100.1"},
}
NETWORK: dict[str, Any] = {
    "apiVersion": API,
    "kind": "SpiderMultusConfig",
    "metadata": {"name": "a", "namespace": "net", "annotations": {"team": "blue"}},
    "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}},
}
STATUS = {
    "overlayPodCIDR": ["10.244.0.0/16"],
    "serviceCIDR": ["10.96.0.0/12"],
    "sources": {"overlayPodCIDR": "kubeadm-config", "serviceCIDR": "ServiceCIDR API"},
}


def render(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *objects: Any
) -> tuple[int, list[Any], str]:
    """The exit status, the objects printed, the messages."""
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump_all(objects)))
    status = main(["render", "-f", "-"])
    message = capsys.readouterr()
    return status, list(yaml.safe_load_all(message.out)), message.err


def section(nad: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(nad["spec"]["config"])["plugins"][-1]
    assert found["type"] == "coordinator"
    return found


Run = tuple[pytest.MonkeyPatch, pytest.CaptureFixture[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return monkeypatch, capsys


@pytest.mark.parametrize(
    "coordinator",
    [
        COORDINATOR | {"status": STATUS},
        COORDINATOR | {"spec": {"podCIDR": ["10.244.3.3/16"], "serviceCIDR": ["10.96.0.0/12"]}},
    ],
    ids=["as the cluster has it", "with CIDRs of its own"],
)
def test_complete_objects_give_complete_networks(run: Run, coordinator: dict[str, Any]) -> None:
    status, [nad], message = render(*run, NETWORK, coordinator)
    assert (status, message) == (0, "")
    assert (nad["apiVersion"], nad["kind"]) == (
        "k8s.cni.cncf.io/v1",
        "NetworkAttachmentDefinition",
    )
    assert nad["metadata"] == {"name": "a", "namespace": "net", "annotations": {"team": "blue"}}
    found = section(nad)
    assert found["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert found["serviceCIDR"] == ["10.96.0.0/12"]
    assert "notReadyReason" not in found


def test_no_pod_cidrs_are_none_and_not_unknown(run: Run) -> None:
    own = {"spec": {"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]}}
    _, [nad], message = render(*run, NETWORK, COORDINATOR | own)
    assert message == ""
    assert "overlayPodCIDR" not in section(nad)


def test_unknown_cidrs_are_printed(run: Run) -> None:
    status, [nad], message = render(*run, NETWORK, COORDINATOR)
    reason = section(nad)["notReadyReason"]
    assert "its pod CIDRs (spec.podCIDR) and service CIDRs (spec.serviceCIDR) are" in reason
    assert message.startswith(f"render: {reason}; give the cluster's own too: kubectl get ")
    assert status == 0
    assert section(nad)["vethLinkAddress"] == "169.254.100.1"


def test_a_missing_coordinator_is_printed_where_it_matters(run: Run) -> None:
    other = COORDINATOR | {"metadata": {"name": "other"}, "status": STATUS}
    _, [nad], message = render(*run, NETWORK, other)
    assert message.startswith("render: no SpiderCoordinator default is given; ")
    assert section(nad)["notReadyReason"].startswith("SpiderCoordinator default does not exist")
    plain = NETWORK | {"spec": {**NETWORK["spec"], "enableCoordinator": False}}
    assert render(*run, plain)[2] == ""


def test_the_setting_for_networks_without_ipam_counts(run: Run) -> None:
    run[0].setenv("SPIDERCOORDINATOR_DEFAULT_IPAM", '{"type":"dhcp"}')
    _, [nad], _ = render(*run, NETWORK, COORDINATOR)
    assert json.loads(nad["spec"]["config"])["plugins"][0]["ipam"] == {"type": "dhcp"}


def test_nothing_is_printed_while_something_is_wrong(run: Run) -> None:
    bad = NETWORK | {"metadata": {"name": "b"}, "spec": {"cniType": "macvlan"}}
    status, printed, message = render(*run, NETWORK, bad)
    assert (status, printed) == (1, [])
    assert "standard input: SpiderMultusConfig default/b: error: spec" in message
    assert message.endswith("render: nothing is printed until the errors are mended\n")
