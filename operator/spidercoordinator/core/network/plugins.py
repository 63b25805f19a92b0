"""What is known of the CNI plugins that a user's JSON texts name: which part of a chain each is.

Sources: the plugins of containernetworking/plugins v1.9, and the README of the others.
"""

from __future__ import annotations

from typing import Final

COORDINATOR: Final = "coordinator"

MAIN: Final = frozenset(
    {
        *("bridge", "dummy", "host-device", "ipvlan", "macvlan", "ptp", "tap", "vlan"),
        *("sriov", "ib-sriov", "ipoib", "ovs", "accelerated-bridge"),
    }
)
"""Plugins that make the pod's interface; a second one in a chain finds the name taken."""

NEEDS_IPAM: Final = frozenset({"ipvlan", "macvlan", "ptp", "sriov", "ib-sriov", "vlan"})
"""Those of them whose interface has an address only from an `ipam` section."""

IPAM: Final = frozenset({"dhcp", "host-local", "static", "whereabouts", "spiderpool"})
"""Plugins that main plugins call; in a chain they find no `ipam` section and fail."""
