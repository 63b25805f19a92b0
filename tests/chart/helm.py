"""Runs the real helm on the chart, and reads what it says."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "charts" / "spidercoordinator"
KUBERNETES = "1.34.0"

Object = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Helm:
    """Helm with a home of its own, and with a cluster if there is a kubeconfig."""

    binaries: Path
    home: Path
    kubeconfig: Path | None = None

    def run(
        self, *arguments: str, values: Values | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; `values` are what a values file would hold."""
        command = [str(self.binaries / "helm"), *arguments]
        if values is not None:
            command.append("--values=-")
        return self._execute(command, None if values is None else json.dumps(values), check=check)

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl on the same cluster."""
        return self._execute([str(self.binaries / "kubectl"), *arguments], stdin, check=check)

    def template(self, values: Values | None = None, *, release: str = "test") -> list[Object]:
        """All objects the chart renders with these values, hooks included."""
        rendered = self._render(release, values or {}, check=True)
        return [thing for thing in yaml.load_all(rendered.stdout, yaml.CSafeLoader) if thing]

    def refusal(self, values: Values) -> str:
        """What helm says of values that it must not take."""
        refused = self._render("test", values, check=False)
        assert refused.returncode != 0, f"helm took {values}"
        return refused.stderr

    def install(self, values: Values | None = None, *, release: str = "test") -> str:
        """Install or upgrade a release; what helm says of it."""
        command = ("upgrade", "--install", "--reset-values", release, str(CHART))
        return self.run(*command, values=values or {}).stdout

    def apply(self, objects: list[Object]) -> None:
        """Create or change objects with kubectl."""
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def delete(self, objects: list[Object]) -> None:
        """Delete objects with kubectl."""
        self.kubectl("delete", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def names(self, kinds: str, *flags: str) -> list[str]:
        """`kind/name` of all objects of these kinds; none if the cluster does not know a kind."""
        found = self.kubectl("get", kinds, "-o", "name", *flags, check=False)
        unknown = "the server doesn't have a resource type" in found.stderr
        assert found.returncode == 0 or unknown, found.stderr
        return found.stdout.split()

    def get(self, kind: str, name: str, *flags: str) -> Object:
        """One object of the cluster."""
        found: Object = json.loads(self.kubectl("get", kind, name, "-o", "json", *flags).stdout)
        return found

    def _render(
        self, release: str, values: Values, *, check: bool
    ) -> subprocess.CompletedProcess[str]:
        version = f"--kube-version={KUBERNETES}"
        return self.run("template", release, str(CHART), version, values=values, check=check)

    def _execute(
        self, command: list[str], stdin: str | None, *, check: bool
    ) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "HOME": str(self.home),
            "HELM_CACHE_HOME": str(self.home / "cache"),
            "HELM_CONFIG_HOME": str(self.home / "config"),
            "HELM_DATA_HOME": str(self.home / "data"),
            "KUBECONFIG": str(self.kubeconfig or self.home / "none"),
        }
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, text=True, check=False
        )
        if check:
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done


def nested(path: str, value: Any) -> Object:
    """`nested("a.b", 1)` is `{"a": {"b": 1}}`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def merged(*trees: Values) -> Object:
    """The trees laid upon each other, as helm does it with values."""
    result: Object = {}
    for tree in trees:
        for key, value in tree.items():
            if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
                result[key] = merged(result[key], value)
            else:
                result[key] = value
    return result


def pick(objects: list[Object], kind: str, suffix: str = "") -> Object:
    """The one object of this kind whose name ends so."""
    [found] = [
        thing
        for thing in objects
        if thing["kind"] == kind and thing["metadata"]["name"].endswith(suffix)
    ]
    return found


def rules_of(objects: list[Object], suffix: str) -> list[tuple[Object, Object]]:
    """Each rule of the roles whose name ends so, with its role."""
    return [
        (thing, rule)
        for thing in objects
        if thing["kind"].endswith("Role") and thing["metadata"]["name"].endswith(suffix)
        for rule in thing["rules"]
    ]


def pod_templates(objects: list[Object]) -> dict[str, Object]:
    """The pod template of each workload, by the workload's kind."""
    return {
        thing["kind"]: thing["spec"]["template"]
        for thing in objects
        if "template" in thing.get("spec", {})
    }


EVERYTHING = merged(
    nested("operator.replicas", 2),
    nested("operator.podDisruptionBudget.enabled", True),
    nested("operator.networkPolicy.enabled", True),
    nested("metrics.serviceMonitor.enabled", True),
    nested("metrics.podMonitor.enabled", True),
    nested("installer.metrics.enabled", True),
    nested("metrics.prometheusRule.enabled", True),
    nested("metrics.dashboard.enabled", True),
    nested("rbac.aggregateToEdit", True),
    nested("global.ciliumConfigMap", "cilium/cilium-config"),
)
"""Values that switch on every object the chart can make."""
