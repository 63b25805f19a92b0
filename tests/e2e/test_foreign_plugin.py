"""Another product's plugin of the same name is put aside, and comes back when the product goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import COORDINATORS, Cluster, Release, eventually
from tests.e2e.conftest import install, upgrade, wait_ready
from tests.e2e.manifests import NAMESPACE, PLUGINS, plugins_shell

pytestmark = pytest.mark.last

OTHER = "#!/bin/sh"
SHELL = "node-files"
REPLACE = "--set installer.replaceForeign=true"


@pytest.fixture
def files(cluster: Cluster, node: str, namespace: None) -> Iterator[None]:
    """A pod that sees the node's folder of CNI plugins, and is gone afterwards."""
    del namespace
    cluster.apply(plugins_shell(SHELL, node, hostNetwork=True))
    wait_ready(cluster, SHELL)
    yield
    cluster.delete("pod", SHELL, NAMESPACE)


@pytest.fixture
def again(cluster: Cluster, synced: Release, tmp_path: Path) -> Iterator[Release]:
    """The release; it is there as it was afterwards, whatever becomes of it."""
    before = tmp_path / "values.yaml"
    text = f"helm get values {synced.name} -n {synced.namespace} -o yaml"
    before.write_text(cluster.shell.output(text))
    yield synced
    eventually("the SpiderCoordinator is gone", lambda: not cluster.items(COORDINATORS), 30)
    cluster.execute(SHELL, f"rm {PLUGINS}/coordinator", NAMESPACE)
    install(cluster, synced, before)


def head(cluster: Cluster) -> str:
    """Return the beginning of the node's plugin."""
    return cluster.execute(SHELL, f"head -c 9 {PLUGINS}/coordinator", NAMESPACE).output


def aside(cluster: Cluster) -> bool:
    """Say whether the other plugin is put aside and ours is in its place."""
    kept = cluster.execute(SHELL, f"cat {PLUGINS}/.coordinator.foreign", NAMESPACE)
    return kept.ok and OTHER in kept.output and "ELF" in head(cluster)


def rolled_out(cluster: Cluster, release: Release, verb: str) -> None:
    """Run `kubectl rollout` for the installer."""
    selector = f"-l app.kubernetes.io/component=installer -n {release.namespace}"
    [name] = [each["metadata"]["name"] for each in cluster.items("daemonsets", selector)]
    cluster.shell.output(f"kubectl rollout {verb} daemonset/{name} -n {release.namespace}")


def test_it_stays_aside_at_a_restart_and_comes_back_at_the_uninstall(
    cluster: Cluster, files: None, again: Release
) -> None:
    del files
    new = f"{PLUGINS}/new"
    write = f"echo '{OTHER}' >{new} && chmod 755 {new} && mv {new} {PLUGINS}/coordinator"
    assert cluster.execute(SHELL, f'sh -c "{write}"', NAMESPACE).ok
    upgrade(cluster, again, REPLACE)
    eventually("the other plugin is put aside", lambda: aside(cluster), 60)
    for _ in range(2):
        rolled_out(cluster, again, "restart")
        rolled_out(cluster, again, "status --timeout=60s")
        assert aside(cluster)
    done = cluster.shell.output(
        f"helm uninstall {again.name} -n {again.namespace} --wait --timeout 2m"
    )
    assert "may not be restored" not in done
    assert OTHER in head(cluster)
    assert not cluster.execute(SHELL, f"ls {PLUGINS}/.coordinator.foreign", NAMESPACE).ok
