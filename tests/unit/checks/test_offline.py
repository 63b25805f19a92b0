"""What `spidercoordinator render` prints, and its message when it cannot know all."""

import io
import json
from typing import Any

import pytest
import yaml

from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.main import main
from spidercoordinator.core.network.ipam import NO_IPAM

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
    "defaultIPAM": {"type": "whereabouts", "range": "10.6.0.0/16"},
    "overlayPodCIDR": ["10.244.0.0/16"],
    "serviceCIDR": ["10.96.0.0/12"],
    "sources": {"overlayPodCIDR": "kubeadm-config", "serviceCIDR": "ServiceCIDR API"},
}


def render(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *objects: Any,
    ipam: str = "",
) -> tuple[int, list[Any], str]:
    """The exit status, the objects printed, the messages."""
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump_all(objects)))
    status = main(["render", "-f", "-", *(["--default-ipam", ipam] if ipam else [])])
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
        COORDINATOR
        | {"spec": {"podCIDR": ["10.244.3.3/16"], "serviceCIDR": ["10.96.0.0/12"]}}
        | {"status": {"defaultIPAM": {"type": "dhcp"}}},
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
    own = {
        "spec": {"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]},
        "status": {"defaultIPAM": {"type": "dhcp"}},
    }
    _, [nad], message = render(*run, NETWORK, COORDINATOR | own)
    assert message == ""
    assert "overlayPodCIDR" not in section(nad)


def test_unknown_cidrs_are_printed(run: Run) -> None:
    status, [nad], message = render(*run, NETWORK, COORDINATOR, ipam='{"type":"dhcp"}')
    reason = section(nad)["notReadyReason"]
    assert "its pod CIDRs (spec.podCIDR) and service CIDRs (spec.serviceCIDR) are" in reason
    assert message.startswith(f"render: {reason}; give the cluster's own too: kubectl get ")
    assert status == 0
    assert section(nad)["vethLinkAddress"] == "169.254.100.1"


def test_a_missing_coordinator_is_printed_where_it_matters(run: Run) -> None:
    other = COORDINATOR | {"metadata": {"name": "other"}, "status": STATUS}
    _, [nad], message = render(*run, NETWORK, other, ipam='{"type":"dhcp"}')
    assert message.startswith("render: no SpiderCoordinator default is given; ")
    assert section(nad)["notReadyReason"].startswith("SpiderCoordinator default does not exist")
    plain = NETWORK | {"spec": {**NETWORK["spec"], "enableCoordinator": False}}
    assert render(*run, plain, ipam='{"type":"dhcp"}')[2] == ""


def ipam_of(nad: dict[str, Any]) -> Any:
    return json.loads(nad["spec"]["config"])["plugins"][0].get("ipam")


def test_ipam_is_what_is_asked_for_or_set_or_what_the_cluster_says(run: Run) -> None:
    given = COORDINATOR | {"status": STATUS}
    assert ipam_of(render(*run, NETWORK, given)[1][0]) == STATUS["defaultIPAM"]
    run[0].setenv("SPIDERCOORDINATOR_DEFAULT_IPAM", '{"type":"dhcp"}')
    assert ipam_of(render(*run, NETWORK, given)[1][0]) == {"type": "dhcp"}
    [nad] = render(*run, NETWORK, given, ipam='{"type":"static"}')[1]
    assert ipam_of(nad) == {"type": "static"}
    named = {**NETWORK["spec"], "ipam": {"type": "host-local"}}
    assert ipam_of(render(*run, NETWORK | {"spec": named}, given)[1][0]) == {"type": "host-local"}


def test_a_network_without_ipam_is_printed_as_such(run: Run) -> None:
    without = {key: value for key, value in STATUS.items() if key != "defaultIPAM"}
    status, [nad], message = render(*run, NETWORK, COORDINATOR | {"status": without})
    assert status == 0
    assert section(nad) == {"type": "coordinator", "notReadyReason": NO_IPAM}
    assert message.startswith("render: SpiderMultusConfig net/a names no IPAM: say which one")


def test_an_ipam_that_is_none_is_refused(run: Run) -> None:
    for text in ("{", "[]", '{"range":"10.6.0.0/16"}'):
        status, printed, message = render(*run, NETWORK, ipam=text)
        assert (status, printed) == (Exit.USAGE, [])
        assert f"--default-ipam is {text!r}: allowed is a CNI IPAM object" in message


def test_nothing_is_printed_while_something_is_wrong(run: Run) -> None:
    bad = NETWORK | {"metadata": {"name": "b"}, "spec": {"cniType": "macvlan"}}
    status, printed, message = render(*run, NETWORK, bad)
    assert (status, printed) == (1, [])
    assert "standard input: SpiderMultusConfig default/b: error: spec" in message
    assert message.endswith("render: nothing is printed until the errors are mended\n")
