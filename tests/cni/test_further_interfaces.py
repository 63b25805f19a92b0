"""Underlay mode, second and further interfaces."""

import json
from collections.abc import Callable

import pytest

from tests.cni.routing import DUAL, OUTSIDE, SERVICE, defaults, from_rules, own
from tests.cni.topology import NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import ask, server


def test_a_first_interface_without_coordinator_is_refused(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach("eth0")
    pod.attach("net1", net=7)
    with pytest.raises(PluginError) as error:
        pod.coordinator("ADD", "net1", mode="underlay")
    for word in ("net1", "underlay", "eth0", "veth0"):
        assert word in error.value.msg


@pytest.mark.parametrize("family", [4, 6])
def test_each_further_interface_has_its_table(grow: Callable[..., Pod], family: int) -> None:
    pod = grow("net1", "net2")
    assert from_rules(pod, family) == {
        own(pod, "net1", family): "5001",
        own(pod, "net2", family): "5002",
    }
    assert defaults(pod, family) == ["eth0"]
    for dev, table, net in (("net1", 5001, 7), ("net2", 5002, 8)):
        routes = pod.space.routes(family, table)
        subnet = f"10.{net}.0.0/16" if family == 4 else f"fd00:10:{net}::/64"
        node = NODE_IPV4 if family == 4 else NODE_IPV6
        assert defaults(pod, family, table) == [dev]
        assert any(route.startswith(f"{subnet} dev {dev}") for route in routes)
        assert any(route.startswith(f"{node} dev veth0") for route in routes)
    get = pod.space.route_get
    assert "dev eth0" in get(OUTSIDE[family], family)
    assert "dev veth0" in get(SERVICE[family], family)
    for dev, net in (("eth0", 6), ("net1", 7), ("net2", 8)):
        near = f"10.{net}.0.77" if family == 4 else f"fd00:10:{net}::77"
        assert f"dev {dev} " in get(near, family)


def test_node_has_routes_and_neighbours_of_every_interface(
    grow: Callable[..., Pod], segment: Segment
) -> None:
    pod = grow("net1")
    for family in (4, 6):
        wanted = {own(pod, dev, family) for dev in ("eth0", "net1")}
        assert {route.split()[0] for route in segment.node.routes(family, 500)} == wanted
        assert {entry.split()[0] for entry in segment.node.neighbours(family)} == wanted
        with server(pod.space, own(pod, "net1", family), 8080):
            assert ask(segment.node, own(pod, "net1", family), 8080) is not None


def test_tables_do_not_depend_on_other_interfaces(
    grow: Callable[..., Pod], segment: Segment
) -> None:
    pod = grow("net1")
    before = pod.space.routes(4, 5001)
    pod.space.run("ip link add extra type bridge")
    pod.space.run("ip link set extra up")
    pod.attach("net2", families=DUAL, net=8)
    pod.coordinator("ADD", "net2")
    assert pod.space.routes(4, 5001) == before
    assert from_rules(pod, 4) == {pod.ipv4("net1"): "5001", pod.ipv4("net2"): "5002"}
    assert pod.space.routes(4, 5000) == [
        f"default via {NODE_IPV4} dev veth0 proto 92 src {pod.ipv4()}"
    ]
    assert segment.node.rules().count("1000: from all lookup 500 proto 92") == 1


@pytest.mark.parametrize("chosen", ["", "net1"])
@pytest.mark.parametrize("family", [4, 6])
def test_marked_replies_return_through_the_node(
    grow: Callable[..., Pod], family: int, chosen: str
) -> None:
    pod = grow("net1", podDefaultRouteNIC=chosen or None)
    for dev in ("eth0", "net1"):
        words = f"{OUTSIDE[family]} from {own(pod, dev, family)} mark 0x20000000"
        assert "dev veth0 table 5000" in pod.space.route_get(words, family)


def test_sockets_bound_to_an_interface_reach_services_through_the_node(
    grow: Callable[..., Pod],
) -> None:
    pod = grow("net1")
    for family in (4, 6):
        words = f"{SERVICE[family]} from {own(pod, 'net1', family)}"
        assert "dev veth0 table 5001" in pod.space.route_get(words, family)


def test_tune_pod_routes_false_adds_no_rules_and_tables(
    segment: Segment, grow: Callable[..., Pod]
) -> None:
    pod = grow("net1", tunePodRoutes=False)
    for family in (4, 6):
        assert from_rules(pod, family) == {}
        assert set(defaults(pod, family)) == {"eth0", "net1"}
        assert "dev veth0" in pod.space.route_get(SERVICE[family], family)
        with server(pod.space, own(pod, "net1", family), 8080):
            assert ask(segment.node, own(pod, "net1", family), 8080) is not None


@pytest.mark.parametrize("family", [4, 6])
def test_default_route_on_the_second_interface(grow: Callable[..., Pod], family: int) -> None:
    pod = grow("net1", podDefaultRouteNIC="net1")
    assert from_rules(pod, family) == {own(pod, "eth0", family): "5001"}
    assert defaults(pod, family) == ["net1"]
    assert defaults(pod, family, 5001) == ["eth0"]
    get = pod.space.route_get
    assert "dev net1" in get(OUTSIDE[family], family)
    assert "dev eth0" in get(f"{OUTSIDE[family]} from {own(pod, 'eth0', family)}", family)
    assert "dev veth0" in get(SERVICE[family], family)


def test_default_route_on_an_interface_attached_later(grow: Callable[..., Pod]) -> None:
    pod = grow("net1", "net2", podDefaultRouteNIC="net2")
    for family in (4, 6):
        assert defaults(pod, family) == ["net2"]
        assert set(from_rules(pod, family)) == {own(pod, dev, family) for dev in ("eth0", "net1")}
        for dev in ("eth0", "net1"):
            words = f"{OUTSIDE[family]} from {own(pod, dev, family)}"
            assert f"dev {dev} " in pod.space.route_get(words, family)


@pytest.mark.parametrize("name", ["eth0.100", "net1", "eth1"])
def test_a_default_route_nic_that_is_never_attached_is_refused(
    grow: Callable[..., Pod], name: str
) -> None:
    pod = grow("net1", podDefaultRouteNIC="net9")
    pod.attach("net2", net=8)
    if name == "net1":
        pod.space.run("ip link del net1")
    with pytest.raises(PluginError, match=rf"podDefaultRouteNIC: {name} don't exist in pod"):
        pod.coordinator("ADD", "net2", podDefaultRouteNIC=name)


def record(pod: Pod, *names: str) -> None:
    """Leave the record that Multus keeps of a pod's networks."""
    lib = pod.segment.state / "lib"
    folder = lib / "cni" / "multus"
    folder.mkdir(parents=True)
    networks = [{"ifnameRequest": name} if name else {} for name in names]
    (folder / pod.container).write_text(json.dumps(networks))
    pod.segment.var_lib = lib


def test_the_attachments_of_multus_tell_which_interfaces_follow(segment: Segment) -> None:
    pod = segment.pod()
    record(pod, "", "nic7")
    pod.attach()
    pod.coordinator(podDefaultRouteNIC="nic7")
    with pytest.raises(PluginError, match="podDefaultRouteNIC: net9 don't exist in pod"):
        pod.coordinator(podDefaultRouteNIC="net9")
    pod.attach("nic7", net=7)
    pod.coordinator("ADD", "nic7", podDefaultRouteNIC="nic7")
    assert defaults(pod, 4) == ["nic7"]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("name", ["net1", "nic7"])
def test_a_pod_with_one_interface_keeps_its_default_route(
    segment: Segment, name: str, recorded: bool
) -> None:
    pod = segment.pod()
    if recorded:
        record(pod, "")
    pod.attach()
    answer = pod.coordinator(podDefaultRouteNIC=name)
    assert name in answer["warnings"]
    assert defaults(pod, 4) == ["eth0"]
    pod.coordinator("CHECK", podDefaultRouteNIC=name)


def test_a_pod_that_chooses_an_interface_it_does_not_have_is_refused(segment: Segment) -> None:
    pod = segment.pod()
    record(pod, "")
    pod.attach()
    with pytest.raises(PluginError, match="podDefaultRouteNIC: net1 don't exist in pod"):
        pod.coordinator(args={"cni": {"podDefaultRouteNIC": "net1"}})


@pytest.mark.parametrize("name", ["lo", "veth0", "net1"])
def test_a_default_route_nic_without_default_route_is_refused(segment: Segment, name: str) -> None:
    pod = segment.pod()
    pod.attach("eth0")
    pod.coordinator()
    pod.attach("net1", net=7, gateway=False)
    before = pod.space.routes(4, "all")
    with pytest.raises(PluginError, match=f"podDefaultRouteNIC: .*{name}"):
        pod.coordinator("ADD", "net1", podDefaultRouteNIC=name)
    assert pod.space.routes(4, "all") == before


def test_attributes_of_copied_routes_are_kept(grow: Callable[..., Pod]) -> None:
    pod = grow()
    pod.attach("net1", net=7)
    pod.space.run("ip route del default dev net1")
    pod.space.run("ip route add default via 10.99.0.1 dev net1 onlink metric 50 mtu 1400 proto 17")
    pod.space.run("ip route add 198.51.100.0/24 via 10.7.0.1 dev net1 metric 7 advmss 900")
    pod.coordinator("ADD", "net1")
    table = pod.space.routes(4, 5001)
    assert "default via 10.99.0.1 dev net1 proto 17 metric 50 mtu 1400 onlink" in [
        " ".join(sorted_words(route)) for route in table
    ]
    assert "198.51.100.0/24 via 10.7.0.1 dev net1 metric 7 advmss 900" in table
    assert defaults(pod, 4) == ["eth0"]


def sorted_words(route: str) -> list[str]:
    """Return a route's words with the flag onlink at the end, where ip prints it by version."""
    words = route.split()
    return [word for word in words if word != "onlink"] + ["onlink"] * ("onlink" in words)


@pytest.mark.parametrize("chosen", ["", "net1"])
def test_two_interfaces_in_one_subnet(segment: Segment, chosen: str) -> None:
    pod = segment.pod()
    for dev in ("eth0", "net1"):
        pod.attach(dev, families=DUAL)
        pod.coordinator("ADD", dev, podDefaultRouteNIC=chosen)
    for family in (4, 6):
        near = "10.6.0.77" if family == 4 else "fd00:10:6::77"
        for dev in ("eth0", "net1"):
            for target in (near, OUTSIDE[family]):
                words = f"{target} from {own(pod, dev, family)}"
                assert f"dev {dev} " in pod.space.route_get(words, family)


def test_check_names_a_lost_default_route_and_add_mends_it(grow: Callable[..., Pod]) -> None:
    pod = grow("net1")
    for family, default in ((4, "0.0.0.0/0"), (6, "::/0")):
        pod.space.run(f"ip -{family} route del {default} table 5001")
        with pytest.raises(
            PluginError, match=r"add route default via .* dev net1 src .* table 5001"
        ):
            pod.coordinator("CHECK", "net1")
        pod.coordinator("ADD", "net1")
        pod.coordinator("CHECK", "net1")


def test_cni_args_override_the_network(grow: Callable[..., Pod]) -> None:
    pod = grow()
    pod.attach("net1", families=DUAL, net=7)
    choice = {"cni": {"podDefaultRouteNIC": "net1"}}
    pod.coordinator("ADD", "net1", podDefaultRouteNIC="eth0", args=choice)
    assert defaults(pod, 4) == ["net1"]
    pod.coordinator("CHECK", "net1", podDefaultRouteNIC="eth0", args=choice)


@pytest.mark.parametrize("key", ["podDefaultRouteNic", "podDefaultRouteNIC"])
def test_both_spellings_of_the_default_route_nic_key(grow: Callable[..., Pod], key: str) -> None:
    pod = grow("net1", families=(4,), **{key: "net1"})
    assert defaults(pod, 4) == ["net1"]


def test_another_name_of_the_first_interface(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach("ens3", families=DUAL)
    pod.coordinator("ADD", "ens3", podDefaultCniNic="ens3", vethLinkAddress="169.254.100.1")
    for family in (4, 6):
        with server(pod.space, own(pod, "ens3", family), 8080):
            assert ask(segment.node, own(pod, "ens3", family), 8080) is not None
    pod.coordinator("CHECK", "ens3", podDefaultCniNic="ens3", vethLinkAddress="169.254.100.1")


def test_deleting_a_further_interface_keeps_the_first(
    segment: Segment, grow: Callable[..., Pod]
) -> None:
    pod = grow("net1")
    gone = {family: own(pod, "net1", family) for family in (4, 6)}
    pod.coordinator("DEL", "net1")
    pod.coordinator("CHECK", "eth0")
    for family in (4, 6):
        assert from_rules(pod, family) == {}
        assert not [r for r in segment.node.routes(family, 500) if r.startswith(gone[family])]
        assert not [n for n in segment.node.neighbours(family) if n.startswith(gone[family])]
        assert pod.space.routes(family, 5001) == []
        with server(pod.space, own(pod, "eth0", family), 8080):
            assert ask(segment.node, own(pod, "eth0", family), 8080) is not None


def test_deleting_the_holder_of_the_default_route_gives_it_back(grow: Callable[..., Pod]) -> None:
    pod = grow("net1", podDefaultRouteNIC="net1")
    pod.coordinator("DEL", "net1")
    pod.detach("net1")
    for family in (4, 6):
        assert defaults(pod, family) == ["eth0"]
