"""The alerts: each fires and is silent as promtool finds, and has a page of the docs."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed import prometheus
from tests.chart.helm import CHART, Helm
from tests.cni.test_node_metrics import MOVED_BY as MOVED_BY_NODES
from tests.unit.reconcilers.test_metrics import MOVED_BY

RULES = CHART / "files" / "alerts.yaml"
TESTS = Path(__file__).with_name("alerts.test.yaml")
RUNBOOKS = CHART.parents[1] / "docs" / "runbooks"
SUFFIXES = re.compile(r"_(total|info|count|sum|bucket)$")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in alerts()}


def test_promtool_finds_each_alert_as_expected() -> None:
    promtool = prometheus.ensure() / "promtool"
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(TESTS)]):
        done = subprocess.run([promtool, *command], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_seen_to_fire_and_to_be_silent() -> None:
    seen = Counter(
        (expected["alertname"], bool(expected["exp_alerts"]))
        for each in yaml.safe_load(TESTS.read_text())["tests"]
        for expected in each["alert_rule_test"]
    )
    assert seen.keys() == {(name, fires) for name in ALERTS for fires in (True, False)}


@pytest.mark.parametrize("name", ALERTS)
def test_it_asks_for_metrics_that_there_are(name: str) -> None:
    asked = set(re.findall(r"spidercoordinator_(\w+)", ALERTS[name]["expr"]))
    assert asked
    assert {SUFFIXES.sub("", each) for each in asked} <= MOVED_BY.keys() | MOVED_BY_NODES.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_it_says_how_bad_it_is_and_has_a_page(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert {"summary", "description"} == rule["annotations"].keys()
    assert (RUNBOOKS / f"{name}.md").read_text().startswith(f"# {name}\n")
    assert f"[{name}]({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_no_page_is_of_an_alert_that_is_gone() -> None:
    assert {each.stem for each in RUNBOOKS.glob("*.md")} == {"README", *ALERTS}


@pytest.mark.parametrize(
    ("off", "url", "expected"),
    [
        (set(), "https://runbooks.example/", "https://runbooks.example/{}.md"),
        ({"webhook"}, "", None),
        ({"nodes"}, "", None),
    ],
)
def test_the_chart_makes_a_rule_of_them(
    helm: Helm, off: set[str], url: str, expected: str | None
) -> None:
    values = {
        "metrics": {"prometheusRule": {"enabled": True, "runbookUrl": url, "labels": {"a": "b"}}},
        "operator": {"webhook": {"enabled": "webhook" not in off}},
        "installer": {"metrics": {"enabled": "nodes" not in off}},
    }
    [rule] = [each for each in helm.template(values) if each["kind"] == "PrometheusRule"]
    assert rule["metadata"]["labels"]["a"] == "b"
    groups = {each["name"].partition(".")[2]: each["rules"] for each in rule["spec"]["groups"]}
    assert groups.keys() == {"cluster", "operator", "nodes", "webhook"} - off
    made = {each["alert"]: each for rules in groups.values() for each in rules}
    for name, each in made.items():
        assert each["annotations"].pop("runbook_url", None) == (expected and expected.format(name))
        assert each == ALERTS[name]
    left_out = {"Webhook" if "Webhook" in name else "Node" for name in ALERTS if name not in made}
    assert left_out == {{"webhook": "Webhook", "nodes": "Node"}[each] for each in off}


def test_there_is_none_unless_it_is_asked_for(helm: Helm) -> None:
    assert "PrometheusRule" not in {each["kind"] for each in helm.template()}
