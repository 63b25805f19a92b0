"""What an object becomes by `kubectl apply` and `kubectl patch`, worked out without a server.

Custom resources have no strategic merge: kubectl applies them by a three-way JSON merge patch
(k8s.io/apimachinery/pkg/util/jsonmergepatch), and patches them by RFC 7386.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.admission import NOT_STORED
from spidercoordinator.errors import ManifestError

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Where kubectl keeps what it applied last."""

_SERVERS_OWN: Final = frozenset({*NOT_STORED, "uid", "resourceVersion", "generation"})
"""What a file says of these keys of metadata is of no effect."""


def patched(obj: Any, patch: Any) -> Any:
    """The object after a JSON merge patch: None removes a key, lists are replaced (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(obj) if isinstance(obj, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def patched_object(live: Object, patch: Mapping[str, Any]) -> Object:
    """The object after `kubectl patch --type=merge`; a status in the patch is of no effect.

    Raises:
        ManifestError: it would be another object, which the API server refuses.
    """
    meta = patch.get("metadata", {})
    if not isinstance(meta, Mapping):
        raise ManifestError(f"--patch has the metadata {meta!r}: allowed is an object")
    for path, given, held in (
        *((key, patch, live) for key in ("apiVersion", "kind")),
        *((f"metadata.{key}", meta, live["metadata"]) for key in ("name", "namespace", "uid")),
    ):
        key = path.rpartition(".")[2]
        if key in given and key in held and given[key] != held[key]:
            raise ManifestError(
                f"--patch has the {path} {given[key]!r}: it cannot be changed, it is {held[key]!r}"
            )
    result: Object = patched(live, {key: patch[key] for key in patch if key != "status"})
    return result


def applied(live: Object | None, manifest: Object) -> Object:
    """The object after `kubectl apply`: what the manifest says, and what others set beside it.

    What kubectl applied last and the manifest says no more is removed. The status of a manifest is
    of no effect.
    """
    if live is None:
        return {key: value for key, value in manifest.items() if key != "status"}
    meta = {key: value for key, value in manifest["metadata"].items() if key not in _SERVERS_OWN}
    wanted = {**manifest, "metadata": meta}
    wanted.pop("status", None)
    rest = patched(live, _removals(_last_applied(live), wanted))
    result: Object = patched(rest, wanted)
    return result


def _last_applied(live: Object) -> Object:
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}")
    try:
        last = json.loads(text)
    except ValueError:
        return {}
    last = last if isinstance(last, dict) else {}
    return {key: last[key] for key in ("metadata", "spec") if isinstance(last.get(key), dict)}


def _removals(last: Mapping[str, Any], wanted: Mapping[str, Any]) -> Object:
    """A merge patch that takes away what was applied last and is not wanted any more."""
    patch: Object = {}
    for key, value in last.items():
        if key not in wanted or wanted[key] is None:
            patch[key] = None
        elif isinstance(value, Mapping) and isinstance(wanted[key], Mapping):
            patch[key] = _removals(value, wanted[key])
    return patch
