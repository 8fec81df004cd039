"""Stop strings over a stream."""

from hypothesis import given
from hypothesis import strategies as st

from chatbot.engine.stopping import StopStrings

letters = st.text("ab", max_size=12)


@given(st.lists(letters), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3))
def test_cutting_the_stream_is_cutting_the_text(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    ends = [whole.index(stop) for stop in stops if stop in whole]
    matcher = StopStrings(tuple(stops))
    shown = ""
    for piece in pieces:
        shown += matcher.feed(piece)
        if matcher.matched:
            break
    shown += "" if matcher.matched else matcher.rest()
    assert matcher.matched == bool(ends)
    # A stop string that ends earlier may begin later than another one: what counts is the one that ends first.
    assert whole.startswith(shown)
    if not ends:
        assert shown == whole
    else:
        assert not any(stop in shown for stop in stops)
