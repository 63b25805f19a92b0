"""JSON text: numbers and order as written, the same meaning as the standard decoder gives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.render import json_text

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_meaning_is_kept(value: object) -> None:
    text = json.dumps(value)
    assert json.loads(json_text.dumps(json_text.loads(text))) == value


@given(JSON)
def test_text_is_a_fixed_point(value: object) -> None:
    once = json_text.dumps(json_text.loads(json.dumps(value)))
    assert json_text.dumps(json_text.loads(once)) == once


@pytest.mark.parametrize("number", ["0", "-0", "1e2", "0.10", "9007199254740993", "1E-7", "123.0"])
def test_number_is_kept_to_the_letter(number: str) -> None:
    assert json_text.dumps(json_text.loads(f'{{ "b" : [ {number} ] , "a":1}}')) == (
        f'{{"b":[{number}],"a":1}}'
    )


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", "[Infinity]", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_text.loads(text)
