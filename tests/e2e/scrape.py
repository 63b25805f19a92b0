"""How a Prometheus outside the cluster scrapes the operator: through the API server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.e2e.cluster import Cluster, Release
from tests.e2e.conftest import CHART
from tests.e2e.manifests import NAMESPACE

READER: Final = "metrics-reader"
_RBAC: Final = "rbac.authorization.k8s.io"


@contextmanager
def reader(cluster: Cluster, release: Release) -> Iterator[str]:
    """A service account that may ask the release's pods; gives its token."""
    account = {"kind": "ServiceAccount", "name": READER, "namespace": NAMESPACE}
    rules = [{"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]}]
    there = {"name": READER, "namespace": release.namespace}
    here = {"name": READER, "namespace": NAMESPACE}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here})
    cluster.apply({"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": there, "rules": rules})
    cluster.apply(
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": there,
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": READER},
            "subjects": [account],
        }
    )
    try:
        yield cluster.shell.output(f"kubectl create token {READER} -n {NAMESPACE}").strip()
    finally:
        cluster.delete("role,rolebinding", READER, release.namespace)
        cluster.delete("serviceaccount", READER, NAMESPACE)


def config(cluster: Cluster, release: Release, token: str, folder: Path) -> str:
    """Prometheus' configuration: the operator's pods each second, labelled as by a ServiceMonitor.

    The alerts of the chart are beside it, each firing as soon as it holds.
    """
    text = cluster.shell.output("kubectl config view --raw --minify --flatten -o json")
    api = json.loads(text)["clusters"][0]["cluster"]
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_bytes(base64.b64decode(api["certificate-authority-data"]))
    (folder / "alerts.yaml").write_text(yaml.safe_dump(_alerts_at_once()))
    job = {
        "job_name": "operator",
        "scheme": "https",
        "authorization": {"credentials_file": str(folder / "token")},
        "tls_config": {"ca_file": str(folder / "ca.crt")},
        "static_configs": list(_targets(cluster, release, api["server"])),
    }
    seconds = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    return yaml.safe_dump(
        {
            "global": seconds,
            "rule_files": [str(folder / "alerts.yaml")],
            "scrape_configs": [job],
        }
    )


def _alerts_at_once() -> dict[str, Any]:
    rules: dict[str, Any] = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    return rules


def _targets(cluster: Cluster, release: Release, server: str) -> Iterator[dict[str, Any]]:
    """The release's operators; Debian's Prometheus knows no discovery by Kubernetes."""
    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/component=operator"
    for pod in cluster.items("pods", f"-n {release.namespace} -l {selector}"):
        name = pod["metadata"]["name"]
        ports = [each for each in pod["spec"]["containers"][0]["ports"] if each["name"] == "http"]
        pods = f"/api/v1/namespaces/{release.namespace}/pods"
        proxy = f"{pods}/{name}:{ports[0]['containerPort']}/proxy"
        labels = {
            "__metrics_path__": f"{proxy}/metrics",
            "namespace": release.namespace,
            "pod": name,
        }
        yield {"targets": [server.removeprefix("https://")], "labels": labels}
