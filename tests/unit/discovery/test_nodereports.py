"""What the installer's pods report of their nodes, and what is not taken from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.core.nodes.report import NodeReport
from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.nodereports import (
    InstallerPod,
    installer_pods,
    last_report,
    read_pod,
    read_report,
)
from spidercoordinator.discovery.source import Observation
from spidercoordinator.kube.reflector import Deleted, Replaced, Updated
from tests.unit.discovery.observing import listed

MESSAGE = '{"interfaces":["eth0","bond0"],"unlisted":["veth"]}'
REPORT = NodeReport(frozenset({"eth0", "bond0"}), ("veth",))
ENDED = {
    "exitCode": 0,
    "reason": "Completed",
    "message": MESSAGE,
    "finishedAt": "1970-01-01T00:01:40Z",
}
TOLD = InstallerPod("node-of-p1", REPORT, 100.0)


def pod(state: dict[str, Any], *, name: str = "p1", container: str = "install") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {"nodeName": f"node-of-{name}"},
        "status": {"initContainerStatuses": [{"name": container, "state": state}]},
    }


def ended(**other: Any) -> dict[str, Any]:
    return pod({"terminated": ENDED | other})


def test_a_pod_reports_its_node_at_its_start() -> None:
    [as_listed] = listed(installer_pods("ns", "app=x"), [ended()])
    assert read_pod(as_listed) == TOLD


def test_other_init_containers_do_not_matter() -> None:
    pod_object = ended()
    statuses = pod_object["status"]["initContainerStatuses"]
    statuses.insert(0, {"name": "injected", "state": {"terminated": {"exitCode": 0}}})
    assert read_pod(pod_object) == TOLD


@pytest.mark.parametrize(
    ("container", "state", "runs"),
    [
        ("coordinator-install", {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, True),
        ("coordinator-install", {"waiting": {}}, False),
        ("injected", {"running": {}}, False),
    ],
)
def test_a_log_can_be_read_while_the_resident_container_runs(
    container: str, state: dict[str, Any], *, runs: bool
) -> None:
    given = ended()
    given["status"]["containerStatuses"] = [{"name": container, "state": state}]
    [as_listed] = listed(installer_pods("ns", "app=x"), [given])
    read = read_pod(as_listed)
    assert read is not None
    assert read.runs is runs


def test_a_report_has_everything_that_the_installer_tells() -> None:
    told = {
        "interfaces": ["eth0"],
        "unlisted": ["veth"],
        "plugins": ["macvlan", "ifacer", "tap"],
        "truncated": True,
        "links": {"eth0": {"kind": "device", "mtu": 9000}},
        "speaks": {"0.4.0 1.0.0": ["macvlan", "ifacer"]},
    }
    spoken = ("0.4.0", "1.0.0")
    assert read_report(json.dumps(told)) == NodeReport(
        frozenset({"eth0"}),
        ("veth",),
        truncated=True,
        plugins=frozenset({"macvlan", "ifacer", "tap"}),
        versions={"macvlan": spoken, "ifacer": spoken},
        mtus={"eth0": 9000},
    )


def test_a_node_whose_interfaces_cannot_be_seen_reports_its_plugins() -> None:
    read = read_report('{"interfaces":null,"unlisted":null,"plugins":["a"]}')
    assert read == NodeReport(None, plugins=frozenset({"a"}))


LINE = "coordinator-install: node report "


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", None),
        ("1970-01-01T00:00:01Z coordinator-install: installed /host/cni-bin/coordinator\n", None),
        (f"1970-01-01T00:00:01.5Z {LINE}{MESSAGE}\n", 1.5),
        (f"1970-01-01T00:00:01Z {LINE}{{}}\n1970-01-01T00:00:02Z {LINE}{MESSAGE}\n", 2.0),
        (f"1970-01-01T00:00:01Z {LINE}{MESSAGE}\n1970-01-01T00:00:02Z other\n", 1.0),
        (f'1970-01-01T00:00:01Z {LINE}{MESSAGE}\n1970-01-01T00:00:02Z {LINE}{{"inter', 1.0),
        (f"no time {LINE}{MESSAGE}\n", None),
    ],
)
def test_the_last_report_of_a_log_counts(log: str, found: float | None) -> None:
    assert last_report(log) == (None if found is None else (REPORT, found))


def test_nodes_of_one_kind_share_one_entry() -> None:
    first, second = read_report(MESSAGE), read_report(MESSAGE)
    assert first is not None
    assert first is second


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param({**ended(), "status": {}}, id="not seen by kubelet yet"),
        pytest.param(pod({"waiting": {}}), id="the container waits"),
        pytest.param(pod({"running": {}}), id="it runs"),
        pytest.param(pod({"terminated": ENDED}, container="other"), id="another container"),
        pytest.param(ended(exitCode=1), id="it failed"),
        pytest.param(ended(message=""), id="no message"),
        pytest.param(pod({"terminated": {"exitCode": 0}}), id="no message at all"),
        pytest.param(ended(message=MESSAGE[:-4]), id="kubelet cut the message off"),
        pytest.param(ended(message="installed /host/cni-bin/coordinator"), id="no JSON"),
        pytest.param(ended(message="[]"), id="no object"),
        pytest.param(ended(message="{}"), id="no interfaces"),
        pytest.param(ended(message='{"interfaces":"eth0"}'), id="no list"),
        pytest.param(ended(message='{"interfaces":[0]}'), id="no names"),
        pytest.param(ended(message='{"interfaces":[],"plugins":"x"}'), id="no list of plugins"),
        pytest.param(ended(message='{"interfaces":[],"unlisted":3}'), id="no list of beginnings"),
        pytest.param(ended(message='{"interfaces":[],"links":{"a":1}}'), id="no link"),
        pytest.param(ended(message='{"interfaces":[],"speaks":["a"]}'), id="no versions"),
        pytest.param(ended(message='{"interfaces":null}'), id="nothing at all"),
    ],
)
def test_anything_else_is_no_report(obj: dict[str, Any]) -> None:
    read = read_pod(obj)
    assert read is not None
    assert read.report is None


@pytest.mark.parametrize("obj", [{"metadata": {"name": "a"}}, {**ended(), "spec": {}}])
def test_a_pod_without_a_node_says_nothing(obj: dict[str, Any]) -> None:
    assert read_pod(obj) is None


def test_only_nodes_and_names_are_kept_while_pods_come_and_go() -> None:
    watched, observation = installer_pods("ns", "a=b"), Observation()
    first = pod({"terminated": ENDED})
    starting = pod({"waiting": {}}, name="p2")
    update_observation(
        watched, observation, Replaced([watched.read(first), watched.read(starting)])
    )
    assert observation.entries == {"ns/p1": TOLD, "ns/p2": InstallerPod("node-of-p2")}
    later = json.dumps({"interfaces": ["eth7"]})
    started = pod({"terminated": ENDED | {"message": later}}, name="p2")
    update_observation(watched, observation, Updated(started))
    assert observation.entries["ns/p2"].report.interfaces == {"eth7"}
    update_observation(watched, observation, Deleted(first))
    assert set(observation.entries) == {"ns/p2"}
