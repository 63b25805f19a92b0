"""What changed objects would change in NetworkAttachmentDefinitions.

The NADs are those that this version renders, with the CIDRs and the IPAM that the SpiderCoordinator
states; a NAD that the change does not concern is left out, whatever else is the matter with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.kinds import NETWORK_KIND
from spidercoordinator.api.nad import OWN_PREFIX
from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.checks.stated import stated_cluster, stated_ipam
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import DesiredNAD, desired_nad
from spidercoordinator.core.network.lastknown import keep_last_known
from spidercoordinator.core.network.maker import annotations_of
from spidercoordinator.core.network.ownership import Conflict, decide, is_ours
from spidercoordinator.core.network.render import json_text
from spidercoordinator.core.network.validation import parse, schema_problems
from spidercoordinator.errors import InvalidObjectError

Action = Literal["create", "change", "delete", "refuse"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one NAD.

    Attributes:
        nad: its namespace and name.
        network: name of the SpiderMultusConfig.
        action: refuse: the operator leaves it as it is, because it is not the network's own.
        before: the NAD as it is, as text; empty where there is none.
        after: as it would be; empty where it goes.
        reason: why the operator refuses.
    """

    nad: Name
    network: str
    action: Action
    before: str = ""
    after: str = ""
    reason: str = ""

    def lines(self) -> list[str]:
        """A unified diff."""
        names = (f"live/{'/'.join(self.nad)}", f"desired/{'/'.join(self.nad)}")
        old, new = self.before.splitlines(), self.after.splitlines()
        return list(unified_diff(old, new, *names, lineterm=""))


@dataclass(frozen=True, slots=True)
class Rendering:
    """What NADs are rendered with, beside the objects.

    Attributes:
        coordinator: name of the SpiderCoordinator that takes effect.
        default_ipam: CNI IPAM object; empty: as the SpiderCoordinator's status says.
    """

    coordinator: str
    default_ipam: Mapping[str, Any]


def changes(
    before: Sequence[Object], after: Sequence[Object], nads: Sequence[Object], how: Rendering
) -> list[Change]:
    """What becomes of NADs when the SpiderCoordinators and networks change.

    Args:
        before: SpiderCoordinators and SpiderMultusConfigs as they are.
        after: the same as they would be.
        nads: NetworkAttachmentDefinitions as they are.
        how: how to render.
    """
    live = {name_of(nad): nad for nad in nads}
    old, new = _desired(before, live, how), _desired(after, live, how)
    claims: dict[Name, list[Object]] = {}
    for each in after:
        if each["kind"] == NETWORK_KIND and (claimed := new.get(name_of(each))):
            claims.setdefault(_nad(claimed), []).append(each)
    result: list[Change] = []
    for network, wanted in new.items():
        former = old.get(network)
        if former == wanted:
            continue
        others = [each for each in claims[_nad(wanted)] if name_of(each) != network]
        result.append(_change(wanted, live.get(_nad(wanted)), others))
        gone = live.get(_nad(former)) if former and _nad(former) != _nad(wanted) else None
        if former and gone and is_ours(former, gone):
            result.append(Change(name_of(gone), network[1], "delete", before=_text(gone)))
    return result


def _nad(desired: DesiredNAD) -> Name:
    return desired.namespace, desired.name


def _desired(
    objects: Sequence[Object], live: Mapping[Name, Object], how: Rendering
) -> dict[Name, DesiredNAD]:
    try:
        cluster = stated_cluster(objects, how.coordinator)
    except ValidationError as error:
        # It was stored before a rule that it breaks, and the operator tells the networks so.
        reason = "; ".join(map(str, schema_problems(error)))
        cluster = ClusterConfig(how.coordinator, SpiderCoordinatorSpec(), not_ready=reason)
    ipam = how.default_ipam or stated_ipam(objects, how.coordinator)
    result: dict[Name, DesiredNAD] = {}
    for network in (each for each in objects if each["kind"] == NETWORK_KIND):
        try:
            wanted = desired_nad(
                parse(network), cluster, default_ipam=ipam, coordinator_name=how.coordinator
            )
        except InvalidObjectError:
            continue  # one that is not touched, and that the operator refuses already
        if cluster is None:
            wanted = keep_last_known(wanted, live.get(_nad(wanted)))
        result[name_of(network)] = wanted
    return result


def _change(wanted: DesiredNAD, nad: Object | None, others: Sequence[Object]) -> Change:
    name, network = _nad(wanted), str(wanted.owner["name"])
    before, after = _text(nad), _shown(wanted.annotations, wanted.config)
    decision = decide(wanted, nad, others)
    if isinstance(decision, Conflict):
        return Change(name, network, "refuse", before, before, decision.message)
    return Change(name, network, "change" if nad else "create", before, after)


def _text(nad: Object | None) -> str:
    if nad is None:
        return ""
    annotations = {k: v for k, v in annotations_of(nad).items() if not k.startswith(OWN_PREFIX)}
    return _shown(annotations, (nad.get("spec") or {}).get("config") or "")


def _shown(annotations: Mapping[str, str], config: str) -> str:
    try:
        plain = json.dumps(json_text.plain(config), indent=2) if config else "{}"
    except ValueError:
        plain = config
    meta = {"annotations": dict(annotations)} if annotations else {}
    head = yaml.safe_dump({"metadata": meta}, width=2**20) if meta else ""
    return f"{head}config:\n{plain}\n"
