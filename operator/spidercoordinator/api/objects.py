"""JSON objects and their names: one alias for all modules."""

from typing import Any

Object = dict[str, Any]
"""A JSON object: a Kubernetes object, or a part of one such as its spec or status.

No model classes where an object is only kept or sent: they cost memory and drop unknown fields.
"""

Name = tuple[str, str]
"""Namespace and name."""


def mapping(value: Any) -> Object:
    """The value where it is a mapping, an empty one for anything else and for none."""
    return value if isinstance(value, dict) else {}


def name_of(obj: Object) -> Name:
    """Namespace and name of an object; the namespace is empty where its kind has none."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
