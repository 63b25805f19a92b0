"""The chart as a package: lint, versions, what Artifact Hub reads, the kinds it brings."""

import tomllib
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, EVERYTHING, KUBERNETES, Helm, Object, pod_templates

ABOUT: Object = yaml.safe_load((CHART / "Chart.yaml").read_text())


def annotation(name: str) -> Any:
    return yaml.safe_load(ABOUT["annotations"][f"artifacthub.io/{name}"])


@pytest.mark.parametrize("values", [{}, EVERYTHING])
def test_lint(helm: Helm, values: Object) -> None:
    told = helm.run("lint", "--strict", str(CHART), f"--kube-version={KUBERNETES}", values=values)
    assert "0 chart(s) failed" in told.stdout


def test_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((CHART.parents[1] / "pyproject.toml").read_text())["project"]
    assert ABOUT["version"] == ABOUT["appVersion"] == project["version"]


def test_it_tells_where_it_comes_from() -> None:
    assert {"home", "sources", "icon", "maintainers"} <= ABOUT.keys()
    assert (CHART / ABOUT["icon"].rpartition("/")[2]).read_text().startswith("<svg")


def test_images_are_those_the_pods_run(helm: Helm) -> None:
    told = {image["image"] for image in annotation("images")}
    run = {
        container["image"]
        for template in pod_templates(helm.template()).values()
        for container in template["spec"]["containers"]
    }
    assert told == run


def test_kinds_are_those_of_the_crds() -> None:
    crds = [yaml.safe_load(path.read_text()) for path in sorted((CHART / "crds").iterdir())]
    assert [crd["name"] for crd in annotation("crds")] == [crd["metadata"]["name"] for crd in crds]


def test_an_old_kubernetes_is_refused(helm: Helm) -> None:
    flags = ("template", "test", str(CHART), "--kube-version=1.30.9")
    refused = helm.run(*flags, check=False)
    assert "chart requires kubeVersion: >=1.31.0-0" in refused.stderr


def test_show_crds_gives_documents_that_can_be_applied(helm: Helm) -> None:
    told = helm.run("show", "crds", str(CHART)).stdout
    kinds = [crd["spec"]["names"]["kind"] for crd in yaml.safe_load_all(told) if crd]
    assert kinds == ["SpiderCoordinator", "SpiderMultusConfig"]
