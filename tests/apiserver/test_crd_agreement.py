"""The models and the real API server take and refuse the same objects.

SPIDERCOORDINATOR_EXAMPLES sets how many objects a kind is tried with (1,500 unless set, so 3,000
together).
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from spidercoordinator.api.crd import (
    SPIDER_COORDINATOR,
    SPIDER_MULTUS_CONFIG,
    Kind,
    structural_schema,
)
from spidercoordinator.api.kinds import API_VERSION
from spidercoordinator.core.network.validation import schema_problems
from testbed.apiserver import ApiServer
from tests.apiserver.agreement import exists, network_specs, valued

EXAMPLES = int(os.environ.get("SPIDERCOORDINATOR_EXAMPLES", "1500"))
SCHEMAS = {
    kind.name: structural_schema(kind.model) for kind in (SPIDER_COORDINATOR, SPIDER_MULTUS_CONFIG)
}
COORDINATOR_SPECS = valued(SCHEMAS["SpiderCoordinator"]["properties"]["spec"])

Judge = Callable[[Kind, dict[str, Any]], list[str]]
TRIED: Counter[str] = Counter()

thoroughly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.fixture(scope="module")
def judge(server: ApiServer) -> Iterator[Judge]:
    """Asks the API server to create an object without doing it; gives the paths it refuses."""
    host, port = server.url.removeprefix("https://").split(":")
    trust = ssl.create_default_context(cafile=str(server.authority))
    connection = http.client.HTTPSConnection(host, int(port), context=trust, timeout=30)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}

    def ask(kind: Kind, spec: Any) -> list[str]:
        place = "/namespaces/default" if kind.scope == "Namespaced" else ""
        thing = {
            "apiVersion": API_VERSION,
            "kind": kind.name,
            "metadata": {"name": "a"},
            "spec": spec,
        }
        path = f"/apis/{API_VERSION}{place}/{kind.plural}?dryRun=All"
        connection.request("POST", path, json.dumps(thing), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if answer.status == http.HTTPStatus.CREATED:
            return []
        causes = (content.get("details") or {}).get("causes") or ()
        # "<nil>" says that rules were not looked at, because something else is wrong already.
        return [cause["field"] for cause in causes if cause["field"] != "<nil>"] or ["spec"]

    yield ask
    connection.close()


def model_refuses(kind: Kind, spec: Any) -> list[str]:
    try:
        kind.model.model_validate({"spec": spec})
    except ValidationError as error:
        return [problem.field for problem in schema_problems(error)]
    return []


def agree(kind: Kind, spec: Any, judge: Judge) -> None:
    ours, theirs = model_refuses(kind, spec), judge(kind, spec)
    verdict = "refused" if theirs else "taken"
    event(verdict)
    TRIED[f"{kind.name} {verdict}"] += 1
    assert bool(ours) == bool(theirs), f"the model refuses {ours}, the API server {theirs}"
    nowhere = [path for path in (*ours, *theirs) if not exists(path, SCHEMAS[kind.name])]
    assert nowhere == []


@given(spec=COORDINATOR_SPECS)
@thoroughly
def test_coordinator(judge: Judge, spec: Any) -> None:
    agree(SPIDER_COORDINATOR, spec, judge)


@given(spec=st.one_of(network_specs(), network_specs()))
@thoroughly
def test_network(judge: Judge, spec: Any) -> None:
    agree(SPIDER_MULTUS_CONFIG, spec, judge)


def test_enough_was_tried_of_either_verdict() -> None:
    """Otherwise the agreement above would say little."""
    for kind in (SPIDER_COORDINATOR, SPIDER_MULTUS_CONFIG):
        for verdict in ("taken", "refused"):
            assert TRIED[f"{kind.name} {verdict}"] > EXAMPLES // 10, TRIED
