"""What an answer of the API server must be: a proxy, too, may answer 200 with an object of its own.

Taken for a list, that would be an empty one: everything would be gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.failure import parsed
from spidercoordinator.kube.jsontext import Loads, loads
from spidercoordinator.kube.resource import Object, Resource

_SHOWN: Final = 80
"""Characters of another answer that are in the message."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An answer.

    Attributes:
        what: it, for messages.
        holds: whether an answer is that.
    """

    what: str
    holds: Callable[[Object], bool]

    def read(self, text: bytes, action: str, parse: Loads = loads) -> Object:
        """The object in an answer.

        Args:
            text: the answer.
            action: what was tried, for messages.
            parse: how to parse it.

        Raises:
            ApiUnavailableError: it is something else, or no object at all.
        """
        answer = parsed(text, action, parse)
        if self.holds(answer):
            return answer
        shown = text[:_SHOWN].decode("utf-8", "replace")
        raise ApiUnavailableError(f"{action}: the answer is no {self.what}: {shown}")


ANY: Final = Expected("object", lambda _: True)
DELETED: Final = Expected("Status or object", lambda given: "kind" in given or "metadata" in given)
"""The API server answers a deletion with one or the other."""
KINDS: Final = Expected("list of kinds", lambda given: "resources" in given)
GROUPS: Final = Expected("list of groups", lambda given: "groups" in given)


def one(resource: Resource, name: str) -> Expected:
    """The object of this name; empty for one that the API server names."""

    def holds(answer: Object) -> bool:
        meta = answer.get("metadata")
        if not isinstance(meta, dict) or (name and meta.get("name", name) != name):
            return False
        return bool(answer.get("kind", resource.kind) == resource.kind)

    return Expected(resource.describe(name=name), holds)


def many(resource: Resource) -> Expected:
    """Objects of a kind, none perhaps."""

    def holds(answer: Object) -> bool:
        return "items" in answer and isinstance(answer.get("metadata", {}), dict)

    return Expected(f"list of {resource.full_name}", holds)
