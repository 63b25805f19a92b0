"""CNI configurations with values of every type in the places that rules look at."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.compatibility import network_warnings, subject_of
from spidercoordinator.core.network.drift import lost_edits
from spidercoordinator.core.network.validation import parse
from spidercoordinator.errors import InvalidObjectError

VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "none", "0.2.0", "1.0.0", "coordinator", "macvlan", "tuning"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "type"]), inner, max_size=2)
    ),
    max_leaves=4,
)
KEYS = ("cniVersion", "ipam", "mac", "mode", "VETHLINKADDRESS", "vethMTU", "hijackCIDR")
PLUGINS = st.fixed_dictionaries(
    {"type": st.sampled_from(["coordinator", "macvlan", "tuning", "x"])},
    optional=dict.fromkeys(
        ("cniVersion", "ipam", "mac", "mode", "VETHLINKADDRESS", "vethMTU", "hijackCIDR"), VALUES
    ),
)
LISTS = st.fixed_dictionaries(
    {"plugins": st.lists(PLUGINS, max_size=3) | VALUES}, optional={"cniVersion": VALUES}
)
DIGITS = "9" * 5_000
LONG = (
    f'{{"cniVersion":{DIGITS},"plugins":[{{"type":"macvlan","ipam":{{"type":"x"}}}},'
    f'{{"type":"coordinator","mac":{DIGITS},"vethMTU":{DIGITS}}}]}}'
)


def network(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "odd", "namespace": "ns", "uid": "u"}, "spec": spec}


def judge(spec: dict[str, Any]) -> list[str]:
    return [str(each) for each in network_warnings(subject_of(parse(network(spec)).spec, None))]


@given(content=PLUGINS | LISTS | VALUES)
def test_any_custom_configuration_is_invalid_or_judged(content: Any) -> None:
    with suppress(InvalidObjectError):
        judge({"cniType": "custom", "customCNI": json.dumps(content)})


@given(content=PLUGINS | VALUES)
def test_any_chained_plugin_is_invalid_or_judged(content: Any) -> None:
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
    with suppress(InvalidObjectError):
        judge({**spec, "chainCNIJsonData": [json.dumps(content)]})


@given(desired=PLUGINS, found=PLUGINS | LISTS | VALUES)
def test_any_edit_of_a_nad_is_told_in_a_bounded_text(desired: Any, found: Any) -> None:
    body = {"metadata": {"annotations": {}}, "spec": {"config": json.dumps(desired)}}
    edited = {"metadata": {}, "spec": {"config": json.dumps(found)}}
    lost = lost_edits(body, edited)
    assert bool(lost) == (json.dumps(desired) != json.dumps(found))
    assert len(lost) < 1000


@pytest.mark.parametrize("config", [LONG, None, 5, "[" * 5_000, '{"a":' * 5_000])
def test_a_configuration_that_python_does_not_read_is_told_as_a_whole(config: Any) -> None:
    body = {"metadata": {"annotations": {}}, "spec": {"config": '{"type":"macvlan"}'}}
    assert lost_edits(body, {"metadata": {}, "spec": {"config": config}}).startswith("spec.config")


def test_numbers_that_python_does_not_convert_are_judged() -> None:
    version, settings = judge({"cniType": "custom", "customCNI": LONG})
    assert "cniVersion" in version
    assert "vethMTU" in settings
