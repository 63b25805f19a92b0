"""A network card with virtual functions: QEMU's igb."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.cni.conftest import wait_for
from tests.cni.namespace import run

_LINKS = Path("/sys/class/net")
_DRIVERS = ("igbvf", "igb")


def driven_by(driver: str) -> list[str]:
    """Return the links of a driver in the machine's own network, sorted by name."""
    return sorted(
        link.name
        for link in _LINKS.iterdir()
        if (link / "device/driver").exists() and (link / "device/driver").resolve().name == driver
    )


@contextlib.contextmanager
def functions(count: int) -> Iterator[list[str]]:
    """Let the card have virtual functions, and give the names of their links."""
    for module in _DRIVERS:
        run("modprobe", module)
    try:
        wait_for(lambda: len(driven_by("igb")) == 1)
        (card,) = driven_by("igb")
        run("ip", "link", "set", card, "up")
        (_LINKS / card / "device/sriov_numvfs").write_text(str(count))
        wait_for(lambda: len(driven_by("igbvf")) == count)
        yield driven_by("igbvf")
    finally:
        # Links of a namespace that is removed come back, by names that others want.
        run("modprobe", "--remove", *_DRIVERS)
