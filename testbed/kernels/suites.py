"""What is run in guests: a suite is one boot, with tests, a command line and devices."""

from dataclasses import dataclass

from testbed.errors import TestbedError
from testbed.kernels.machine import CARD


@dataclass(frozen=True)
class Suite:
    """Tests that share a boot.

    Attributes:
        name: as the table calls it.
        tests: pytest's arguments.
        deadline: seconds from power-on after which the guest counts as hanging.
        append: words for the kernel's command line.
        devices: further arguments for QEMU.
        quick: a part of `make test`.
    """

    name: str
    tests: tuple[str, ...]
    deadline: float
    append: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    quick: bool = True


SUITES = (
    Suite("cni", ("tests/cni",), 5400, quick=False),
    Suite("istio", ("tests/istio",), 5400, quick=False),
    Suite("stock", ("tests/kernels/stock",), 900, devices=CARD),
    Suite("no-ipv6", ("tests/kernels/no_ipv6",), 300, append=("ipv6.disable=1",)),
    Suite(
        "no-nf_tables",
        ("tests/kernels/no_nf_tables",),
        300,
        append=("module_blacklist=nf_tables",),
    ),
)


def named(names: list[str], *, quick: bool) -> list[Suite]:
    """Return the suites of these names, all without names; with `quick` those of `make test`.

    Raises:
        TestbedError: there is no suite of a name.
    """
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            raise TestbedError(f"SUITES names {name!r}: allowed are {', '.join(known)}")
    chosen = [known[name] for name in names] or list(SUITES)
    return [suite for suite in chosen if suite.quick or not quick]
