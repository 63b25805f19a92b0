"""The page that `spidercoordinator explain` prints: a drawing of the pod, and what is in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.explanation import Attachment
from spidercoordinator.core.checks.podreport import VETH, Interface, PodReport, Rule
from spidercoordinator.core.status.abridged import abridged

_MAIN: Final = 254
_MOST: Final = 6
"""Destinations that are named beside an interface."""


def page(pod: Object, networks: Sequence[Attachment], report: PodReport | None) -> list[str]:
    """The lines, without the findings."""
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    made = str(status.get("startTime") or "")
    name = f"{meta['namespace']}/{meta['name']}"
    head = f"Pod {name} on node {spec.get('nodeName')}: {status.get('phase')}, made {made}"
    lines = [head, "", *_networks(networks, made)]
    if report is not None:
        lines += ["", *_drawing(report), "", *_routes(report), "", *_rules(report)]
    return lines


def _networks(networks: Sequence[Attachment], made: str) -> Iterator[str]:
    for each in networks:
        place = "first" if each.first else "further"
        text = f"  network {each.namespace}/{each.name} ({place} interface)"
        if each.nad is None:
            yield f"{text}: does not exist"
            continue
        later = bool(made) and each.written > made
        same = "the pod has an earlier one" if later else "the pod was made with it"
        yield f"{text}: revision {each.revision} of {each.written or 'unknown time'}, {same}"
        if section := each.section:
            shown = (
                f"{key}={section[key]}" for key in ("mode", "vethLinkAddress") if section.get(key)
            )
            yield f"    coordinator: {' '.join(shown) or 'as by default'}"


def _drawing(report: PodReport) -> Iterator[str]:
    links = [each for each in report.interfaces if each.name != "lo" and _is_used(each)]
    width = max((len(each.name) for each in links), default=0)
    texts = {each.name: ", ".join(each.addresses) or "no address" for each in links}
    most = max(map(len, texts.values()), default=0)
    yield "  ┌ pod"
    for each in links:
        state = "up  " if each.up else "DOWN"
        line = f"  │ {each.name.ljust(width)}  {state} {texts[each.name].ljust(most)}"
        yield f"{line} ──▶ {_leads_to(each, report)}"
    for redirect in report.redirects:
        where = f"{redirect.table}/{redirect.chain}"
        yield f"  │ {'proxy'.ljust(width)}  ◀── {redirect.kind} by {where} ({redirect.family})"
    yield "  └─────"


def _is_used(link: Interface) -> bool:
    # The kernel's own tunnel devices are in every namespace where their modules are loaded.
    return link.up or bool(link.addresses) or link.name == VETH


def _leads_to(link: Interface, report: PodReport) -> str:
    found = [each.to for each in report.routes if each.dev == link.name]
    names = [
        each if not each.endswith("/0") else "everything else" for each in dict.fromkeys(found)
    ]
    side = "the node: " if link.name == VETH else ""
    return side + abridged(sorted(set(names)), _MOST)


def _routes(report: PodReport) -> Iterator[str]:
    tables: dict[int, list[str]] = defaultdict(list)
    for each in report.routes:
        via = f" via {each.via}" if each.via else ""
        own = "" if each.own else "   (not ours)"
        tables[each.table].append(f"    {each.to}{via} dev {each.dev}{own}")
    for table, lines in sorted(tables.items(), key=lambda item: (item[0] != _MAIN, item[0])):
        yield f"  routes, table {'main' if table == _MAIN else table}"
        yield from lines


def _rules(report: PodReport) -> Iterator[str]:
    yield "  rules"
    yield from (f"    {_rule(each)}" for each in report.rules)
    marks = ", ".join(f"{family} {state}" for family, state in sorted(report.marks.items()))
    yield f"  marks: {marks or 'not seen'}"


def _rule(rule: Rule) -> str:
    mark = f" fwmark {rule.mark:#x}/{rule.mask:#x}" if rule.mask else ""
    own = "" if rule.own else "   (not ours)"
    source = f" from {rule.source}" if rule.source else " from all"
    return f"{rule.family} {rule.priority}:{source}{mark} table {rule.table}{own}"
