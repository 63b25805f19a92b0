"""Two networks that give out the same addresses without knowing of each other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.network.sharing import pool_of, shared_range

LOW = {"subnet": "10.6.0.0/24", "rangeStart": "10.6.0.10", "rangeEnd": "10.6.0.99"}
HIGH = {"subnet": "10.6.0.0/24", "rangeStart": "10.6.0.100", "rangeEnd": "10.6.0.200"}


def host_local(*ranges: dict[str, str], **also: Any) -> Object:
    return {"type": "host-local", "ranges": [[each] for each in ranges], **also}


def net(
    name: str,
    ipam: Object | None,
    *,
    master: str = "eth0",
    kind: str = "macvlan",
    annotations: dict[str, str] | None = None,
    **also: Any,
) -> Object:
    meta = {"name": name, "namespace": "ns", "annotations": annotations or {}}
    spec: Object = {"cniType": kind, kind: {"master": [master], **also}}
    return {"metadata": meta, "spec": spec | ({"ipam": ipam} if ipam else {})}


def shared(one: Object, *others: Object, default: Object | None = None) -> str | None:
    pool = pool_of(one, default or {})
    assert pool is not None
    pools = (pool_of(each, default or {}) for each in (one, *others))
    return shared_range(pool, [each for each in pools if each is not None])


STORE = {"cni.spidernet.io/cniconfig-name": "one-store"}
WHEREABOUTS = {"type": "whereabouts", "range": "10.6.0.0/24"}


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        pytest.param(net("a", host_local(LOW)), net("b", host_local(LOW)), True, id="the same"),
        pytest.param(net("a", host_local(LOW)), net("b", host_local(HIGH)), False, id="apart"),
        pytest.param(
            net("a", host_local(LOW)), net("b", host_local(HIGH, LOW)), True, id="a further range"
        ),
        pytest.param(
            net("a", host_local(LOW)),
            net("b", {"type": "host-local", "subnet": "10.6.0.0/16"}),
            True,
            id="inside a subnet",
        ),
        pytest.param(
            net("a", host_local({"subnet": "fd00::/64"})),
            net("b", host_local({"subnet": "fd00::/112"})),
            True,
            id="IPv6",
        ),
        pytest.param(
            net("a", host_local(LOW)),
            net("b", host_local({"subnet": "fd00::/64"})),
            False,
            id="two families",
        ),
        pytest.param(
            net("a", host_local(LOW)), net("b", host_local(LOW), master="eth1"), False, id="eth1"
        ),
        pytest.param(
            net("a", host_local(LOW)), net("b", host_local(LOW), vlanID=7), False, id="a VLAN"
        ),
        pytest.param(
            net("a", host_local(LOW), master="eth0.7"),
            net("b", host_local(LOW), vlanID=7),
            True,
            id="the same VLAN",
        ),
        pytest.param(
            net("a", host_local(LOW)), net("b", host_local(LOW), kind="ipvlan"), True, id="ipvlan"
        ),
        pytest.param(net("a", host_local(LOW)), net("b", WHEREABOUTS), True, id="whereabouts"),
        pytest.param(net("a", WHEREABOUTS), net("b", host_local(LOW)), True, id="seen from there"),
        pytest.param(net("a", WHEREABOUTS), net("b", WHEREABOUTS), False, id="one store for both"),
        pytest.param(
            net("a", host_local(LOW)),
            net("b", {"type": "static", "addresses": [{"address": "10.6.0.50/24"}]}),
            True,
            id="an address of a static network",
        ),
        pytest.param(
            net("a", host_local(LOW), annotations=STORE),
            net("b", host_local(LOW), annotations=STORE),
            False,
            id="one folder",
        ),
        pytest.param(
            net("a", host_local(LOW, dataDir="/x"), annotations=STORE),
            net("b", host_local(LOW), annotations=STORE),
            True,
            id="two folders",
        ),
        pytest.param(
            net("a", host_local(LOW, DataDir="/x"), annotations=STORE),
            net("b", host_local(LOW), annotations=STORE),
            True,
            id="two folders, in other letters",
        ),
        pytest.param(net("a", host_local(LOW)), net("b", {"type": "dhcp"}), False, id="dhcp"),
        pytest.param(net("a", host_local(LOW)), net("b", None), False, id="none"),
        pytest.param(net("a", host_local(LOW)), net("a", host_local(LOW)), False, id="itself"),
        pytest.param(
            net("a", host_local(LOW)),
            {"metadata": {"name": "b", "namespace": "ns"}, "spec": {"ipam": host_local(LOW)}},
            False,
            id="one that cannot be used",
        ),
    ],
)
def test_which_ranges_overlap(one: Object, other: Object, *, overlaps: bool) -> None:
    assert (shared(one, other) is not None) is overlaps


def test_the_clusters_default_counts() -> None:
    default = host_local(LOW)
    assert shared(net("a", None), net("b", None), default=default)
    assert not shared(net("a", None), net("b", host_local(HIGH)), default=default)


def test_other_links() -> None:
    def ovs(name: str, bridge: str) -> Object:
        made = net(name, host_local(LOW))
        return made | {
            "spec": {"cniType": "ovs", "ovs": {"bridge": bridge}, "ipam": host_local(LOW)}
        }

    assert shared(ovs("a", "br0"), ovs("b", "br0"))
    assert not shared(ovs("a", "br0"), ovs("b", "br1"))


@pytest.mark.parametrize(
    ("master", "also", "overlaps"),
    [
        ("bond0", {}, True),
        ("bond1", {}, False),
        ("bond0", {"vlanID": 7}, False),
        ("bond0.7", {}, False),
    ],
)
def test_a_bond_is_one_link_by_its_name_and_by_its_members(
    master: str, also: Object, *, overlaps: bool
) -> None:
    members: Object = {"master": ["eth1", "eth2"], "bond": {"name": "bond0", "mode": 4}}
    bonded = net("a", host_local(LOW))
    bonded["spec"]["macvlan"] = members
    by_name = net("b", host_local(LOW), master=master, **also)
    assert (shared(bonded, by_name) is not None) is overlaps
    assert (shared(by_name, bonded) is not None) is overlaps


def test_a_vlan_on_a_bond_is_one_link_however_it_is_named() -> None:
    bonded = net("a", host_local(LOW))
    bonded["spec"]["macvlan"] = {
        "master": ["eth1", "eth2"],
        "bond": {"name": "bond0", "mode": 4},
        "vlanID": 7,
    }
    assert shared(bonded, net("b", host_local(LOW), master="bond0.7"))
    assert shared(bonded, net("b", host_local(LOW), master="bond0", vlanID=7))
    assert not shared(bonded, net("b", host_local(LOW), master="bond0"))


def custom(name: str, *plugins: Object, own: str = "") -> Object:
    text = json.dumps({"name": own, "cniVersion": "1.0.0", "plugins": plugins})
    meta = {"name": name, "namespace": "ns"}
    return {"metadata": meta, "spec": {"cniType": "custom", "customCNI": text}}


@pytest.mark.parametrize(
    ("plugin", "overlaps"),
    [
        ({"type": "macvlan", "master": "eth0", "ipam": host_local(LOW)}, True),
        ({"type": "macvlan", "master": "eth0", "ipam": host_local(HIGH)}, False),
        ({"type": "macvlan", "master": "eth1", "ipam": host_local(LOW)}, False),
        ({"type": "vlan", "master": "eth0", "vlanId": 7, "ipam": host_local(LOW)}, False),
        ({"type": "macvlan", "master": "eth0", "ipam": WHEREABOUTS}, True),
    ],
)
def test_custom_texts_count(plugin: Object, *, overlaps: bool) -> None:
    text = custom("b", {"type": "tuning"}, plugin)
    assert (shared(net("a", host_local(LOW)), text) is not None) is overlaps
    assert (shared(text, net("a", host_local(LOW))) is not None) is overlaps


def test_custom_texts_of_one_name_share_a_store() -> None:
    plugin = {"type": "macvlan", "master": "eth0", "ipam": host_local(LOW)}
    assert shared(custom("a", plugin), custom("b", plugin))
    pools = [pool for name in "ab" if (pool := pool_of(custom(name, plugin), {}))]
    given = custom("a", plugin)
    answer = review_network(given, None, rivals=[], nad=None, ipam=ClusterIPAM(), pools=pools)
    assert [each for each in answer.warnings if each.startswith("spec.customCNI: 10.6.0.10 to")]
    assert not shared(custom("a", plugin, own="x"), custom("b", plugin, own="x"))


@pytest.mark.parametrize(
    "text",
    [
        "host-local",
        "[]",
        '{"plugins": 7, "x": "host-local"}',
        '{"plugins": [7, {"ipam": ["host-local"]}, {"ipam": {"type": ["host-local"]}}]}',
        '{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.6.0.0/24"}}',
        '{"type": "macvlan", "master": 7, "ipam": {"type": "host-local", "subnet": 7}}',
    ],
)
def test_texts_without_a_link_or_addresses_are_passed_over(text: str) -> None:
    given = custom("a") | {"spec": {"cniType": "custom", "customCNI": text}}
    assert pool_of(given, {}) is None


def test_the_webhook_warns_and_names_both_ranges_and_the_network() -> None:
    given, others = net("a", host_local(LOW)), [net("c", WHEREABOUTS), net("b", host_local(LOW))]
    pools = [pool for each in (given, *others) if (pool := pool_of(each, {}))]
    answer = review_network(given, None, rivals=[], nad=None, ipam=ClusterIPAM(), pools=pools)
    assert answer.refusals == ()
    [warning] = [each for each in answer.warnings if "overlaps" in each]
    overlap = "10.6.0.10 to 10.6.0.99 overlaps 10.6.0.10 to 10.6.0.99"
    assert warning.startswith(f"spec.ipam: {overlap} of SpiderMultusConfig ns/b on the same link")
    assert len(warning) <= 256
