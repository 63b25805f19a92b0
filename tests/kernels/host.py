"""A guest itself as the node: with udev, and what else configures links on nodes."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from testbed import paths
from testbed.prerequisites import UDEVD
from tests.cni.namespace import Namespace, run
from tests.cni.topology import Segment

CONFIGURATION = paths.PROJECT / "cni" / "host-config"


@dataclass
class OwnNetwork(Namespace):
    """The network of the guest itself, under a name as other namespaces have it."""

    @override
    def create(self) -> None:
        run("ip", "netns", "attach", self.name, "1")
        # What guests have in place of an uplink, see testbed/kernels/guest.sh.
        run("ip", "link", "del", "nowhere", check=False)


class HostSegment(Segment):
    """The segment with the guest itself as its node."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.node = OwnNetwork(self.node.name)


def configure() -> None:
    """Copy the files for other programs to where their first lines say."""
    for file in CONFIGURATION.iterdir():
        text = file.read_text()
        target = Path(text.splitlines()[0].removeprefix("#").strip())
        assert target.is_absolute(), f"{file}: its first line does not name its place"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@contextlib.contextmanager
def daemon(program: str, *arguments: str) -> Iterator[None]:
    """Run a daemon in the foreground; it is asked to end, and has ended afterwards."""
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program, *arguments]) as process:
        try:
            yield
            assert process.poll() is None, f"{program} has ended by itself"
        finally:
            process.terminate()


@contextlib.contextmanager
def udev() -> Iterator[None]:
    """Run udev, which knows every link afterwards."""
    with daemon(UDEVD):
        settle()
        yield


def settle() -> None:
    """Wait until udev has seen to all links."""
    run("udevadm", "trigger", "--action=add", "--subsystem-match=net")
    run("udevadm", "settle", "--timeout=50")
