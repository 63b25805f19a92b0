"""Whatever is stored, reading it ends in a network or in one clear refusal."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.api.multus import NETWORK_OF
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
    return desired_nad(config, None, default_ipam={}, coordinator_name="default").config


@given(spec=SPECS, annotations=ANNOTATIONS)
def test_any_object(spec: Any, annotations: dict[str, str]) -> None:
    outcome = read(spec, annotations)
    if isinstance(outcome, InvalidObjectError):
        assert str(outcome)
        assert outcome.field


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
