"""What it means that only nodes tell the pod CIDRs, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FOLLOWS_NODES: Final = "FollowsNodes"
"""Reason of a condition."""


def follows_nodes(partial: Sequence[str]) -> str:
    """What to say of it for people, empty when the whole range is known.

    No count of nodes or ranges is in it: the text is the same when a node joins.
    """
    if not partial:
        return ""
    return (
        f"pod CIDRs follow the nodes ({' and '.join(partial)}), since nothing tells the range of "
        "the whole cluster: each node that joins renders all networks anew, and pods that run "
        "already have no route to its pods; set spec.podCIDR to the whole range"
    )
