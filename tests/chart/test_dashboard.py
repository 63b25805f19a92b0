"""The dashboard: the chart makes a ConfigMap of it, and it asks for what there is."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from testbed import prometheus
from tests.chart.helm import Helm, pick
from tests.cni.test_node_metrics import MOVED_BY as MOVED_BY_NODES
from tests.panels import ASKED, DASHBOARD, OF_BUGS
from tests.unit.reconcilers.test_metrics import MOVED_BY
from tools.dashboard.reading import with_values

SUFFIXES: Final = re.compile(r"_(total|info|count|sum|bucket)$")
VARIABLES: Final = {"namespace": "spiderpool", "job": "operator", "__rate_interval": "1m"}


def metrics(expr: str) -> set[str]:
    return {SUFFIXES.sub("", each) for each in re.findall(r"spidercoordinator_(\w+)", expr)}


def test_it_shows_every_metric_and_no_other() -> None:
    assert set().union(*(metrics(each.expr) for each in ASKED)) == (
        MOVED_BY.keys() | MOVED_BY_NODES.keys()
    )


def test_each_query_follows_the_variables() -> None:
    for each in ASKED:
        selectors = re.findall(r"((?:spidercoordinator|process)_\w+)\{([^}]*)\}", each.expr)
        named = re.findall(r"(?:spidercoordinator|process)_\w+", each.expr)
        assert [name for name, _ in selectors] == named, each
        for name, inside in selectors:
            # Another job scrapes the nodes than the one that is chosen.
            of_nodes = metrics(name) and metrics(name) <= MOVED_BY_NODES.keys()
            wanted = ["$namespace"] if of_nodes else ["$namespace", "$job"]
            assert re.findall(r'=~"(\$\w+)"', inside) == wanted, each


def test_panels_have_places_of_their_own() -> None:
    panels = json.loads(DASHBOARD)["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for place in (each["gridPos"] for each in panels):
        cells = set(
            itertools.product(
                range(place["x"], place["x"] + place["w"]),
                range(place["y"], place["y"] + place["h"]),
            )
        )
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_promtool_reads_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": with_values(each.expr, VARIABLES)}
        for number, each in enumerate(ASKED)
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    promtool("check", "rules", file)


def promtool(*arguments: str | Path) -> None:
    command = [prometheus.ensure() / "promtool", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


SERIES: Final = {
    "resync_repairs": 'spidercoordinator_resync_repairs_total{kind="ConfigMap",pod="a",%s}',
    "unexpected_errors": 'spidercoordinator_unexpected_errors_total{place="review",pod="a",%s}',
}
SHOWN: Final = {
    "resync_repairs": '{kind="ConfigMap",pod="a"}',
    "unexpected_errors": '{place="review",pod="a"}',
}


@pytest.mark.parametrize("metric", SERIES)
def test_bugs_show_from_the_first_one_on(metric: str, tmp_path: Path) -> None:
    [asked] = [each for each in ASKED if metric in each.expr]
    ours, theirs = 'namespace="spiderpool",job="operator"', 'namespace="other",job="operator"'

    def expected(at: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
        expr = with_values(asked.expr, VARIABLES)
        return {"expr": expr, "eval_time": at, "exp_samples": samples}

    test = {
        "interval": "1m",
        "input_series": [
            # Not there until it happens, as a counter with labels is.
            {"series": SERIES[metric] % ours, "values": "_x4 1 3"},
            {"series": SERIES[metric] % theirs, "values": "7x6"},
        ],
        "promql_expr_test": [
            expected("3m", []),
            expected("4m", [{"labels": SHOWN[metric], "value": 1}]),
            expected("5m", [{"labels": SHOWN[metric], "value": 3}]),
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    promtool("test", "rules", file)


def test_only_these_have_no_data_in_a_healthy_cluster() -> None:
    assert {each.panel for each in ASKED if OF_BUGS.search(each.expr)} == {"Bugs met"}


@pytest.mark.parametrize(
    ("values", "namespace", "label"),
    [
        ({}, "default", ("grafana_dashboard", "1")),
        (
            {"namespace": "grafana", "labels": {"grafana_dashboard": None, "a": "b"}},
            "grafana",
            ("a", "b"),
        ),
    ],
)
def test_the_chart_makes_a_config_map_of_it(
    helm: Helm, values: dict[str, Any], namespace: str, label: tuple[str, str]
) -> None:
    folder = {"grafana_folder": "Network"}
    given = {"metrics": {"dashboard": {"enabled": True, "annotations": folder, **values}}}
    made = pick(helm.template(given), "ConfigMap", "-dashboard")
    assert made["metadata"]["namespace"] == namespace
    assert made["metadata"]["labels"].items() >= {label}
    assert ("grafana_dashboard" in made["metadata"]["labels"]) is (label[0] == "grafana_dashboard")
    assert made["metadata"]["annotations"] == folder
    assert made["data"] == {"test-spidercoordinator.json": DASHBOARD}


def test_there_is_none_unless_it_is_asked_for(helm: Helm) -> None:
    names = [each["metadata"]["name"] for each in helm.template()]
    assert [each for each in names if each.endswith("-dashboard")] == []


def test_every_panel_says_what_it_shows() -> None:
    for panel in json.loads(DASHBOARD)["panels"]:
        assert panel["type"] == "row" or panel["description"].endswith("."), panel["title"]


def test_titles_are_there_once() -> None:
    titles = [each["title"] for each in json.loads(DASHBOARD)["panels"] if each["type"] != "row"]
    assert len(set(titles)) == len(titles)
