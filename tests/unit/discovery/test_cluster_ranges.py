from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.families import Candidate
from spidercoordinator.core.cidrs.known import FamilyCIDRs, KnownList
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.core.cidrs.selection import select_list
from spidercoordinator.discovery import kuberouter, nodes, servicecidrs
from spidercoordinator.discovery.servicedryrun import SOURCE, read_refusal, read_refusals
from spidercoordinator.discovery.source import Observation, ReadState
from spidercoordinator.errors import ApiError, ApiInvalidError, ApiUnavailableError
from tests.unit.discovery.observing import FORBIDDEN, NOT_SERVED, Found, daemon_set, node, observe


def service_cidr(name: str, created: str, *cidrs: str) -> dict[str, Any]:
    meta = {"name": name, "creationTimestamp": created}
    return {"metadata": meta, "spec": {"cidrs": list(cidrs)}}


def test_service_ranges_come_oldest_first_each_once() -> None:
    objects = [
        service_cidr("extra", "2026-02-01T00:00:00Z", "10.97.0.0/16", "10.96.0.0/16"),
        service_cidr("kubernetes", "2026-01-01T00:00:00Z", "10.96.0.0/16", "fd00:1::/108"),
    ]
    entries = {t["metadata"]["name"]: servicecidrs.read_service_cidr(t) for t in objects}
    observation = Observation(ReadState.READ, entries=entries)
    report = servicecidrs.ServiceCIDRs().report({servicecidrs.WATCHED.title: observation})
    assert report.service == ("10.96.0.0/16", "fd00:1::/108", "10.97.0.0/16")


def test_an_api_server_without_the_kind_is_named() -> None:
    observation = Observation(ReadState.NOT_SERVED)
    report = servicecidrs.ServiceCIDRs().report({servicecidrs.WATCHED.title: observation})
    assert report.missing == "the API server has no servicecidrs.networking.k8s.io"


