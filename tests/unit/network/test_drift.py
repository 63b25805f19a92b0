"""What an edit lost is named, in so many characters and no more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.drift import lost_edits

CONFIG = {"name": "a", "plugins": [{"type": "macvlan", "mtu": 1500}, {"type": "coordinator"}]}
BODY = {
    "metadata": {
        "annotations": {"team": "blue"},
        "ownerReferences": [{"name": "mine", "uid": "uid-mine"}],
    },
    "spec": {"config": json.dumps(CONFIG)},
}
OWNER = {
    "apiVersion": "spiderpool.spidernet.io/v2beta1",
    "kind": "SpiderMultusConfig",
    "name": "mine",
    "uid": "uid-mine",
    "controller": True,
}


def edited(config: Any = CONFIG, team: str | None = "blue", owner: Any = OWNER) -> dict[str, Any]:
    text = config if isinstance(config, str) else json.dumps(config)
    annotations = {"team": team} if team else {}
    references = [owner] if owner else []
    meta = {"name": "a", "annotations": annotations, "ownerReferences": references}
    return {"metadata": meta, "spec": {"config": text}}


def plugins(*changed: Any) -> dict[str, Any]:
    return CONFIG | {"plugins": list(changed)}


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (
            edited(plugins({"type": "macvlan", "mtu": 9000}, {"type": "coordinator"})),
            "spec.config.plugins[0].mtu (was 9000) is 1500 again",
        ),
        (
            edited(plugins({"type": "macvlan"}, {"type": "coordinator"})),
            "spec.config.plugins[0].mtu (was not there)",
        ),
        (
            edited(CONFIG | {"extra": True}),
            "spec.config.extra (was true) is not there again",
        ),
        (edited(plugins({"type": "sbr"})), 'spec.config.plugins (was [{"type": "sbr"}])'),
        (edited("no json"), "spec.config (was no json)"),
        (edited("[" * 5000), "spec.config (was " + "[" * 48 + "…)"),
        (edited(json.dumps(CONFIG, indent=9)), "spec.config (was {\n"),
        ({**edited(), "spec": {}}, "spec.config (was not there)"),
        (edited(team="red"), "annotation team (was red) is blue again"),
        (edited(team=None), "annotation team (was not there)"),
        (edited(owner=None), "owner reference to SpiderMultusConfig mine (was not there)"),
        (edited(owner=OWNER | {"uid": "other"}), "owner reference"),
    ],
)
def test_each_difference_is_named_with_what_was_lost(before: dict[str, Any], text: str) -> None:
    assert lost_edits(BODY, before).startswith(text)


def test_nothing_is_named_where_nothing_differs() -> None:
    assert lost_edits(BODY, edited()) == ""


def test_a_limit_is_kept() -> None:
    body = {"metadata": {"annotations": {f"a{number}": "1" for number in range(99)}}, **CONFIG_ONLY}
    text = lost_edits(body, edited(team=None))
    assert text.endswith("and more")
    assert text.count("annotation") == 6


CONFIG_ONLY = {"spec": {"config": json.dumps(CONFIG)}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
)


@given(st.dictionaries(st.text(max_size=900), JSON) | st.text())
def test_whatever_the_edit_was_the_text_is_bounded(config: Any) -> None:
    assert len(lost_edits(BODY, edited(config))) < 1024
