"""Slashes that were sent encoded, from the path as it was sent to the segments in which they hide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.app.mount import MountedHead
from antiphon.http.head import DerivedHead, RequestHead
from antiphon.http.urls.path import hidden_segments, quote_segment
from antiphon.http.urls.url import decode_path
from antiphon.routing.converters import CONVERTERS
from antiphon.routing.router import Prefixes
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def sent(raw, root_path=""):
    path = decode_path(raw.encode()).removeprefix(root_path)
    return RequestHead(path=path, root_path=root_path, raw_path=raw.encode())


@rows(
    "raw, root_path, segments",
    ("/a%2Fb", "", ["", "a/b"]), ("/a%2fb/c%2F", "", ["", "a/b", "c/"]), ("/%2F/%2F", "", ["", "/", "/"]),
    ("/caf%C3%A9/x%2Fy", "", ["", "café", "x/y"]), ("/r%2Ft/a%2Fb", "/r/t", ["", "a/b"]),
    ("/r%2Ft/a/b", "/r/t", None), ("/a/b", "", None), ("/a%20b/c", "", None), ("/%2F", "", ["", "/"]),
)  # fmt: skip
def test_hidden_slashes_stay_in_their_segments(raw, root_path, segments):
    assert hidden_segments(sent(raw, root_path)) == segments


def test_what_was_sent_counts_for_the_path_that_was_sent_alone():
    assert hidden_segments(RequestHead(path="/a/b")) is None
    rewritten = DerivedHead(sent("/a%2Fb"))
    rewritten.path = "/other/path"
    assert hidden_segments(rewritten) is None


texts = st.text(min_size=1, max_size=5) | st.text("a/%2F. ", min_size=1, max_size=5)
paths = st.lists(texts.filter(lambda text: "\0" not in text), min_size=1, max_size=6)


@given(paths, st.integers(0, 3))
def test_a_path_is_parted_at_its_prefix_whatever_hides_in_its_segments(parts, depth):
    depth = min(depth, len(parts))
    names = [f"p{at}" for at in range(depth)]
    made = Prefixes(CONVERTERS)
    made.add("".join(f"/<{name}>" for name in names), None, "found")
    head = sent("/" + "/".join(map(quote_segment, parts)))
    segments = hidden_segments(head)
    below = made.find(head.path, "", segments)
    assert (below.found, below.params) == ("found", dict(zip(names, parts, strict=False)))
    inner = MountedHead(head, depth, segments=segments)
    assert inner.root_path == "".join(f"/{part}" for part in parts[:depth])
    assert inner.path == "/" + "/".join(parts[depth:])
    assert hidden_segments(inner) in (None, ["", *parts[depth:]])
