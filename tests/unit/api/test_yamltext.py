"""What is no YAML is told in one line, whoever reads it and whatever PyYAML raises."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from spidercoordinator.api.yamltext import parse, parse_all
from spidercoordinator.cli.manifests import parse as parse_manifests
from spidercoordinator.core.checks.datapath import ClusterComponents, known_conflicts
from spidercoordinator.discovery.kubeadm import read_kubeadm_config
from spidercoordinator.discovery.shapes import parse_yaml
from spidercoordinator.errors import LoginError
from spidercoordinator.kube.login import Login

SCALARS: Final = [
    pytest.param("a: 2026-13-01", "month must be in 1..12", id="a month that is none"),
    pytest.param("a: 2026-02-30", "day ", id="a day that is none"),
    pytest.param("a: 0x_", "invalid literal for int()", id="a number without digits"),
    pytest.param("a: 1" + ":1" * 200 + ".0", "too large", id="a number that is too large"),
]
"""Errors of Python's types, which say no place; manifests are read without numbers to base 60."""
ALWAYS: Final = [
    pytest.param("{a: [}", "line 1, column 6: while parsing a flow node, expected", id="open"),
    pytest.param("a:\n\tb: 1", "line 2, column 1: while scanning", id="tab"),
    pytest.param("a: \x00", "unacceptable character", id="no character of YAML"),
    pytest.param("a: *y", "undefined alias", id="alias of nothing"),
    pytest.param("a: !mine b", "line 1, column 4: could not determine a constructor", id="tag"),
    pytest.param("? {a: b}\n: c", "found unhashable key", id="key that is no text"),
    pytest.param("a: !!int x", "invalid literal for int()", id="int"),
    pytest.param("a: !!int ''", "a value does not fit its tag", id="empty int"),
    pytest.param("a: !!bool x", "a value does not fit its tag", id="bool"),
    pytest.param("a: !!timestamp x", "a value does not fit its tag", id="timestamp"),
    pytest.param("[" * 3000, "it is nested too deeply", id="very deep"),
]
TEXTS: Final = [*ALWAYS, *SCALARS]


@pytest.fixture(autouse=True)
def _pythons_own_depth() -> Iterator[None]:
    """The commands raise the limit of their process, which other tests run in this one."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


def one_line(text: str) -> bool:
    return bool(text.strip()) and "\n" not in text and "object at 0x" not in text


@pytest.mark.parametrize(("text", "why"), TEXTS)
def test_what_is_no_yaml_is_told_in_one_line(text: str, why: str) -> None:
    for reader in (parse, parse_all):
        with pytest.raises(ValueError, match=r".") as raised:
            reader(text)
        assert why in str(raised.value)
        assert one_line(str(raised.value))


def test_a_second_document_is_refused_where_one_is_wanted() -> None:
    assert parse_all("a: 1\n---\nb: 2") == [{"a": 1}, {"b": 2}]
    with pytest.raises(ValueError, match=r"^line 2, column 1: expected a single document"):
        parse("a: 1\n---\nb: 2")


@pytest.mark.parametrize(("text", "why"), TEXTS)
def test_a_source_of_cidrs_says_so(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^is no YAML: ") as raised:
        parse_yaml(text)
    assert why in str(raised.value)


@pytest.mark.parametrize(("text", "why"), TEXTS)
def test_kubeadm_config_says_so(text: str, why: str) -> None:
    missing = read_kubeadm_config({"data": {"ClusterConfiguration": text}}).missing
    assert "ClusterConfiguration of ConfigMap kube-system/kubeadm-config is no YAML: " in missing
    assert why in missing
    assert one_line(missing)


@pytest.mark.parametrize(("text", "why"), ALWAYS)
def test_manifests_say_so(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_manifests(text)
    assert why in str(raised.value)


@pytest.mark.parametrize(("text", "why"), TEXTS)
async def test_a_kubeconfig_says_so(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(LoginError) as raised:
        await Login.find({"KUBECONFIG": str(path)})
    assert str(raised.value).startswith(f"cannot log in with kubeconfig {path}: it is no YAML: ")
    assert why in str(raised.value)
    assert one_line(str(raised.value))


@pytest.mark.parametrize(("text", "why"), TEXTS)
def test_the_doctor_says_so_of_kube_proxys_configuration(text: str, why: str) -> None:
    components = ClusterComponents(kube_proxy={"data": {"config.conf": text}})
    (finding,) = known_conflicts(components)
    assert finding.level == "UNSEEN"
    assert finding.value.startswith("config.conf is no YAML: ")
    assert why in finding.value
    assert one_line(finding.line)
