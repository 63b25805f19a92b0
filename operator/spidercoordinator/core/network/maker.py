"""Which network a NAD was made from, as the NAD itself says: owner reference and annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.kinds import GROUP, NETWORK_KIND
from spidercoordinator.api.objects import Object

TRUE: Final = "true"
"""The value of the adopt annotation that allows adoption."""


def annotations_of(nad: Object) -> Mapping[str, str]:
    """The NAD's annotations, empty if there are none."""
    return nad["metadata"].get("annotations") or {}


def is_terminating(obj: Object) -> bool:
    """Whether the object is being deleted."""
    return obj["metadata"].get("deletionTimestamp") is not None


def controller(nad: Object) -> Object | None:
    """The owner reference of the NAD's controller, None if it has none."""
    references: Iterable[Object] = nad["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def network_controller(nad: Object) -> Object | None:
    """The owner reference of the NAD's controller, None if that is no network."""
    reference = controller(nad)
    return reference if reference is not None and is_network(reference) else None


def is_network(reference: Object) -> bool:
    """Whether an owner reference is to a SpiderMultusConfig, of whatever version."""
    same_group = str(reference["apiVersion"]).startswith(f"{GROUP}/")
    return same_group and bool(reference["kind"] == NETWORK_KIND)


def controller_uid(nad: Object) -> str:
    """The uid of the network that is the NAD's controller, empty if none is."""
    reference = network_controller(nad)
    return str(reference["uid"]) if reference else ""


def signature_of(nad: Object) -> str:
    """The network in the NAD's annotation, as `name/uid`, empty if there is none."""
    return str(annotations_of(nad).get(nad_api.NETWORK, ""))


def maker_uid(nad: Object) -> str:
    """The uid of the network the NAD is made from, empty if it is made from none.

    The controller, or the network in the annotation: an adopted NAD has no controller, and the
    reference of another may have been removed.
    """
    return controller_uid(nad) or signature_of(nad).rpartition("/")[2]


def maker_name(nad: Object) -> str:
    """The name of the network the NAD is made from, in its namespace; empty as in `maker_uid`."""
    reference = network_controller(nad)
    return str(reference["name"]) if reference else signature_of(nad).partition("/")[0]


def is_adopted(nad: Object) -> bool:
    """Whether the NAD was taken over from somebody who made it."""
    return nad_api.ADOPTED_CONFIG in annotations_of(nad)


def is_adoptable(nad: Object) -> bool:
    """Whether the NAD carries the adopt annotation and nobody controls it."""
    return annotations_of(nad).get(nad_api.ADOPT) == TRUE and controller(nad) is None


def is_copy(nad: Object) -> bool:
    """Whether somebody copied the NAD from one of ours: it was not made under the name it has."""
    return str(nad["metadata"]["name"]) != annotations_of(nad).get(nad_api.MADE_AS)
