"""Whatever the objects of others hold, every source and detector reports, and names what it cannot.

They are found by looking, so that a new one is covered.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.discovery.informers import Signals, SourceInformers, update_observation
from spidercoordinator.discovery.mesh import ISTIO
from spidercoordinator.discovery.nodereports import installer_pods
from spidercoordinator.discovery.source import Observation, WatchedObjects
from spidercoordinator.discovery.sources import detectors, sources
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.reflector import Replaced, Updated
from spidercoordinator.runtime.settings import Settings
from tests.unit.discovery.observing import listed

SETTINGS = Settings()
SOURCES = sources(SETTINGS.cilium_configmap, SETTINGS.agent_namespaces)
DETECTORS = detectors(SETTINGS.cilium_configmap, SETTINGS.agent_namespaces)
WATCHED = {
    watched.title: watched
    for watched in (
        *(watched for source in SOURCES for watched in source.watched),
        *(watched for detector in DETECTORS for watched in detector.watched),
        ISTIO,
        installer_pods("spiderpool", "app=installer"),
    )
}

ODD_TEXTS = st.sampled_from(
    [
        "",
        "null",
        "10.0.0.0",
        "10.0.0.0/8,fd00::/64",
        "::/0",
        "1" * 5000,
        "2001-99-99",
        "networking: &a\n  podSubnet: *a",
        "networking: {podSubnet: " + "9" * 5000 + "}",
        "[" * 2000,
        "{" * 2000,
        "? {a: b}\n: c",
        "!!python/object:os.system x",
        '"\\ud800"',
        "\x00",
        "'",
        "--cluster-cidr=10.0.0.0/16 'unclosed",
        "--cluster-cidr",
    ]
)
WORDS = """spec status data metadata labels annotations podCIDR podCIDRs cidr cidrs ipv4 ipv6 ipam
pools allocated eni enis azure interfaces subnet alibaba-cloud vswitch containers command args
component allocations disabled allowedUses ClusterConfiguration networking podSubnet
desiredNumberScheduled numberReady observedGeneration initContainerStatuses state terminated message
nodeName cni-chaining-mode cluster-pool-ipv4-cidr name deletionTimestamp"""
KEYS = st.sampled_from(WORDS.split())
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def informers(crashes: CrashHandler | None = None) -> SourceInformers:
    def ignore(*_: Any) -> None:
        pass

    signals = Signals(ignore, ignore, ignore, ignore, ignore)
    nobody: Any = None
    return SourceInformers(nobody, SOURCES, DETECTORS, signals, crashes or CrashHandler())


PARTS = st.fixed_dictionaries({}, optional={"spec": JSON, "status": JSON, "data": JSON})


@pytest.mark.parametrize("title", WATCHED)
@given(parts=PARTS)
def test_any_object_leaves_reports_and_is_named_where_it_cannot_be_read(
    title: str, parts: dict[str, Any]
) -> None:
    made, watched = informers(), WATCHED[title]
    observed = made.observations.setdefault(title, Observation())
    odd = {**parts, "metadata": {"name": "odd", "namespace": "ns"}}
    update_observation(watched, observed, Replaced([watched.read(odd)]))
    update_observation(watched, observed, Updated(odd))
    kind = watched.selection.resources[0].kind
    for reason in observed.unreadable.values():
        assert reason.startswith(f"{kind} ns/odd cannot be understood")
    assert observed.unread(watched) == observed.unreadable.get("ns/odd", "")
    for source, report in zip(SOURCES, made.reports(), strict=True):
        if source.watched == (watched,) and observed.unreadable:
            assert report.unread == observed.unread(watched)
    assert len(made.plugins()) == len(DETECTORS)


@pytest.mark.parametrize("title", [name for name, each in WATCHED.items() if each.selection.parts])
@given(parts=PARTS)
def test_what_is_not_parsed_of_an_object_is_not_read(title: str, parts: dict[str, Any]) -> None:
    watched = WATCHED[title]
    whole = {**parts, "metadata": {"name": "odd", "namespace": "ns", "managedFields": [{}]}}
    [parsed] = listed(watched, [whole])
    assert repr(watched.read(parsed)) == repr(watched.read(json.loads(json.dumps(whole))))


@pytest.mark.parametrize("title", WATCHED)
def test_an_object_that_cannot_be_read_is_unread_and_the_others_are_kept(
    title: str, caplog: pytest.LogCaptureFixture
) -> None:
    def extract(obj: dict[str, Any]) -> str:
        if obj.get("odd"):
            raise RecursionError("maximum recursion depth exceeded")
        return "value"

    watched: WatchedObjects = replace(WATCHED[title], extract=extract)
    observed, counted = Observation(), list[str]()
    crashes = CrashHandler(counted.append)
    good = {"metadata": {"name": "good"}}
    odd = {"metadata": {"name": "odd"}, "odd": True}
    mended = {"metadata": {"name": "odd"}}
    assert update_observation(
        watched, observed, Replaced([watched.read(good), watched.read(odd)]), crashes
    )
    assert observed.entries == {"/good": "value"}
    assert not observed.readable
    assert "odd cannot be understood: RecursionError" in observed.unread(watched)
    assert not update_observation(watched, observed, Updated(odd), crashes)
    # It is unknown, not none: what it said before stays.
    assert update_observation(watched, observed, Updated(mended), crashes)
    assert observed.unread(watched) == ""
    assert observed.entries == {"/good": "value", "/odd": "value"}
    assert update_observation(watched, observed, Updated(odd), crashes)
    assert observed.entries == {"/good": "value", "/odd": "value"}
    assert observed.unread(watched)
    assert update_observation(watched, observed, Replaced([watched.read(good)]), crashes)
    assert observed.unread(watched) == ""
    assert counted == ["source"] * 3
    assert sum("odd" in each.getMessage() for each in caplog.records) == 1


def test_a_source_that_stumbles_gives_what_it_gave_last_as_unread() -> None:
    for source in SOURCES:
        made = informers()
        index = SOURCES.index(source)
        before = made.reports()[index]
        made.observations.clear()
        after = made.reports()[index]
        assert after == replace(before, unread=after.unread)
        assert "cannot be judged: KeyError" in after.unread
        fresh = informers()
        fresh.observations.clear()
        assert isinstance(fresh.reports()[index], SourceReport)
        assert fresh.reports()[index].unread


def test_a_detector_that_stumbles_is_unknown() -> None:
    made = informers()
    made.plugins()
    made.observations.clear()
    for found in made.plugins():
        assert isinstance(found, DetectedPlugin)
        assert found.presence is Presence.UNKNOWN
        assert "cannot be judged" in found.unread
