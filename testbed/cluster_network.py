"""Which cluster network a cluster has: the testbed's own bridge, or a real one's agents."""

import os
from collections.abc import Mapping

from testbed import calico, cni, extras, flannel, kube_router
from testbed.agents import Agents
from testbed.errors import TestbedError

VARIABLE = "TESTBED_NETWORK"
"""The environment variable that names it."""

_ENSURE = {
    cni.CALICO: calico.ensure,
    cni.FLANNEL: flannel.ensure,
    cni.KUBE_ROUTER: kube_router.ensure,
}


def wanted(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name that `TESTBED_NETWORK` asks for, the bridge's when it is unset.

    Raises:
        TestbedError: it names a cluster network that there is none of here.
    """
    return extras.chosen(VARIABLE, tuple(cni.NETWORKS), environment)


def ensure(name: str) -> Agents | None:
    """Return a cluster network's agents, built if need be; None for the bridge, which has none.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    return _ENSURE[name]() if name in _ENSURE else None


def check(existing: str, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a cluster that is up with another cluster network than the one that is asked for.

    Raises:
        TestbedError: it has another; the text names both.
    """
    if environment.get(VARIABLE) and wanted(environment) != existing:
        raise TestbedError(
            f"{VARIABLE} asks for {wanted(environment)}, but a cluster with {existing} is up: "
            "`make down` first"
        )
