import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.urls.path import quote_segment, quoted_path, quoted_root
from antiphon.http.urls.url import decode_path
from tests.helpers.call_counting import count_calls
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "raw, root_path, path, quoted",
    (b"/shops/x%2Fy/a", "/shops/x/y", "/a", "/shops/x%2Fy"),
    (b"/shops/x%2fy/a%2Fb", "/shops/x/y", "/a/b", "/shops/x%2Fy"),
    (b"/shops/x%2Fy", "/shops/x/y", "/", "/shops/x%2Fy"), (b"/shops/x%2Fy/", "/shops/x/y", "/", "/shops/x%2Fy"),
    (b"/shops/x%2F", "/shops/x/", "/", "/shops/x%2F"), (b"/shops/x%2Fy", "/shops/x/y", "", "/shops/x%2Fy"),
    (b"/shops/%C3%A9%20%2Fy/a", "/shops/é /y", "/a", "/shops/%C3%A9%20%2Fy"),
    (b"/shops/x/y%2Fz", "/shops/x", "/y/z", "/shops/x"), (b"/shops/x%2Fy/z", "/shops/x", "/y/z", "/shops/x"),
    (b"/x%2Fy/a", "/a b/x/y", "/a", "/a%20b/x%2Fy"), (b"/x%2Fy/a", "", "/x/y/a", ""),
    (b"/other%2Fpath", "/shops/x/y", "/a", "/shops/x/y"), (b"/shops/x/y", "/shops/x", "/y", "/shops/x"),
    (None, "/shops/x/y", "/a", "/shops/x/y"),
)  # fmt: skip
def test_slashes_that_were_sent_encoded_stay_so(raw, root_path, path, quoted):
    assert quoted_root(root_path, path, raw) == quoted


@rows(
    "raw, path, quoted",
    (b"/a%2Fb", "/a/b", "/a%2Fb"), (b"/root/a%2fb/c", "/a/b/c", "/a%2Fb/c"), (b"/a%2Fb", "/rewritten", "/rewritten"),
    (b"/a%20b", "/a b", "/a%20b"), (b"/%C3%A9%2F%3F", "/é/?", "/%C3%A9%2F%3F"), (None, "/a/b", "/a/b"),
)  # fmt: skip
def test_so_they_do_below_the_root_path(raw, path, quoted):
    assert quoted_path(path, raw) == quoted


texts = st.lists(st.text("a/%2é ", min_size=1, max_size=4), max_size=4)


@given(texts, texts, st.sampled_from(["", "/", "/a b"]))
def test_what_is_quoted_is_what_was_sent(above, below, taken_off):
    sent_root = "".join(f"/{quote_segment(text)}" for text in above)
    sent_path = "".join(f"/{quote_segment(text)}" for text in below) or "/"
    root_path, path = decode_path(sent_root.encode()), decode_path(sent_path.encode())
    quoted = quoted_root(taken_off + root_path, path, (sent_root + sent_path).encode())
    assert decode_path(quoted.encode()) == taken_off + root_path
    assert quoted.endswith(sent_root)
    assert quoted_path(path, (sent_root + sent_path).encode()) == sent_path


def test_the_work_does_not_grow_faster_than_the_path():
    def work(count):
        return count_calls(quoted_root, "/a" * count, "/b", b"/a" * count + b"/%2F")

    assert work(2000) < 11 * work(200)
