"""What whereabouts does to addresses that pods have on their first interface.

Its reconciler frees each allocation whose pod does not have the address, and of a pod's addresses
it passes over those of the default network, which the first interface is when the annotation
v1.multus-cni.io/default-network names it (k8snetworkplumbingwg/whereabouts issue 638, and
pkg/reconciler of v0.9). It runs by the schedule of a ConfigMap, in the syntax of robfig/cron.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from spidercoordinator.api.nad import CONTENT_HASH
from spidercoordinator.api.objects import Object, mapping
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.network.ipamkeys import WHEREABOUTS

RECONCILER_CONFIG: Final = "whereabouts-config"
"""Name of the ConfigMap in whereabouts' manifests and in its chart; OpenShift's has the same."""

_KEYS: Final = ("cron-expression", "reconciler_cron_expression")
_NEVER: Final = "@every 876000h"
"""Once in a hundred years: an expression is needed, and one without a date is refused."""
_PERIOD: Final = re.compile(r"@every (\d+)h")
_LONG: Final = 24 * 365
"""Hours from which a period counts as never."""


def used_by(nads: Iterable[Object] | None) -> bool:
    """Whether a NetworkAttachmentDefinition of this product gets its addresses from whereabouts."""
    return any(
        WHEREABOUTS in _ipam_types(str((nad.get("spec") or {}).get("config") or ""))
        for nad in nads or ()
        if CONTENT_HASH in (nad["metadata"].get("annotations") or {})
    )


def reconciler_findings(config_map: Object | None) -> Iterator[Finding]:
    """Warn of a reconciler that runs, and say so where that cannot be told.

    Args:
        config_map: The one with its schedule; None where there is none of that name.
    """
    if config_map is None:
        yield Finding(
            "NOTE",
            f"ConfigMap {RECONCILER_CONFIG}",
            "is in no namespace, so it is not known whether whereabouts' reconciler runs, which"
            " frees the addresses that running pods have on their first interface",
            f'set cron-expression "{_NEVER}" in the ConfigMap that its DaemonSet mounts',
        )
        return
    meta, data = config_map["metadata"], config_map.get("data") or {}
    for key in _KEYS:
        schedule = str(data.get(key) or "").strip()
        if schedule and not _is_never(schedule):
            patch = json.dumps({"data": {key: _NEVER}})
            yield Finding(
                "WARNING",
                f"ConfigMap {meta['namespace']}/{meta['name']}",
                f'whereabouts\' reconciler runs by {key} "{schedule}" and then frees the addresses'
                " that running pods have on their first interface, so others get them, too",
                f"kubectl patch configmap {meta['name']} -n {meta['namespace']} --type=merge"
                f" -p '{patch}'",
            )


def _is_never(schedule: str) -> bool:
    matched = _PERIOD.fullmatch(schedule)
    return matched is not None and int(matched[1]) >= _LONG


def _ipam_types(config: str) -> set[str]:
    """IPAM plugins of a CNI configuration; none where it cannot be read."""
    try:
        parsed = json.loads(config)
    except (ValueError, RecursionError):
        return set()
    plugins = mapping(parsed).get("plugins")
    listed = plugins if isinstance(plugins, list) else []
    return {str(mapping(mapping(each).get("ipam")).get("type")) for each in listed}
