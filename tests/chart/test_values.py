"""Each value of values.yaml does something."""

import functools
import json
from collections.abc import Iterator

import pytest

from tests.chart.helm import CHART, EVERYTHING, Helm, Object, merged, nested
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
OTHER: dict[str, object] = {
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
    "installer.extraEnv": [{"name": "OTHER", "value": "other"}],
    "installer.extraVolumeMounts": [{"name": "other", "mountPath": "/other"}],
    "operator.extraVolumeMounts": [{"name": "other", "mountPath": "/other"}],
    "operator.extraArgs": ["--resync-period=5m"],
    "operator.extraEnv": [{"name": "OTHER", "value": "other"}],
    "operator.topologySpreadConstraints": [
        {"topologyKey": "other", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "metrics.serviceMonitor.interval": "17s",
    "metrics.serviceMonitor.scrapeTimeout": "7s",
    "metrics.podMonitor.interval": "17s",
    "metrics.podMonitor.scrapeTimeout": "7s",
    "metrics.podMonitor.tokenSecret.key": "other",
    "metrics.podMonitor.tlsConfig": {"serverName": "other"},
    "operator.podDisruptionBudget.minAvailable": 1,
    "operator.replicas": 3,
    "rbac.aggregateToEdit": False,
    "extraObjects": [{"kind": "Other"}],
}
# By the last part of the path, for values of more than one part of the chart.
OTHER_OF_KEY: dict[str, object] = {
    "digest": f"sha256:{'ab' * 32}",
    "resources": {"limits": {"cpu": 2}},
    "tolerations": [{"key": "other", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "podSecurityContext": {"fsGroup": 7},
    "securityContext": {"privileged": False},
    "extraVolumes": [{"name": "other", "emptyDir": {}}],
    "updateStrategy": {"type": "RollingUpdate"},
    "dnsPolicy": "Default",
    "dnsConfig": {"nameservers": ["192.0.2.1"]},
    "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["other"]}],
    "failurePolicy": "Fail",
    "kind": "ClusterIssuer",
    "startupProbe": {"periodSeconds": 7},
    "livenessProbe": {"periodSeconds": 7},
    "readinessProbe": {"periodSeconds": 7},
    "ipFamilyPolicy": "PreferDualStack",
    "ipFamilies": ["IPv6"],
    "from": [{"podSelector": {}}],
    "maxUnavailable": 2,
    "relabelings": [{"action": "drop"}],
    "metricRelabelings": [{"action": "drop"}],
}
# What must be so for the value to matter at all, or to be allowed.
GIVEN = {
    "operator.podDisruptionBudget.minAvailable": nested(
        "operator.podDisruptionBudget", {"minAvailable": 2, "maxUnavailable": ""}
    ),
    "operator.extraVolumeMounts": nested(
        "operator.extraVolumes", [{"name": "other", "emptyDir": {}}]
    ),
    "crds.keep": nested("crds.enabled", True),
    "operator.webhook.certManager.issuerRef.name": nested(
        "operator.webhook.certManager.enabled", True
    ),
    **{
        f"operator.webhook.certManager.issuerRef.{key}": nested(
            "operator.webhook.certManager", {"enabled": True, "issuerRef": {"name": "company"}}
        )
        for key in ("kind", "group")
    },
    "installer.extraVolumeMounts": nested(
        "installer.extraVolumes", [{"name": "other", "emptyDir": {}}]
    ),
    "metrics.service.enabled": nested("metrics.serviceMonitor.enabled", False),
    "rbac.create": nested("metrics.podMonitor.tokenSecret.name", "mine"),
    "metrics.podMonitor.enabled": nested("installer.metrics.enabled", True),
    "metrics.podMonitor.tokenSecret.key": nested("metrics.podMonitor.tokenSecret.name", "mine"),
}


def other(value: Value) -> object:
    """A legal value that is not the default."""
    chosen = OTHER_OF_KEY | OTHER
    for key in (value.path, value.path.rpartition(".")[2]):
        if key in chosen:
            return chosen[key]
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


@functools.cache
def rendered(helm: Helm, values: str) -> list[Object]:
    """What most values are compared with, rendered once."""
    return helm.template(json.loads(values))


@pytest.mark.parametrize("path", ALL_VALUES)
def test_no_value_is_dead(helm: Helm, path: str) -> None:
    """Each value of values.yaml changes what is rendered, where its feature is switched on."""
    given = EVERYTHING if not path.endswith(".enabled") else {}
    given = merged(given, GIVEN.get(path, {}))
    assert rendered(helm, json.dumps(given)) != helm.template(
        merged(given, nested(path, other(ALL_VALUES[path])))
    )
