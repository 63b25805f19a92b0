"""A real Istio on the testbed: control plane, injection, sidecars with Envoy, the cluster's DNS.

Nothing of it comes from an image registry: Istio and CoreDNS are built from their Go modules,
Envoy's own release build is in a Python wheel, the charts are in Istio's module.
"""

from testbed.extras import asked_for

VARIABLE = "TESTBED_MESH"
"""The environment variable that asks for a mesh."""

SIDECAR = "sidecar"


def wanted() -> bool:
    """Tell whether `TESTBED_MESH` asks for a mesh.

    Raises:
        TestbedError: it names a kind of mesh that there is none of here.
    """
    return asked_for(VARIABLE, SIDECAR, without="no mesh")
