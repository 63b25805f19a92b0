"""What holds for every pod and every configuration, seen in the kernel."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cni.doctor import Doctor
from tests.cni.namespace import Namespace
from tests.cni.routing import OUTSIDE, SERVICE, defaults, from_rules
from tests.cni.scenarios import Interface, Scenario, address, attach, new_pod, scenarios
from tests.cni.topology import PluginError, Pod, Segment

# The kernel does the work of an example, so their number is small and they are always the same.
examples = settings(max_examples=15, deadline=None, derandomize=True, database=None)
more_examples = settings(examples, max_examples=40)


@pytest.fixture(scope="module")
def shared(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segment]:
    """A node for all examples; each makes a pod of its own."""
    segment = Segment(f"sc-prop{os.getpid()}", tmp_path_factory.mktemp("prop"), binary)
    try:
        segment.create()
        yield segment
    finally:
        segment.delete()


@given(scenario=scenarios(), stride=st.integers(3, 7))
@examples
def test_an_add_that_fails_leaves_the_state_before(
    shared: Segment, scenario: Scenario, stride: int
) -> None:
    with new_pod(shared) as pod:
        for interface in scenario.interfaces:
            attach(pod, scenario, interface)
            if interface not in scenario.coordinated:
                continue
            before = state(pod)
            step = 0
            while fails_at(pod, scenario, interface, step):
                assert state(pod) == before, f"after step {step} of {interface.name} failed"
                step += stride
            assert step > 0 or state(pod) == before, "no step failed"


@given(scenario=scenarios())
@examples
def test_check_and_a_second_add_find_the_desired_state(shared: Segment, scenario: Scenario) -> None:
    with new_pod(shared) as pod:
        for interface in scenario.interfaces:
            attach(pod, scenario, interface)
            if interface not in scenario.coordinated:
                continue
            pod.coordinator("ADD", interface.name, **scenario.section)
            desired = state(pod)
            pod.coordinator("CHECK", interface.name, **scenario.section)
            pod.coordinator("ADD", interface.name, **scenario.section)
            assert state(pod) == desired


@given(scenario=scenarios(further=1), others=st.tuples(scenarios(), scenarios(), scenarios()))
@more_examples
def test_check_of_each_interface_agrees_where_the_networks_differ(
    shared: Segment, scenario: Scenario, others: tuple[Scenario, ...]
) -> None:
    chosen = {"podDefaultRouteNIC": scenario.section["podDefaultRouteNIC"]}
    sections = {}
    for interface, other in zip(scenario.interfaces, others, strict=False):
        section = other.section | chosen
        if scenario.cluster_network and not other.tuned:
            section["podRPFilter"] = -1  # such an ADD may leave nothing in the pod that tells of it
        sections[interface.name] = section
    with new_pod(shared) as pod:
        for interface in scenario.interfaces:
            attach(pod, scenario, interface)
            if interface in scenario.coordinated:
                pod.coordinator("ADD", interface.name, **sections[interface.name])
        for interface in scenario.coordinated:
            pod.coordinator("CHECK", interface.name, **sections[interface.name])


@given(scenario=scenarios())
@more_examples
def test_each_interfaces_traffic_leaves_by_it_and_services_go_through_the_node(
    shared: Segment, scenario: Scenario
) -> None:
    with new_pod(shared) as pod:
        add_all(pod, scenario)
        check_tables(pod, scenario)
        check_lookups(pod, scenario, scenario.interfaces)


@given(scenario=scenarios())
@more_examples
def test_the_doctor_misses_nothing_of_pods_as_they_were_added(
    shared: Segment, programs: Path, tmp_path_factory: pytest.TempPathFactory, scenario: Scenario
) -> None:
    """It knows what an ADD left, but not what the networks said."""
    files = tmp_path_factory.mktemp("doctor")
    (files / "run").mkdir()
    (files / "run/netns").symlink_to("/run/netns")
    with new_pod(shared) as pod:
        add_all(pod, scenario)
        lines = Doctor(shared, programs, files).findings(f"--host-root={files}")
        assert [line for line in lines if "the pod with" in line and "rp_filter" not in line] == []


@given(scenario=scenarios(further=1), choice=st.integers(0, 5))
@more_examples
def test_del_of_a_further_interface_leaves_the_others_as_they_were(
    shared: Segment, scenario: Scenario, choice: int
) -> None:
    with new_pod(shared) as pod:
        add_all(pod, scenario)
        further = scenario.interfaces[1:]
        deleted = further[choice % len(further)]
        addresses = {address(pod, scenario, deleted, family) for family in deleted.families}
        pod.coordinator("DEL", deleted.name, **scenario.section)
        pod.detach(deleted.name)
        for family in deleted.families:
            assert not addresses & from_rules(pod, family).keys()
            entries = shared.node.routes(family, 500) + shared.node.neighbours(family)
            assert not addresses & {entry.split()[0] for entry in entries}
        check_lookups(pod, scenario, tuple(i for i in scenario.interfaces if i != deleted))


def add_all(pod: Pod, scenario: Scenario) -> None:
    for interface in scenario.interfaces:
        attach(pod, scenario, interface)
        if interface in scenario.coordinated:
            pod.coordinator("ADD", interface.name, **scenario.section)


def fails_at(pod: Pod, scenario: Scenario, interface: Interface, step: int) -> bool:
    """Let an ADD fail in a step; False when it has fewer steps and succeeds."""
    fault = {"COORDINATOR_FAIL_AT": str(step)}
    try:
        pod.coordinator("ADD", interface.name, env=fault, **scenario.section)
    except PluginError as error:
        if "injected fault" not in error.msg or "rollback failed" in error.msg:
            raise
        return True
    return False


def check_tables(pod: Pod, scenario: Scenario) -> None:
    """Rules look up private tables with routes, one for each interface, after the mark rule."""
    device_of: dict[str, str] = {}
    for family in (4, 6):
        devices = {
            address(pod, scenario, interface, family): interface.name
            for interface in scenario.interfaces
            if family in interface.families
        }
        rules = from_rules(pod, family)
        assert scenario.tuned or not rules
        for source, table in rules.items():
            assert int(table) > 5000
            assert device_of.setdefault(table, devices[source]) == devices[source]
            assert pod.space.routes(family, table) != []
        marked = [number for number, rule in enumerate(pod.space.rules(family)) if "fwmark" in rule]
        selecting = [number for number, rule in enumerate(pod.space.rules(family)) if ":" in rule]
        assert marked in ([], selecting[1:2]), "only the kernel's local table comes before"


def check_lookups(pod: Pod, scenario: Scenario, interfaces: tuple[Interface, ...]) -> None:
    """Route lookups from each interface's address, and the main table's default route."""
    for family in (4, 6):
        with_default = [i.name for i in interfaces if i.gateway and family in i.families]
        if scenario.tuned:
            assert len(defaults(pod, family)) == min(len(with_default), 1)
        assert set(defaults(pod, family)) <= set(with_default)
        for interface in interfaces:
            if family not in interface.families:
                continue
            source = address(pod, scenario, interface, family)
            if scenario.tuned and interface.gateway:
                lookup = pod.space.route_get(f"{OUTSIDE[family]} from {source}", family)
                assert f" dev {interface.name} " in lookup
            if scenario.reaches_node(family):
                lookup = pod.space.route_get(f"{SERVICE[family]} from {source}", family)
                assert f" dev {scenario.node_device} " in lookup


def state(pod: Pod) -> dict[str, list[str]]:
    """Return everything that an ADD may change in the pod and on the node."""
    node = pod.segment.node
    found: dict[str, list[str]] = {"pod": links(pod.space), "node": links(node)}
    for link in pod.space.ip("link show"):
        for key in ("ipv4.conf.{}.rp_filter", "ipv6.conf.{}.accept_ra_defrtr"):
            name = "net." + key.format(link["ifname"])
            found[name] = [pod.space.sysctl(name)]
    for dev in ("all", "default"):
        found[dev] = [pod.space.sysctl(f"net.ipv4.conf.{dev}.rp_filter")]
    for family in (4, 6):
        found[f"pod {family}"] = [
            *pod.space.rules(family),
            *sorted(pod.space.neighbours(family)),
            *sorted(
                route for route in pod.space.routes(family, "all") if "table local" not in route
            ),
        ]
        found[f"node {family}"] = routes(node, family, 500) + sorted(node.neighbours(family))
    found["nftables"] = pod.space.run("nft list ruleset").splitlines()
    return found


def links(space: Namespace) -> list[str]:
    """Return the links with what an ADD may set."""
    attributes = ("ifname", "address", "mtu", "txqlen")
    found = space.ip("link show")
    return sorted(
        f"{[link.get(key) for key in attributes]} {'UP' in link['flags']}" for link in found
    )


def routes(space: Namespace, family: int, table: int | str) -> list[str]:
    """Return the routes of a table without what the kernel says of carriers a moment later."""
    return sorted(route.removesuffix(" linkdown") for route in space.routes(family, table))
