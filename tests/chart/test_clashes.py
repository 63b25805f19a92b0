"""Values that are right by themselves and cannot be together are refused, both named."""

import itertools
import shutil
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import CHART, EVERYTHING, Helm, Object, Values, merged, nested, pod_templates
from tests.chart.test_bounds import schema_of
from tests.chart.test_values import ALL_VALUES

PORTS = [path for path in ALL_VALUES if path.lower().endswith("port")]


def twice(objects: list[Object]) -> list[int]:
    """Ports that a pod or a Service has twice."""
    lists = [
        [port["containerPort"] for port in container.get("ports", ())]
        for template in pod_templates(objects).values()
        for container in template["spec"]["containers"]
    ]
    lists += [
        [port["port"] for port in each["spec"]["ports"]]
        for each in objects
        if each["kind"] == "Service"
    ]
    return [port for ports in lists for port in set(ports) if ports.count(port) > 1]


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(PORTS, 2)))
def test_two_ports_made_one_are_refused_where_one_pod_has_both(
    helm: Helm, one: str, two: str
) -> None:
    port = max(schema_of(one)["minimum"], schema_of(two)["minimum"])
    values = merged(EVERYTHING, nested(one, port), nested(two, port))
    done = helm.run(
        "template", "test", str(CHART), "--kube-version=1.34.0", values=values, check=False
    )
    if done.returncode == 0:
        assert twice([each for each in yaml.safe_load_all(done.stdout) if each]) == []
    else:
        assert f"{one} is {port} and {two} is {port}" in done.stderr


