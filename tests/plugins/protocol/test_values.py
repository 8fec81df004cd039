"""Property values: nothing is lost between the engine and plain Python, and nothing secret shows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.protocol.values import UNKNOWN, Secret, conceal, decode, encode, redact, reveal, secret_texts

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | inner.map(Secret),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _VALUES))
def test_values_come_back_as_they_went(properties: dict[str, Any]) -> None:
    assert decode(encode(properties)) == properties


def test_whole_numbers_stay_whole_and_others_do_not_round() -> None:
    decoded = decode(encode({"port": 6379, "share": 0.5}))
    assert decoded == {"port": 6379, "share": 0.5}
    assert isinstance(decoded["port"], int)


def test_a_type_that_json_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        encode({"key": b"raw"})


def test_a_secret_is_not_printed() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))


def test_what_was_sent_secret_comes_back_secret() -> None:
    sent = {"env": [{"name": "A", "value": Secret("x")}, {"name": "B", "value": "y"}]}
    back = {"env": [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}], "status": "ok"}
    assert conceal(back, sent) == {**sent, "status": "ok"}


def test_a_list_that_grew_is_secret_as_a_whole() -> None:
    assert conceal({"env": ["x", "y"]}, {"env": [Secret("x")]}) == {"env": Secret(["x", "y"])}


def test_a_secret_text_is_found_wherever_it_turns_up_also_in_base64() -> None:
    sent = {"stringData": {"password": Secret("hunter22")}}
    back = {"data": {"password": "aHVudGVyMjI="}, "note": "password is hunter22!", "other": "plain"}
    assert conceal(back, sent, secret_texts(sent)) == {
        "data": {"password": Secret("aHVudGVyMjI=")},
        "note": Secret("password is hunter22!"),
        "other": "plain",
    }


def test_messages_lose_secrets_longest_first() -> None:
    texts = secret_texts({"a": Secret("hunter22"), "b": Secret("hunter22-long")})
    assert redact("got hunter22-long and hunter22", texts) == "got [secret] and [secret]"


@given(_VALUES)
def test_revealing_leaves_no_mark(value: Any) -> None:
    assert "Secret" not in repr(reveal(value)).replace("'Secret", "")
