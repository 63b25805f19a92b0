"""Errors of a schema are told in the words of Kubernetes, once each, with the value."""

from typing import Any

import pytest

from spidercoordinator.core.checks.fields import unknown_fields
from spidercoordinator.core.network.validation import find_problems

MACVLAN: dict[str, Any] = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}


def told(spec: Any) -> list[str]:
    problems = find_problems({"metadata": {"name": "a", "namespace": "b"}, "spec": spec})
    return [str(each) for each in problems]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"cniType": "macvlan", "macvlan": {"master": "eth0"}},
            'spec.macvlan.master: must be a list, not "eth0"',
        ),
        (
            {"cniType": "macvlan", "macvlan": {"master": []}},
            "spec.macvlan.master: must have at least 1 entries, not []",
        ),
        (
            {"cniType": "macvlan", "macvlan": {"master": ["a"], "vlanID": 5000}},
            "spec.macvlan.vlanID: must be at most 4094, not 5000",
        ),
        (
            {"cniType": "macvlan", "macvlan": {"master": ["a"], "vlanID": -1}},
            "spec.macvlan.vlanID: must be at least 0, not -1",
        ),
        ({"cniType": "macvlan", "macvlan": "eth0"}, 'spec.macvlan: must be an object, not "eth0"'),
        ({"cniType": "macvlan", "macvlan": {}}, "spec.macvlan.master: is required"),
        ({**MACVLAN, "disableIPAM": "no"}, "spec.disableIPAM: must be a boolean, true or false,"),
        ({**MACVLAN, "customCNI": 5}, "spec.customCNI: must be a string, not 5"),
        ({"cniType": "bridge"}, "spec.cniType: must be one of 'macvlan', 'ipvlan',"),
        ({**MACVLAN, "ipam": {"type": ""}}, "spec.ipam.type: must have at least 1 characters"),
    ],
)
def test_the_words_are_those_of_kubernetes(spec: dict[str, Any], text: str) -> None:
    [found] = told(spec)
    assert found.startswith(text)
    assert "Input" not in found
    assert "tuple" not in found


def test_a_missing_type_is_said_to_be_custom() -> None:
    [found] = told({"macvlan": {"master": ["eth0"]}})
    assert "set cniType: macvlan (where it is missing it is custom)" in found


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({**MACVLAN, "vethMTU": 1400}, "spec.vethMTU: there is no such field; it belongs into"),
        ({**MACVLAN, "bridge": "br0"}, "it belongs into spec.ovs"),
        ({**MACVLAN, "master": ["eth0"]}, "it belongs into spec.macvlan, spec.ipvlan, spec.vlan"),
        ({**MACVLAN, "coordinator": {"mtu": 5}}, "it belongs into spec.macvlan, spec.ipvlan,"),
        ({**MACVLAN, "coordinatr": {}}, "did you mean coordinator?"),
    ],
)
def test_a_misplaced_field_is_told_where_it_belongs(spec: dict[str, Any], text: str) -> None:
    [problem] = unknown_fields("SpiderMultusConfig", spec)
    assert text in str(problem)
