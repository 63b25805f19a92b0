"""What the installer's pods report of their nodes, and what is not taken from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.core.checks.masters import Interfaces, NodeInterfaces
from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.interfaces import installer_pods, read_interfaces
from spidercoordinator.discovery.source import Observation
from spidercoordinator.kube.reflector import Deleted, Replaced, Updated

MESSAGE = '{"interfaces":["eth0","bond0"],"unlisted":["veth"]}'
INTERFACES = Interfaces(frozenset({"eth0", "bond0"}), ("veth",))
ENDED = {"exitCode": 0, "reason": "Completed", "message": MESSAGE}


def pod(state: dict[str, Any], *, name: str = "p1", container: str = "install") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {"nodeName": f"node-of-{name}"},
        "status": {"initContainerStatuses": [{"name": container, "state": state}]},
    }


def ended(**other: Any) -> dict[str, Any]:
    return pod({"terminated": ENDED | other})


def test_a_pod_reports_the_interfaces_of_its_node() -> None:
    assert read_interfaces(ended()) == NodeInterfaces("node-of-p1", INTERFACES)


def test_other_init_containers_do_not_matter() -> None:
    pod_object = ended()
    statuses = pod_object["status"]["initContainerStatuses"]
    statuses.insert(0, {"name": "injected", "state": {"terminated": {"exitCode": 0}}})
    assert read_interfaces(pod_object) == NodeInterfaces("node-of-p1", INTERFACES)


def test_a_list_without_room_says_so() -> None:
    read = read_interfaces(ended(message='{"interfaces":["a"],"unlisted":[],"truncated":true}'))
    assert read == NodeInterfaces("node-of-p1", Interfaces(frozenset({"a"}), (), truncated=True))


def test_a_pod_reports_the_plugins_of_its_node() -> None:
    read = read_interfaces(ended(message='{"interfaces":["a"],"plugins":["macvlan","ifacer"]}'))
    plugins = frozenset({"macvlan", "ifacer"})
    assert read == NodeInterfaces("node-of-p1", Interfaces(frozenset({"a"}), plugins=plugins))


def test_nodes_of_one_kind_share_one_entry() -> None:
    first, second = read_interfaces(ended()), read_interfaces(ended())
    assert first is not None
    assert second is not None
    assert first.interfaces is second.interfaces


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param({"metadata": {"name": "a"}}, id="neither spec nor status"),
        pytest.param({**ended(), "spec": {}}, id="not on a node yet"),
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
    ],
)
def test_anything_else_is_no_report(obj: dict[str, Any]) -> None:
    assert read_interfaces(obj) is None


def test_only_nodes_and_names_are_kept_while_pods_come_and_go() -> None:
    watched, observation = installer_pods("ns", "a=b"), Observation()
    first = pod({"terminated": ENDED})
    starting = pod({"waiting": {}}, name="p2")
    update_observation(
        watched, observation, Replaced([watched.read(first), watched.read(starting)])
    )
    assert observation.entries == {"ns/p1": NodeInterfaces("node-of-p1", INTERFACES)}
    later = json.dumps({"interfaces": ["eth7"]})
    started = pod({"terminated": ENDED | {"message": later}}, name="p2")
    update_observation(watched, observation, Updated(started))
    assert observation.entries["ns/p2"].interfaces.names == {"eth7"}
    update_observation(watched, observation, Deleted(first))
    assert set(observation.entries) == {"ns/p2"}
