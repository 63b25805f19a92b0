"""The demo judges by what commands print; these are the readers of that."""

import json

import pytest

from testbed.demo.parse import (
    addresses,
    answer,
    coordinator_section,
    holds_container,
    identity,
    outcome,
    table,
    veth_link_address,
)

BUSYBOX = """\
3: veth0@if12: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000
    link/ether 0a:58:0a:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 169.254.100.1/32 scope global veth0
       valid_lft forever preferred_lft forever
    inet6 fe80::858:aff:fe00:1/64 scope link
       valid_lft forever preferred_lft forever
"""


def test_addresses_of_both_families_without_prefix() -> None:
    assert addresses(BUSYBOX) == ["169.254.100.1", "fe80::858:aff:fe00:1"]


@pytest.mark.parametrize("output", ["", "ip: can't find device 'veth0'\n", "inet is a word here\n"])
def test_no_addresses_in_other_outputs(output: str) -> None:
    assert addresses(output) == []


def test_answer_of_the_listener() -> None:
    output = "answered-by 15006\noriginal-destination 172.30.8.1:8080\npeer 172.30.0.11:40000\n"
    assert answer(output) == {
        "answered-by": "15006",
        "original-destination": "172.30.8.1:8080",
        "peer": "172.30.0.11:40000",
    }


@pytest.mark.parametrize("output", ["", "fetch: http://x/: timed out\n", "answered-by\n"])
def test_no_answer(output: str) -> None:
    assert answer(output) == {}


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("answered-by 15006\n", "answered on port 15006"),
        ("fetch: http://x/: timed out: no answer in 3s\n", "dropped: timed out"),
        ("fetch: connection refused\n", "failed"),
    ],
)
def test_outcome_of_a_request(output: str, words: str) -> None:
    assert outcome(output) == words


CLIENT = "spiffe://cluster.local/ns/demo/sa/client"


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (f'By=spiffe://x/sa/app;Hash=0a;Subject="";URI={CLIENT}', CLIENT),
        (f"URI={CLIENT};By=spiffe://x/sa/app", CLIENT),
        (f"By=x;URI={CLIENT},By=y;URI=spiffe://x/sa/other", CLIENT),
        ("By=spiffe://x/sa/app;Hash=0a", ""),
        ("", ""),
    ],
)
def test_identity_that_the_proxy_saw(told: str, seen: str) -> None:
    output = "answered-by 8080\n" + (f"x-forwarded-client-cert {told}\n" if told else "")
    assert identity(output) == seen
    assert outcome(output) == "answered on port 8080" + (f" to {seen}" if seen else "")


def _config(*plugins: dict[str, object]) -> str:
    return json.dumps({"cniVersion": "0.3.1", "name": "n", "plugins": plugins})


@pytest.mark.parametrize(
    ("config", "address"),
    [
        (_config({"type": "macvlan"}, {"type": "coordinator", "vethLinkAddress": "::1"}), "::1"),
        (_config({"type": "coordinator"}), ""),
        (_config({"type": "macvlan"}), None),
        ('{"type": "macvlan"}', None),
        ("[]", None),
        ("", None),
        ("{", None),
    ],
)
def test_veth_link_address_of_a_network(config: str, address: str | None) -> None:
    assert veth_link_address(config) == address


def test_coordinator_section_is_the_plugin_object() -> None:
    section: dict[str, object] = {"type": "coordinator", "mode": "underlay"}
    assert coordinator_section(_config({"type": "macvlan"}, section)) == section


@pytest.mark.parametrize(
    ("cgroup", "container", "held"),
    [
        ("4:memory:/kubepods/besteffort/pod1/abc123\n", "abc123", True),
        ("0::/../kubepods.slice/cri-containerd-abc123.scope\n", "abc123", True),
        ("4:memory:/kubepods/besteffort/pod1/def456\n", "abc123", False),
        ("4:memory:/kubepods\n", "", False),
    ],
)
def test_process_of_a_container(cgroup: str, container: str, held: bool) -> None:
    assert holds_container(cgroup, container) is held


def test_table_aligns_columns_and_underlines_the_head() -> None:
    assert table([("what", "seen"), ("a long one", "yes"), ("b", "no")]) == (
        "what        seen\n----------  ----\na long one  yes\nb           no"
    )
