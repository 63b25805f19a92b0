"""Networks that render and may not run, by table: each rule warns of its kind and nothing near."""

from __future__ import annotations

import pytest

from spidercoordinator.api.nad import CNI_VERSIONS, DEFAULT_CNI_VERSION
from spidercoordinator.core.network.compatibility import (
    COMPATIBILITY_RULES,
)
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.status.warnings import FieldWarning, degraded_condition
from spidercoordinator.errors import InvalidObjectError
from tests.unit.network.compatibility.ipam_cases import IPAM_CASES
from tests.unit.network.compatibility.link_cases import LINK_CASES
from tests.unit.network.compatibility.networks import (
    COORDINATOR,
    DUAL,
    MACVLAN,
    MINIMAL,
    SHOWN,
    Spec,
    cluster,
    custom,
    of,
    parsed,
    warnings,
)
from tests.unit.network.compatibility.text_cases import TEXT_CASES

CASES = IPAM_CASES | LINK_CASES | TEXT_CASES
REASONS = {rule.reason for rule in COMPATIBILITY_RULES} | {"VethMTUBelowIPv6"}
# What is told of some IPAM plugins in any network, so also in cases of other rules.
EVERYWHERE = {"SameAddress"}
# Those that take two objects have a test of their own.
INHERITED = {"MACPrefixLeftOut", "SpiderpoolMissing"}
NOTICES = {rule.reason for rule in COMPATIBILITY_RULES if rule.severity == "notice"}


@pytest.mark.parametrize("version", CNI_VERSIONS)
def test_versions_that_a_list_may_have(version: str) -> None:
    def unspoken(spec: Spec) -> list[str]:
        found = warnings(spec, version=version)
        return [each.message for each in found if each.reason == "CNIVersionUnspoken"]

    pools = of("macvlan", {"ippools": {"ipv4": ["p4"]}})
    assert bool(unspoken(pools)) == (version == "1.1.0")
    walled = of("macvlan", chainCNIJsonData=['{"type":"firewall"}'])
    assert bool(unspoken(walled)) == (version < "0.4.0")
    for message in unspoken(pools | {"chainCNIJsonData": ['{"type":"firewall"}']}):
        assert message.startswith(f"{version} is not spoken by ")
        assert message.endswith("set the annotation to a version of these: 0.4.0, 1.0.0")
    assert not unspoken(of("macvlan", {"vlanID": 7}, chainCNIJsonData=['{"type":"portmap"}']))


def test_no_rule_is_without_a_case() -> None:
    assert {rule.reason for rule in COMPATIBILITY_RULES} == set(CASES) | INHERITED


@pytest.mark.parametrize(
    ("reason", "spec"), [(reason, each) for reason, (bad, _) in CASES.items() for each in bad]
)
def test_is_warned_of(reason: str, spec: Spec) -> None:
    [found] = [each for each in warnings(spec) if each.reason in {reason} | (REASONS - EVERYWHERE)]
    assert found.reason == reason
    assert found.field.startswith(("spec", "metadata.annotations["))
    assert len(str(found)) <= SHOWN
    degraded = [
        each.reason
        for each in network_conditions(
            parsed(spec).spec, cluster(), cni_version=DEFAULT_CNI_VERSION
        )
    ]
    assert (reason in degraded) == (reason not in NOTICES)


@pytest.mark.parametrize(
    ("reason", "spec"), [(reason, each) for reason, (_, good) in CASES.items() for each in good]
)
def test_is_not_warned_of(reason: str, spec: Spec) -> None:
    assert {each.reason for each in warnings(spec)} <= EVERYWHERE - {reason}


@pytest.mark.parametrize("cni_type", MINIMAL)
def test_a_plain_network_is_not_warned_of(cni_type: str) -> None:
    [(key, _)] = MINIMAL[cni_type].items()
    assert warnings(of(cni_type)) == []
    assert warnings(of(cni_type, {"ippools": DUAL})) == []
    assert key


def test_the_message_of_the_condition_is_bounded() -> None:
    many = [FieldWarning(f"R{i}", "spec.x", "y" * 300) for i in range(100)]
    [state] = degraded_condition(many)
    assert len(state.message) < 4200
    assert state.reason == "R0"
    assert state.message.endswith("And 87 more")
    assert degraded_condition([]) == []


# What no pod can start with, inside texts that no schema looks into.
REFUSED: list[tuple[Spec, str]] = [
    (of("macvlan", chainCNIJsonData=['{"type":"bridge"}']), '"bridge" makes the pod\'s interface'),
    (of("sriov", chainCNIJsonData=['{"type":"macvlan"}']), '"macvlan" makes the pod\'s interface'),
    (of("macvlan", chainCNIJsonData=['{"type":"host-local"}']), '"host-local" is an IPAM plugin'),
    (custom(COORDINATOR), "its first plugin is coordinator"),
    (custom(COORDINATOR, MACVLAN), "its first plugin is coordinator"),
    ({"cniType": "custom", "customCNI": '{"type":"coordinator"}'}, "its first plugin"),
    (custom(MACVLAN, MACVLAN), "plugins[1]"),
    (custom(MACVLAN, {"type": "whereabouts"}), "plugins[1]"),
]


@pytest.mark.parametrize(("spec", "text"), REFUSED)
def test_texts_that_never_work_are_refused(spec: Spec, text: str) -> None:
    with pytest.raises(InvalidObjectError) as refusal:
        parsed(spec)
    assert text in str(refusal.value)
