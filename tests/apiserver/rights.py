"""The rights that the chart gives the operator, for a process that has no others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from testbed import binaries
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import ROOT, kubectl

_KINDS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


class Rights:
    """The chart's service account and roles in a namespace that is made for them.

    Attributes:
        kubeconfig: with the token of the service account.
    """

    def __init__(self, server: ApiServer, folder: Path, namespace: str) -> None:
        self._server = server
        self._manifest = folder / "rights.yaml"
        self._objects = _rendered(namespace)
        kubectl(server.kubeconfig, "create", "namespace", namespace)
        self.restore()
        (account,) = {
            each["metadata"]["name"]
            for each in self._objects
            if each["kind"] == "ServiceAccount" and each["metadata"]["name"].endswith("-operator")
        }
        token = kubectl(server.kubeconfig, "create", "token", account, f"--namespace={namespace}")
        config = yaml.safe_load(server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token.strip()}
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(config))

    def restore(self) -> None:
        """Give all that the chart gives."""
        self._apply(self._objects)

    def take_away(self, *resources: str) -> None:
        """Give all but the rules for these resources, such as `ippools`."""
        self._apply([_without(each, set(resources)) for each in self._objects])

    def _apply(self, objects: list[dict[str, Any]]) -> None:
        self._manifest.write_text(yaml.safe_dump_all(objects))
        kubectl(self._server.kubeconfig, "apply", "-f", str(self._manifest))


def _rendered(namespace: str) -> list[dict[str, Any]]:
    helm = [
        str(binaries.ensure() / "helm"),
        "template",
        "test",
        f"--namespace={namespace}",
        "--kube-version=1.34.0",
        str(ROOT / "charts" / "spidercoordinator"),
    ]
    rendered = subprocess.run(helm, check=True, capture_output=True, text=True).stdout
    return [each for each in yaml.safe_load_all(rendered) if each and each["kind"] in _KINDS]


def _without(given: dict[str, Any], resources: set[str]) -> dict[str, Any]:
    if "rules" not in given:
        return given
    rules = [rule for rule in given["rules"] if not resources & set(rule["resources"])]
    return {**given, "rules": rules}