@pytest.mark.parametrize(
    ("spec", "entries"),
    [
        pytest.param(
            {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00::/64"]},
            ("10.1.0.0/24", "fd00::/64"),
            id="both fields",
        ),
        pytest.param({"podCIDR": "10.1.0.0/24"}, ("10.1.0.0/24",), id="the old field"),
        pytest.param({}, None, id="none"),
    ],
)
def test_a_node_has_its_ranges_in_either_field(
    spec: dict[str, Any], entries: tuple[str, ...] | None
) -> None:
    whole = {"metadata": {"name": "a"}, "spec": {**spec, "taints": ["bulk"]}, "status": {}}
    assert nodes.read_node(whole) == nodes.NodeFacts(entries or ())


@pytest.mark.parametrize(
    ("annotations", "cidrs"),
    [
        pytest.param({"pod-cidr": "10.9.0.0/24"}, ("10.9.0.0/24",), id="one"),
        pytest.param(
            {"pod-cidrs": "10.9.0.0/24,fd09::/64"}, ("10.9.0.0/24", "fd09::/64"), id="several"
        ),
        pytest.param(
            {"pod-cidr": "10.9.0.0/24", "pod-cidrs": "10.8.0.0/24"}, ("10.9.0.0/24",), id="both"
        ),
        pytest.param({"pod-cidr": ""}, ("10.1.0.0/24",), id="empty"),
        pytest.param({"pod-cidr": "10.9.0.0"}, ("10.1.0.0/24",), id="no range, passed over"),
        pytest.param(
            {"pod-cidr": "10.9.0.0/33", "pod-cidrs": "10.8.0.0/24,x/24"},
            ("10.8.0.0/24",),
            id="some are no ranges",
        ),
        pytest.param({}, ("10.1.0.0/24",), id="none"),
    ],
)
def test_kube_router_s_annotations_stand_for_the_ranges(
    annotations: dict[str, str], cidrs: tuple[str, ...]
) -> None:
    named = {f"kube-router.io/{key}": value for key, value in annotations.items()}
    obj = {"metadata": {"name": "a", "annotations": named}, "spec": {"podCIDR": "10.1.0.0/24"}}
    agents = daemon_set("kube-system", "kube-router")
    assert of_nodes({nodes.WATCHED: [obj], kuberouter.AGENTS: [agents]}).pod == cidrs


def of_nodes(found: Found) -> SourceReport:
    return nodes.Nodes().report(observe(nodes.Nodes(), found))


ANNOTATED = node("a", "10.1.0.0/24", annotations={"kube-router.io/pod-cidr": "10.9.0.0/24"})


@pytest.mark.parametrize("agents", [[], NOT_SERVED], ids=["gone", "never there"])
def test_what_kube_router_left_behind_loses_against_the_ranges_of_the_nodes(agents: Any) -> None:
    found = of_nodes({nodes.WATCHED: [ANNOTATED], kuberouter.AGENTS: agents})
    assert (found.pod, found.unread) == (("10.1.0.0/24",), "")
    assert found.warning == (
        "kube-router's annotations name 10.9.0.0/24 for node a, whose spec.podCIDRs are"
        " 10.1.0.0/24, and there is no DaemonSet kube-system/kube-router, so the latter count:"
        " remove what is left of kube-router, or set spec.podCIDR"
    )
    agreeing = node("a", "10.1.0.0/24", annotations={"kube-router.io/pod-cidr": "10.1.0.0/24"})
    assert of_nodes({nodes.WATCHED: [agreeing], kuberouter.AGENTS: agents}).warning == ""
    # Where the nodes have nothing else, it may be run by the hosts themselves.
    alone = node("a", annotations={"kube-router.io/pod-cidr": "10.9.0.0/24"})
    found = of_nodes({nodes.WATCHED: [alone], kuberouter.AGENTS: agents})
    assert (found.pod, found.warning) == (("10.9.0.0/24",), "")


def test_agents_of_kube_router_that_cannot_be_read_are_not_gone() -> None:
    found = of_nodes({nodes.WATCHED: [ANNOTATED], kuberouter.AGENTS: FORBIDDEN})
    assert (found.pod, found.warning) == (("10.9.0.0/24",), "")
    assert "may not list daemonsets.apps" in found.unread
    plain = node("a", "10.1.0.0/24")
    assert of_nodes({nodes.WATCHED: [plain], kuberouter.AGENTS: FORBIDDEN}).unread == ""


def test_ranges_of_nodes_are_merged() -> None:
    joined = [node(str(n), f"10.1.{n}.0/24", f"fd00:0:0:{n}::/64") for n in range(4)]
    assert of_nodes({nodes.WATCHED: joined}).pod == ("10.1.0.0/22", "fd00::/62")


@pytest.mark.parametrize(
    ("message", "ranges"),
    [
        pytest.param(
            "failed to allocate IP 0.0.0.1: the provided IP (0.0.0.1) is not in the valid range. "
            "The range of valid IPs is 10.96.0.0/12",
            ("10.96.0.0/12",),
            id="IPv4",
        ),
        pytest.param(
            "The range of valid IPs is fd00:10:96::/112", ("fd00:10:96::/112",), id="IPv6"
        ),
        pytest.param("IPv6 is not configured on this cluster", (), id="no such family"),
        pytest.param("The range of valid ports is 30000-32767", (), id="another refusal"),
    ],
)
def test_a_refusal_names_the_range(message: str, ranges: tuple[str, ...]) -> None:
    assert read_refusal(message) == ranges


def refused(cidr: str) -> ApiError:
    return ApiInvalidError(f"spec.clusterIPs: the range of valid IPs is {cidr}", status=422)


@pytest.mark.parametrize("failing", [0, 1])
def test_a_family_whose_dry_run_failed_is_not_given_up(failing: int) -> None:
    both = ("10.96.0.0/12", "fd00:96::/112")
    answers = [refused(each) for each in both]
    answers[failing] = ApiUnavailableError("HTTP 503: etcd is away", status=503)
    report = read_refusals(answers)
    assert report.service == (both[1 - failing],)
    assert report.unread.endswith("HTTP 503: etcd is away")
    known = KnownList(both, {4: FamilyCIDRs(both[:1], SOURCE), 6: FamilyCIDRs(both[1:], SOURCE)})
    selected = select_list([Candidate(report, report.service, report.unread)], known)
    assert (set(selected.cidrs), selected.last_known) == (set(both), True)


def test_a_family_that_the_api_server_does_not_have_is_given_up() -> None:
    other = ApiInvalidError("spec.clusterIPs: does not match IP families", status=422)
    report = read_refusals([refused("10.96.0.0/12"), other])
    assert (report.service, report.unread) == (("10.96.0.0/12",), "")
