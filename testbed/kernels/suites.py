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
        quick: the kernel on which it is a part of `make test`; empty, it is none.
    """

    name: str
    tests: tuple[str, ...]
    deadline: float
    append: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    quick: str = ""


_HOUR = 3600.0

SUITES = (
    Suite("cni", ("tests/cni",), 4 * _HOUR),
    Suite("istio", ("tests/istio",), 4 * _HOUR),
    # The newer kernel has netkit, too.
    Suite("stock", ("tests/kernels/stock",), _HOUR, devices=CARD, quick="6.12"),
    Suite("settings", ("tests/kernels/settings",), _HOUR, quick="6.1"),
    # Not quick: an API server takes minutes to start where the processor is emulated.
    Suite("node", ("tests/kernels/node",), _HOUR),
    Suite(
        "no-ipv6", ("tests/kernels/no_ipv6",), _HOUR / 2, append=("ipv6.disable=1",), quick="6.1"
    ),
    Suite(
        "no-nf_tables",
        ("tests/kernels/no_nf_tables",),
        _HOUR / 2,
        append=("module_blacklist=nf_tables",),
        quick="6.1",
    ),
)


def named(names: list[str]) -> list[Suite]:
    """Return the suites of these names, all without names.

    Raises:
        TestbedError: there is no suite of a name.
    """
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            raise TestbedError(f"SUITES names {name!r}: allowed are {', '.join(known)}")
    return [known[name] for name in names] or list(SUITES)


def boots(chosen: list[Suite], kernels: list[str], *, quick: bool) -> list[tuple[str, Suite]]:
    """Return which suites boot which kernels, in order; `quick` takes each suite's own kernel."""
    if quick:
        return [(suite.quick, suite) for suite in chosen if suite.quick]
    return [(kernel, suite) for kernel in kernels for suite in chosen]
