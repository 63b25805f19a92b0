"""A real Istio on the testbed: control plane, injection, sidecars with Envoy, the cluster's DNS.

Nothing of it comes from an image registry: Istio and CoreDNS are built from their Go modules,
Envoy's own release build is in a Python wheel, the charts are in Istio's module.
"""

import os

from testbed.errors import TestbedError

VARIABLE = "TESTBED_MESH"
"""The environment variable that asks for a mesh."""

SIDECAR = "sidecar"


def wanted() -> bool:
    """Tell whether `TESTBED_MESH` asks for a mesh.

    Raises:
        TestbedError: it names a kind of mesh that there is none of here.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in {"", SIDECAR}:
        raise TestbedError(f"{VARIABLE}={value!r}: give {SIDECAR}, or unset it for no mesh")
    return value == SIDECAR
