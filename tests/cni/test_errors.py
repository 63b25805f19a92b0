"""What a user reads when something is wrong."""

import pytest

from tests.cni.namespace import Json
from tests.cni.test_delete import leftovers
from tests.cni.topology import PluginError, Pod, Segment


@pytest.mark.parametrize("mode", ["disable", "disabled"])
def test_disabled_passes_prevresult_through(pod: Pod, mode: str) -> None:
    before = pod.attach()
    after = pod.coordinator(mode=mode)
    assert after["interfaces"] == before["interfaces"]
    assert pod.space.link("veth0") is None
    pod.coordinator("CHECK", mode=mode)
    pod.coordinator("DEL", mode=mode)


REFUSED: list[tuple[Json, list[str]]] = [
    ({"mode": "sideways"}, ["unknown tuneMode: sideways", "underlay"]),
    ({"prevResult": None}, ["prevResult", "chained"]),
    ({"vethMTU": 0}, ["vethMTU must be greater than 0"]),
    ({"podRPFilter": 3}, ["rp_filter", "3", "[-1,0,1,2]"]),
    ({"policyRoutes": [{"dst": "x", "gw": "10.6.0.1"}]}, ['invalid route dst "x"']),
    ({"policyRoutes": [{"dst": "10.0.0.0/8", "gw": "y"}]}, ['invalid route gw "y"']),
    ({"policyRoutes": [{"dst": "10.0.0.0/8", "gw": "fd00::1"}]}, ["must use the same IP family"]),
    ({"vethLinkAddress": "abc"}, ["vethLinkAddress", '"abc"', "169.254.100.1"]),
    ({"vethLinkAddress": "169.254.100.1/32"}, ["vethLinkAddress", "prefix length"]),
    ({"podMACPrefix": "0b:1b"}, ["podMACPrefix", "lowest bit"]),
    ({"podMACPrefix": "0,:1b"}, ["podMACPrefix", "0a:1b"]),
    ({"podMACPrefix": "0a:1"}, ["podMACPrefix", "0a:1b"]),
    ({"serviceCIDR": ["10.0.0.0/40"]}, ["serviceCIDR", "invalid CIDR address"]),
    ({"hostRuleTable": 254}, ["hostRuleTable 254"]),
    ({"txQueueLen": -1}, ["txQueueLen -1"]),
    ({"podDefaultRouteNic": "veth0"}, ["podDefaultRouteNIC", "veth0"]),
    ({"vethMTU": "1500"}, ["vethMTU is a string, it must be a whole number"]),
    ({"prevResult": {"cniVersion": "1.0.0", "ips": [None]}}, ["prevResult: ips[0] is null"]),
    ({"prevResult": {"cniVersion": "0.3.1", "interfaces": [None]}}, ["interfaces[0] is null"]),
]


@pytest.mark.parametrize(("section", "words"), REFUSED, ids=[str(case[0]) for case in REFUSED])
def test_errors_name_pod_interface_and_value(
    pod: Pod, segment: Segment, section: Json, words: list[str]
) -> None:
    pod.attach()
    with pytest.raises(PluginError) as error:
        pod.coordinator(**section)
    for word in ["pod default/web", "interface eth0", *words]:
        assert word in error.value.msg
    assert leftovers(segment, pod) == []


def test_cidrs_may_be_addresses_and_have_spaces(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(hijackCIDR=["1.2.3.4", " 1.2.4.9/24 "])
    routes = [route.split()[0] for route in pod.space.routes()]
    assert {"1.2.3.4", "1.2.4.0/24"} <= set(routes)


def test_not_ready_reason_is_the_error_verbatim(pod: Pod, segment: Segment) -> None:
    pod.attach()
    reason = "spidercoordinator: default no ready: no CIDR of services is known"
    with pytest.raises(PluginError) as error:
        pod.coordinator(notReadyReason=reason)
    assert error.value.msg == reason
    assert error.value.details == ""
    assert leftovers(segment, pod) == []
    pod.coordinator()
    pod.coordinator("CHECK", notReadyReason=reason)


def test_disabled_waits_for_nothing(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(mode="disabled", notReadyReason="no CIDR of services is known")


def test_an_interface_without_address_is_refused(pod: Pod) -> None:
    pod.attach()
    pod.space.run("ip addr flush dev eth0")
    with pytest.raises(PluginError, match='no usable IP addresses on "eth0"'):
        pod.coordinator(prevResult=pod.results["eth0"] | {"ips": []})


def test_an_interface_that_is_not_there(pod: Pod, segment: Segment) -> None:
    pod.attach()
    with pytest.raises(PluginError, match="interface net1 is not in the pod"):
        pod.coordinator("ADD", "net1", prevResult=pod.results["eth0"])
    assert leftovers(segment, pod) == []


def test_an_interface_named_veth0_of_somebody_else(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.space.run("ip link add veth0 type bridge")
    with pytest.raises(PluginError, match="veth0 that is not the other end of"):
        pod.coordinator()
    assert leftovers(segment, pod) == []


def test_a_link_of_the_node_with_the_same_name(pod: Pod, segment: Segment) -> None:
    pod.attach()
    segment.node.run(f"ip link add {pod.host_veth} type bridge")
    with pytest.raises(PluginError, match="does not belong to container"):
        pod.coordinator()
    assert pod.space.link("veth0") is None


@pytest.mark.parametrize("verb", ["ADD", "CHECK"])
def test_the_nodes_own_namespace_is_refused_before_any_change(
    pod: Pod, segment: Segment, verb: str
) -> None:
    pod.attach()

    def state() -> list[str]:
        node = segment.node
        return [
            node.run("ip -o link"),
            node.run("ip rule"),
            node.sysctl("net/ipv4/conf/all/rp_filter"),
        ]

    before = state()
    with pytest.raises(PluginError, match="is the node's own network namespace"):
        pod.coordinator(verb, env={"CNI_NETNS": str(segment.node.path)})
    assert state() == before


def test_a_namespace_that_is_gone(pod: Pod) -> None:
    pod.attach()
    with pytest.raises(PluginError, match="network namespace"):
        pod.coordinator(env={"CNI_NETNS": "/run/netns/missing"})
