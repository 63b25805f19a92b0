"""A network card with virtual functions: QEMU's igb, on a switch with a plain card for outside."""

from pathlib import Path

from tests.cni.conftest import wait_for
from tests.cni.namespace import run
from tests.cni.topology import Segment

_LINKS = Path("/sys/class/net")


def driven_by(driver: str) -> list[str]:
    """Return the links of a driver in the machine's own network, sorted by name."""
    return sorted(
        link.name
        for link in _LINKS.iterdir()
        if (link / "device/driver").exists() and (link / "device/driver").resolve().name == driver
    )


def make_functions(count: int) -> list[str]:
    """Let the card have virtual functions; return the names of their links."""
    for module in ("igb", "igbvf", "virtio_net"):
        run("modprobe", module)
    wait_for(lambda: len(driven_by("igb")) == 1)
    (card,) = driven_by("igb")
    run("ip", "link", "set", card, "up")
    functions = _LINKS / card / "device/sriov_numvfs"
    if int(functions.read_text()) != count:
        functions.write_text("0")
        functions.write_text(str(count))
    wait_for(lambda: len(driven_by("igbvf")) == count)
    return driven_by("igbvf")


def connect_outside(segment: Segment) -> str:
    """Give the plain card to the machine outside; return its name there."""
    (plain,) = driven_by("virtio_net")
    run("ip", "link", "set", plain, "netns", segment.lan.name)
    segment.lan.run(f"ip link set {plain} up")
    return plain
