"""Fixtures of the plugin's tests: namespaces that exist for one test each."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed import built
from tests.cni.namespace import SLOWNESS
from tests.cni.topology import Pod, Segment

ROOT = Path(__file__).resolve().parents[2]
NO_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
_numbers = itertools.count()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, 10 seconds at most, longer on an emulated processor."""
    seconds = 10 * SLOWNESS
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        time.sleep(0.01)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs root."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin, built with the steps at which tests let it fail."""
    if (elsewhere := built.folder()) is not None:
        return elsewhere / "faulty" / "coordinator"
    target = tmp_path_factory.mktemp("bin") / "coordinator"
    subprocess.run(
        ["go", "build", "-tags", "faultinjection", "-o", str(target), "./cmd/coordinator"],
        cwd=ROOT / "cni",
        check=True,
        env=os.environ | {"CGO_ENABLED": "0"},
    )
    return target


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binaries as the image has them."""
    if (elsewhere := built.folder()) is not None:
        return elsewhere
    target = tmp_path_factory.mktemp("image")
    argv = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", f"{target}/", "./cmd/..."]
    env = os.environ | {"CGO_ENABLED": "0"}
    subprocess.run(argv, cwd=ROOT / "cni", check=True, env=env)
    return target


@pytest.fixture
def segment(tmp_path: Path, binary: Path) -> Iterator[Segment]:
    """A node, a machine beside it and their segment."""
    with Segment(f"sc{os.getpid()}-{next(_numbers)}", tmp_path, binary) as made:
        yield made


@pytest.fixture
def pod(segment: Segment) -> Pod:
    """A pod without interfaces."""
    return segment.pod()


@pytest.fixture
def grow(segment: Segment) -> Callable[..., Pod]:
    """Make a pod with eth0 in net 6 and further interfaces; options go to every coordinator."""
    for net in (7, 8):
        segment.lan.run(f"ip addr add 10.{net}.0.1/16 dev eth0")
        segment.lan.run(f"ip -6 addr add fd00:10:{net}::1/64 dev eth0 nodad")

    def make(*further: str, families: tuple[int, ...] = (4, 6), **section: object) -> Pod:
        pod = segment.pod()
        for number, dev in enumerate(["eth0", *further]):
            pod.attach(dev, families=families, net=6 + number)
            pod.coordinator("ADD", dev, **section)  # type: ignore[arg-type]
        return pod

    return make
