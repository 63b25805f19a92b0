"""Settings of either kind that are accepted and may not work, by table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.api.coordinator import CoordinatorSettings, SpiderCoordinatorSpec
from spidercoordinator.core.coordinator.settings import (
    SETTINGS_RULES,
    coordinator_warnings,
    settings_warnings,
)

# Reason → values that it is about, and values near them that are fine.
CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "AllTrafficThroughNode": (
        [
            {"hijackCIDR": ["0.0.0.0/0"]},
            {"hijackCIDR": ["10.0.0.0/8", "::/0"]},
            {"hijackCIDR": ["0.0.0.0/1", "128.0.0.0/1"]},
        ],
        [
            {"hijackCIDR": ["169.254.0.0/16"]},
            {"hijackCIDR": ["0.0.0.0/1", "8000::/1"]},
            {"hijackCIDR": []},
        ],
    ),
    "StrictRPFilter": ([{"podRPFilter": 1}], [{"podRPFilter": each} for each in (-1, 0, 2)]),
    "VethMTUBelowIPv6": (
        [{"vethMTU": 68}, {"vethMTU": 1279}],
        [{"vethMTU": 1280}, {"vethMTU": 1500}],
    ),
    "RouteTableInUse": (
        [{"hostRuleTable": each} for each in (52, 77, 201, 2004, 2005)],
        [{"hostRuleTable": each} for each in (1, 100, 500, 501, 5000)],
    ),
}


def reasons(fields: dict[str, Any]) -> list[str]:
    found = settings_warnings(CoordinatorSettings.model_validate(fields), "spec.coordinator")
    for each in found:
        [name] = fields
        assert each.field == f"spec.coordinator.{name}"
        assert len(str(each)) <= 256
        return [each.reason, *(later.reason for later in found)]
    return []


def test_no_rule_is_without_a_case() -> None:
    assert {rule.reason for rule in SETTINGS_RULES} == set(CASES)


@pytest.mark.parametrize(
    ("reason", "fields"), [(reason, each) for reason, (bad, _) in CASES.items() for each in bad]
)
def test_is_warned_of(reason: str, fields: dict[str, Any]) -> None:
    assert reasons(fields) == [reason]


@pytest.mark.parametrize("fields", [each for _, good in CASES.values() for each in good])
def test_is_not_warned_of(fields: dict[str, Any]) -> None:
    assert reasons(fields) == []


def test_message_names_field_and_value() -> None:
    [found] = settings_warnings(CoordinatorSettings(host_rule_table=52), "spec")
    assert str(found).startswith("spec.hostRuleTable: 52 is a routing table of Tailscale")
    [found] = settings_warnings(
        CoordinatorSettings.model_validate({"hijackCIDR": ["0.0.0.0/0", "10.0.0.1"]}), "spec"
    )
    assert str(found).startswith("spec.hijackCIDR: 0.0.0.0/0, 10.0.0.1 is all of the internet")


def test_a_coordinator_is_judged_with_what_was_discovered() -> None:
    spec = SpiderCoordinatorSpec(veth_link_address="10.9.0.1", pod_rp_filter=1)
    found = [each.reason for each in coordinator_warnings(spec, ("10.9.0.0/16",), ())]
    assert found == ["AddressInUse", "StrictRPFilter"]
    assert [each.reason for each in coordinator_warnings(spec)] == [
        "NotLinkLocal",
        "StrictRPFilter",
    ]


def test_its_defaults_are_not_warned_of() -> None:
    assert list(coordinator_warnings(SpiderCoordinatorSpec())) == []
    [found] = coordinator_warnings(SpiderCoordinatorSpec(), istio=True)
    assert found.reason == "IstioNeedsIt"


def test_every_reason_is_in_the_docs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "spidercoordinator.md").read_text()
    assert [rule.reason for rule in SETTINGS_RULES if f"`{rule.reason}`" not in text] == []
