"""Each value of values.yaml does something."""

from collections.abc import Iterator

import pytest

from tests.chart.helm import CHART, EVERYTHING, Helm, merged, nested
from tools.values_table import Value, read_values


def leaves(values: tuple[Value, ...]) -> Iterator[Value]:
    for value in values:
        if value.section:
            yield from leaves(value.inner)
        else:
            yield value


ALL_VALUES = {
    value.path: value for value in leaves(read_values((CHART / "values.yaml").read_text()))
}
OTHER = {
    "coordinator.mode": "underlay",
    "coordinator.podCIDRType": "none",
    "coordinator.podCIDR": ["10.1.0.0/16"],
    "coordinator.serviceCIDR": ["10.2.0.0/16"],
    "coordinator.hijackCIDR": ["10.3.0.0/16"],
    "coordinator.policyRoutes": [{"dst": "10.4.0.0/16", "gw": "10.4.0.1"}],
    "coordinator.vethLinkAddress": "169.254.100.1",
    "coordinator.vethMTU": 1400,
    "coordinator.podMACPrefix": "0a:1b",
    "global.cniBinHostPath": "/other",
    "global.ciliumConfigMap": "other/other",
    "global.agentNamespaces": ["other"],
    "defaultIPAM": {"type": "host-local"},
    "operator.log.level": "debug",
    "operator.log.format": "text",
    "operator.image.pullPolicy": "Always",
    "installer.image.pullPolicy": "Always",
    "operator.extraEnv": [{"name": "OTHER", "value": "other"}],
    "operator.topologySpreadConstraints": [{"topologyKey": "other"}],
    "operator.podDisruptionBudget.minAvailable": 1,
    "operator.replicas": 3,
    "rbac.aggregateToEdit": False,
    "extraObjects": [{"kind": "Other"}],
}
# What must be so for the value to matter at all.
GIVEN = {"operator.podDisruptionBudget.minAvailable": "operator.podDisruptionBudget.maxUnavailable"}


def other(value: Value) -> object:
    """A legal value that is not the default."""
    if value.path in OTHER:
        return OTHER[value.path]
    match value.default:
        case bool():
            return not value.default
        case int():
            return value.default + 1
        case str():
            return "other"
        case list():
            return [{"name": "other"}]
        case _:
            return {"other": "other"}


@pytest.mark.parametrize("path", ALL_VALUES)
def test_no_value_is_dead(helm: Helm, path: str) -> None:
    """Each value of values.yaml changes what is rendered, where its feature is switched on."""
    given = EVERYTHING if not path.endswith(".enabled") else {}
    if path in GIVEN:
        given = merged(given, nested(GIVEN[path], ""))
    assert helm.template(given) != helm.template(
        merged(given, nested(path, other(ALL_VALUES[path])))
    )
