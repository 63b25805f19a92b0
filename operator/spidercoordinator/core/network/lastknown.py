"""What becomes of a working NAD while there is no SpiderCoordinator to render it from.

It keeps its configuration. A SpiderCoordinator goes with `helm uninstall`, with
`coordinator.enabled=false` and by mistake, and pods of networks that worked until then must start
afterwards, too. Only where nothing was known before does the NAD carry the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.section import NOT_READY_KEY
from spidercoordinator.core.network.desired import DesiredNAD

KEPT: Final = (
    "until then the NetworkAttachmentDefinition keeps what it was rendered with last, pods start"
    " with that, and changes of this network wait"
)
"""For the message of a network whose NAD is kept."""


def keep_last_known(desired: DesiredNAD, nad: Object | None) -> DesiredNAD:
    """What the NAD of a network should be while there is no SpiderCoordinator.

    Args:
        desired: What would be rendered, with the reason why pods cannot be served.
        nad: The NAD as it is, None if there is none.
    """
    text = ((nad or {}).get("spec") or {}).get("config")
    if not text or says_not_ready(text):
        return desired
    return replace(desired, config=text, lacks_ipam=False)


def says_not_ready(text: str) -> bool:
    """Whether a NAD's configuration, or the nodes' defaults, tell pods that they cannot be served.

    The texts are the operator's own, so the key is looked for and nothing parsed.
    """
    return f'"{NOT_READY_KEY}"' in text
