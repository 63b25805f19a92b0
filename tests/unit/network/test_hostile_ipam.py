"""IPAM sections with values of every type under the keys that are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.compatibility import network_warnings, subject_of
from spidercoordinator.core.network.sharing import pool_of
from spidercoordinator.core.network.validation import parse

KEYS = st.sampled_from(
    [
        *("subnet", "rangeStart", "rangeEnd", "gateway", "ranges", "routes", "dst", "gw", "dns"),
        *("addresses", "address", "range", "range_start", "range_end", "ipRanges", "exclude"),
        *("Subnet", "name", "priority", "dataDir", "kubernetes"),
    ]
)
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 9)
    | st.sampled_from(["", "x", "10.6.0.0/16", "10.6.0.9", "10.6.0.9-10.6.0.5/16", "fd00::/64"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
SECTIONS = st.builds(
    lambda kind, keys: {**keys, "type": kind},
    st.sampled_from(["host-local", "static", "whereabouts", "x"]),
    st.dictionaries(KEYS, VALUES, max_size=4),
)


def network(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "odd", "namespace": "ns", "uid": "u"}, "spec": spec}


def judge(spec: dict[str, Any]) -> list[str]:
    return [str(each) for each in network_warnings(subject_of(parse(network(spec)).spec, None))]


MACVLAN = {"cniType": "macvlan", "macvlan": {"master": ["ens5"]}}


@given(section=SECTIONS)
def test_any_section_is_judged(section: dict[str, Any]) -> None:
    judge({**MACVLAN, "ipam": section})
    pool_of(network({**MACVLAN, "ipam": section}), {})


@given(section=SECTIONS)
def test_so_is_one_inside_a_text(section: dict[str, Any]) -> None:
    text = json.dumps({"type": "macvlan", "master": "ens5", "ipam": section})
    judge({"cniType": "custom", "customCNI": text})
    pool_of(network({"cniType": "custom", "customCNI": text}), {})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"type": "host-local", "subnet": "10.6.0.0/16", "rangeStart": ["10.6.0.9"]},
            "spec.ipam: rangeStart is \"['10.6.0.9']\"; allowed is a text, so host-local fails",
        ),
        (
            {"type": "whereabouts", "range": "10.6.0.0/16", "exclude": "10.6.0.9/32"},
            "spec.ipam: exclude is '10.6.0.9/32'; allowed is a list, so whereabouts fails",
        ),
        (
            {"type": "static", "addresses": [{"address": "10.6.0.9/16", "gateway": {}}]},
            "spec.ipam: addresses[0].gateway is '{}'; allowed is a text, so static fails",
        ),
    ],
)
def test_the_message_names_key_value_and_what_is_allowed(
    section: dict[str, Any], said: str
) -> None:
    assert said in judge({**MACVLAN, "ipam": section})


def test_a_text_s_section_is_named_by_its_plugin() -> None:
    text = json.dumps({"plugins": [{"type": "bridge", "ipam": {"type": "host-local"}}]})
    (said,) = judge({"cniType": "custom", "customCNI": text})
    assert said == (
        "spec.customCNI: ipam of bridge (plugins[0]): host-local fails without ranges or subnet"
    )


def test_a_range_whose_end_is_passed_over_reaches_to_the_last_address() -> None:
    section = {"type": "whereabouts", "range": "10.6.0.9-10.6.0.5/24"}
    pool = pool_of(network({**MACVLAN, "ipam": section}), {})
    assert pool is not None
    assert [(str(each.first), str(each.last)) for each in pool.ranges] == [
        ("10.6.0.9", "10.6.0.255")
    ]