VOLUME = {"name": "more", "emptyDir": {}}
CLASHES: dict[str, tuple[Values, tuple[str, ...]]] = {
    "one port for both servers": (
        nested("operator.webhook.port", 8080),
        ("operator.httpPort is 8080", "operator.webhook.port is 8080"),
    ),
    "one account for two parts": (
        merged(
            nested("operator.serviceAccount.name", "one"),
            nested("installer.serviceAccount.name", "one"),
        ),
        ('installer.serviceAccount.name is "one"', "operator.serviceAccount.name"),
    ),
    "the account of the uninstall's Job": (
        nested("operator.serviceAccount.name", "test-spidercoordinator-uninstall"),
        ("operator.serviceAccount.name is", "uninstall.enabled"),
    ),
    "the installer's account and the one that reads metrics": (
        merged(
            nested("installer.metrics.enabled", True),
            nested("metrics.podMonitor.enabled", True),
            nested("installer.serviceAccount.name", "test-spidercoordinator-metrics-reader"),
        ),
        ("installer.serviceAccount.name is", "metrics.podMonitor.enabled"),
    ),
    "a ServiceMonitor without a Service": (
        nested("metrics", {"service": {"enabled": False}, "serviceMonitor": {"enabled": True}}),
        ("metrics.serviceMonitor.enabled is true", "metrics.service.enabled is false"),
    ),
    "a timeout longer than the interval": (
        nested(
            "metrics.serviceMonitor", {"enabled": True, "interval": "9s", "scrapeTimeout": "1m"}
        ),
        ("scrapeTimeout is 1m", "interval is 9s"),
    ),
    "a PodMonitor of what nobody serves": (
        nested("metrics.podMonitor.enabled", True),
        ("metrics.podMonitor.enabled is true", "installer.metrics.enabled is false"),
    ),
    "a PodMonitor's timeout longer than its interval": (
        merged(
            nested("installer.metrics.enabled", True),
            nested(
                "metrics.podMonitor", {"enabled": True, "interval": "9s", "scrapeTimeout": "1m"}
            ),
        ),
        ("metrics.podMonitor.scrapeTimeout is 1m", "metrics.podMonitor.interval is 9s"),
    ),
    "an account of readers that may not be bound": (
        merged(
            nested("installer.metrics.enabled", True),
            nested("metrics.podMonitor.enabled", True),
            nested("rbac.create", False),
        ),
        ('metrics.podMonitor.tokenSecret.name is ""', "rbac.create is false"),
    ),
    "another key of a Secret that Kubernetes fills": (
        merged(
            nested("installer.metrics.enabled", True),
            nested("metrics.podMonitor", {"enabled": True, "tokenSecret": {"key": "mine"}}),
        ),
        (
            'metrics.podMonitor.tokenSecret.key is "mine"',
            'metrics.podMonitor.tokenSecret.name is ""',
        ),
    ),
    "the operator's HTTP port on the nodes": (
        merged(
            nested("installer.metrics", {"enabled": True, "port": 8080}),
            nested("operator.hostNetwork", True),
        ),
        ("installer.metrics.port is 8080", "operator.httpPort"),
    ),
    "the webhook's port on the nodes": (
        merged(
            nested("installer.metrics", {"enabled": True, "port": 9443}),
            nested("operator.hostNetwork", True),
        ),
        ("installer.metrics.port is 9443", "operator.webhook.port"),
    ),
    "both numbers of a disruption budget": (
        nested("operator.podDisruptionBudget", {"enabled": True, "minAvailable": 0}),
        ('minAvailable "0"', 'maxUnavailable "1"'),
    ),
    "no number of a disruption budget": (
        nested("operator.podDisruptionBudget", {"enabled": True, "maxUnavailable": ""}),
        ('minAvailable ""', 'maxUnavailable ""'),
    ),
    "a volume of a name that is taken": (
        nested("operator.extraVolumes", [VOLUME, VOLUME]),
        ('operator.extraVolumes[1].name is "more"', "none of tmp, more"),
    ),
    "a mount where one is": (
        nested(
            "operator",
            {
                "extraVolumes": [VOLUME],
                "extraVolumeMounts": [{"name": "more", "mountPath": "/tmp/"}],  # noqa: S108 - in the pod
            },
        ),
        ('operator.extraVolumeMounts[0].mountPath is "/tmp/"', "none of /tmp"),
    ),
    "a mount of no volume": (
        nested("operator.extraVolumeMounts", [{"name": "other", "mountPath": "/x"}]),
        ('operator.extraVolumeMounts[0].name is "other"', "none of operator.extraVolumes"),
    ),
    "a variable that is set": (
        nested("operator.extraEnv", [{"name": "SPIDERCOORDINATOR_NAME", "value": "x"}]),
        ('operator.extraEnv[0].name is "SPIDERCOORDINATOR_NAME"', "set already"),
    ),
    "an option twice": (
        nested("operator.extraArgs", ["--resync-period=5m", "--resync-period=10m"]),
        ('operator.extraArgs[1] is "--resync-period=10m"', "--resync-period is there already"),
    ),
    "a volume of the installer's own": (
        nested("installer.extraVolumes", [{"name": "state", "emptyDir": {}}]),
        ('installer.extraVolumes[0].name is "state"', "none of cni-bin, state"),
    ),
    "an installer's variable twice": (
        nested("installer.extraEnv", [{"name": "A", "value": "x"}] * 2),
        ('installer.extraEnv[1].name is "A"', "set already"),
    ),
    "a strategy and numbers of another": (
        nested("operator.updateStrategy", {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        ("operator.updateStrategy.type is Recreate", 'rollingUpdate is {"maxSurge":1}'),
    ),
    "no operator may be replaced": (
        nested("operator.updateStrategy.rollingUpdate", {"maxSurge": "0%", "maxUnavailable": 0}),
        ("operator.updateStrategy.rollingUpdate has maxSurge 0%", "maxUnavailable 0"),
    ),
    "no installer may be replaced": (
        nested("installer.updateStrategy.rollingUpdate.maxUnavailable", 0),
        ("installer.updateStrategy.rollingUpdate has maxSurge 0", "maxUnavailable 0"),
    ),
    "both numbers of a DaemonSet": (
        nested("installer.updateStrategy.rollingUpdate.maxSurge", 1),
        ("installer.updateStrategy.rollingUpdate has maxSurge 1", "maxUnavailable 1"),
    ),
    "no name server at all": (
        nested("operator.dnsPolicy", "None"),
        ("operator.dnsPolicy is None", "operator.dnsConfig.nameservers is []"),
    ),
    "two families for one": (
        nested("services", {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4", "IPv6"]}),
        ('services.ipFamilyPolicy is "SingleStack"', 'services.ipFamilies is ["IPv4","IPv6"]'),
    ),
    "one family twice": (
        nested("services", {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4", "IPv4"]}),
        ('services.ipFamilies is ["IPv4","IPv4"]', "each family once"),
    ),
    "plugins where the installer keeps its own": (
        nested("global.cniBinHostPath", "/var/lib/spidercoordinator"),
        ("global.cniBinHostPath is", "the installer keeps /var/lib/spidercoordinator"),
    ),
}


@pytest.mark.parametrize(("values", "named"), CLASHES.values(), ids=CLASHES)
def test_a_clash_names_both(helm: Helm, values: Values, named: tuple[str, ...]) -> None:
    message = helm.refusal(values)
    assert "Nothing was installed or changed" in message
    [line] = [each for each in message.splitlines() if named[0] in each]
    assert [each for each in named if each not in line] == []


@pytest.mark.parametrize("release", ["1st", "a.b"])
def test_a_release_of_a_name_that_no_service_can_have_is_refused(helm: Helm, release: str) -> None:
    refused = helm.run("template", release, str(CHART), "--kube-version=1.34.0", check=False)
    assert f'The release\'s name "{release}"' in refused.stderr
    assert "fullnameOverride spidercoordinator" in refused.stderr.replace('"', "")
    assert helm.template(nested("fullnameOverride", "ours"), release=release)


def test_a_parent_chart_may_share_its_own_globals(helm: Helm, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(CHART, parent / "charts" / "spidercoordinator")
    (parent / "Chart.yaml").write_text("{apiVersion: v2, name: parent, version: 0.1.0}")
    (parent / "values.yaml").write_text("{global: {domain: example.org}}")
    done = helm.run("template", "test", str(parent), "--kube-version=1.34.0")
    assert "kind: DaemonSet" in done.stdout
