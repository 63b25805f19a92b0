"""Which Kubernetes the testbed builds, and what a cluster of another one is told."""

import re
from pathlib import Path

import pytest
import yaml

from testbed import binaries, bootstrap, extras, paths, topology
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.paths import State
from testbed.progress import Progress

CHART = paths.PROJECT / "charts" / "spidercoordinator" / "Chart.yaml"


@pytest.mark.parametrize("minor", ["", *binaries.MINORS])
def test_the_release_is_the_one_that_the_module_pins(
    monkeypatch: pytest.MonkeyPatch, minor: str
) -> None:
    monkeypatch.setenv(binaries.KUBERNETES, minor)
    release = binaries.kubernetes_release()
    assert release.startswith(f"v{minor or binaries.MINORS[0]}.")
    [git_version] = [
        flag for flag in binaries.ldflags(release) if "component-base/version.gitVersion" in flag
    ]
    assert git_version.endswith(f"gitVersion={release}")


@pytest.mark.parametrize("asked", ["1.30", "1", "v1.31", "latest", " "])
def test_others_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv(binaries.KUBERNETES, asked)
    allowed = " or ".join(binaries.MINORS)
    with pytest.raises(
        TestbedError, match=re.escape(f"TESTBED_KUBERNETES='{asked}': give {allowed}")
    ):
        binaries.kubernetes_release()


def test_every_module_can_be_chosen() -> None:
    modules = (paths.SOURCES / "kubernetes").glob("*/go.mod")
    assert {module.parent.name for module in modules} == set(binaries.MINORS)


def test_the_oldest_is_the_oldest_that_the_chart_supports() -> None:
    assert f">={binaries.MINORS[-1]}." in yaml.safe_load(CHART.read_text())["kubeVersion"]


def test_the_first_value_is_chosen_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANY", raising=False)
    assert extras.chosen("ANY", ("a", "b")) == "a"


def test_a_cluster_of_another_release_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TESTBED_NODES", raising=False)
    monkeypatch.setenv(binaries.KUBERNETES, binaries.MINORS[-1])
    up = Cluster(State(tmp_path), topology.nodes(1), kubernetes="v1.2.3")
    up.state.record.write_text(up.record())
    with pytest.raises(TestbedError, match=r"but a cluster of v1\.2\.3 is up: `make down` first"):
        bootstrap.ensure(up.state, Progress())
    assert Cluster.recorded(up.state) == up
