"""The smallest merge patch that turns one status into another."""

from __future__ import annotations

from spidercoordinator.api.objects import Object


def merge_patch(before: Object, after: Object) -> Object:
    """What to send (RFC 7386); empty when both are equal, so that nothing is written.

    A key that is None or absent in `after` is removed. Lists are replaced as a whole.
    """
    patch: Object = {key: None for key in before if after.get(key) is None}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict):
            inner = merge_patch(old if isinstance(old, dict) else {}, value)
            if inner or old is None:
                patch[key] = inner
        elif value is not None and value != old:
            patch[key] = value
    return patch
