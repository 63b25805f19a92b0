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


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("{", "Expecting"),
        ("[1,]", "Expecting value"),
        ("NaN", "NaN is not JSON"),
        ("[Infinity]", "Infinity is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[" * 100_000, "nested more than 100 levels"),
        ("[" * 101 + "]" * 101, "nested more than 100 levels"),
        ('{"a":' * 500 + "1" + "}" * 500, "nested more than 100 levels"),
        ('{"a":{"b":1,"b":2}}', "the key 'b' is there twice"),
        (r'{"a":"\ud800"}', r"\\ud800 is half of a surrogate pair"),
        (r'{"\udc00":1}', r"\\udc00 is half of a surrogate pair"),
    ],
)
def test_what_is_no_json_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        json_text.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100 + "]" * 100,
        # Longer than Python reads as a number, which is a matter of the plugin.
        '{"a":' + "9" * 100_000 + "}",
        '{"a":1e999999}',
        r'{"a":"\ud83d\ude00"}',
        r'{"a":"\u0000"}',
    ],
)
def test_what_is_odd_but_json_is_taken(text: str) -> None:
    json_text.dumps(json_text.loads(text)).encode()
