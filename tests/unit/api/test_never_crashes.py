"""Whatever is stored, reading it ends in a network or in one clear refusal."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.api.multus import NETWORK_OF
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.checks.diagnosis import Snapshot, diagnose
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.validation import parse
from spidercoordinator.errors import InvalidObjectError

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["master", "bond", "vlanID", "trunk", "x"]), inner)
    ),
    max_leaves=8,
)
FIELDS = (*NETWORK_OF.values(), "cniType", "customCNI", "coordinator", "ipam", "chainCNIJsonData")
SPECS = st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON
PLUGINS = st.fixed_dictionaries({"plugins": JSON | st.lists(st.fixed_dictionaries({"type": JSON}))})
ANNOTATIONS = st.dictionaries(
    st.sampled_from(["multus.spidernet.io/cr-name", "multus.spidernet.io/cni-version"]), st.text()
)


def read(spec: Any, annotations: dict[str, str]) -> str | InvalidObjectError:
    """The configuration made from an object, or why there is none."""
    meta = {"name": "a", "namespace": "b", "uid": "1", "annotations": annotations}
    try:
        config = parse({"metadata": meta, "spec": spec})
    except InvalidObjectError as error:
        return error
    return desired_nad(
        config, None, default_ipam={"type": "dhcp"}, coordinator_name="default"
    ).config


@given(spec=SPECS, annotations=ANNOTATIONS)
def test_any_object(spec: Any, annotations: dict[str, str]) -> None:
    outcome = read(spec, annotations)
    if isinstance(outcome, InvalidObjectError):
        assert str(outcome)
        assert outcome.field


@given(spec=SPECS, old=SPECS, annotations=ANNOTATIONS)
def test_any_object_is_reviewed(spec: Any, old: Any, annotations: dict[str, str]) -> None:
    meta = {"name": "a", "namespace": "b", "uid": "1", "annotations": annotations}
    new, before = {"metadata": meta, "spec": spec}, {"metadata": meta, "spec": old}
    for each in (None, before):
        review = review_network(new, each, rivals=[before], nad=None)
        assert all(str(problem) for problem in review.refusals)
    # What was there before stands in nobody's way.
    assert review_network(new, new, rivals=[before], nad=None).refusals == ()


@given(config=st.text() | JSON.map(str) | JSON.map(json.dumps) | PLUGINS.map(json.dumps))
def test_the_doctor_reads_any_nad(config: str) -> None:
    nad = {"metadata": {"name": "a", "namespace": "b"}, "spec": {"config": config}}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    snapshot = Snapshot("default", coordinators=[], networks=[], nads=[nad], now=now)
    for found in diagnose(snapshot):
        assert found.what


@given(
    text=st.text() | JSON.map(str) | st.builds('{{"type":"{}"}}'.format, st.text("ab", min_size=1))
)
def test_any_text(text: str) -> None:
    spec = {"cniType": "macvlan", "macvlan": {"master": ["a"]}, "chainCNIJsonData": [text]}
    outcome = read(spec, {})
    if isinstance(outcome, InvalidObjectError):
        assert outcome.field == "spec.chainCNIJsonData[0]"
    else:
        assert text in outcome
