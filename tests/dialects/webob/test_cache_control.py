"""Cache-Control as WebOb has it: attributes that write themselves back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webob import cachecontrol as original

from antiphon.dialects.webob import cachecontrol as dialect
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

DIRECTIVES = [
    "max-age=60", "max-age", "no-cache", 'no-cache="set-cookie"', "no-store", "private", "private=x", "public",
    "max-stale", "max-stale=5", "min-fresh=1", "only-if-cached", "s-maxage=3", "stale-if-error=9", "no-transform",
    "must-revalidate", "proxy-revalidate", "stale-while-revalidate=8", "x-y=z",
]  # fmt: skip
NAMES = [
    name
    for name in dir(original.CacheControl)
    if isinstance(getattr(original.CacheControl, name), original.exists_property | original.value_property)
]
values = st.sampled_from([None, True, False, 0, 5, "x", "a b", "Set-Cookie"])


@given(
    st.lists(st.sampled_from(DIRECTIVES), unique_by=lambda text: text.partition("=")[0]).map(", ".join),
    st.sampled_from(["request", "response", None]),
    st.lists(st.tuples(st.sampled_from(NAMES), values, st.booleans()), max_size=3),
)
def test_reads_and_writes_as_the_original(header, kind, changes):
    reports = [], []
    pair = [
        library.CacheControl.parse(header, updates_to=lambda cc, told=told: told.append(str(cc)), type=kind)
        for library, told in zip((original, dialect), reports, strict=True)
    ]
    reports[0].clear()  # the original reports what it reads, too
    for name, value, is_deleted in changes:
        change = (lambda cc, n=name: delattr(cc, n)) if is_deleted else (lambda cc, n=name, v=value: setattr(cc, n, v))
        if not (is_deleted and isinstance(getattr(original.CacheControl, name), original.exists_property)):
            same(*[outcome(change, cc) for cc in pair])
    for look in [
        str,
        repr,
        lambda cc: [getattr(cc, name) for name in NAMES],
        lambda cc: str(cc.copy()),
        lambda cc: dict(cc.properties),
    ]:
        same(*[outcome(look, cc) for cc in pair])
    assert reports[0] == reports[1]


@rows(
    "header, printed",
    (None, ""), ("", ""),
    ("MAX-AGE=5, Max-Age=6", "max-age=5"),  # the first counts, in any case (RFC 9111 §4.2.1)
    ("max-age=x", "max-age=x"), ('a="b,c"', 'a="b,c"'), ("max-age=" + "9" * 5000, "max-age=" + "9" * 5000),
    ("(, max-age=1", "max-age=1"),
)  # fmt: skip
def test_reading_never_raises(header, printed):
    assert str(dialect.CacheControl.parse(header)) == printed


def test_prints_what_can_stand_in_a_header():
    assert dialect.serialize_cache_control({"a": 'b "c"', "d": None, "e": 1}) == 'a="b \\"c\\"", d, e=1'
    assert dialect.serialize_cache_control(dialect.CacheControl({"d": None}, "request")) == "d"
    with pytest.raises(ValueError, match="a Cache-Control header"):
        dialect.serialize_cache_control({"a\r\nSet-Cookie: b": None})
    with pytest.raises(ValueError, match="control characters"):
        dialect.serialize_cache_control({"a": "b\r\nSet-Cookie: c=d"})
