"""Names that other projects import from `werkzeug._internal`, beside Werkzeug's; and what is kept."""

from datetime import UTC, datetime, timedelta, timezone

from werkzeug import _internal as original

from antiphon.dialects._environ.heads import LONGEST_CACHED, cache_short
from antiphon.dialects.werkzeug import _internal as dialect
from antiphon.dialects.werkzeug.test import Client
from antiphon.dialects.werkzeug.testapp import iter_sys_path, test_app
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

MOMENT = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))


@rows(
    "name, value",
        ("_wsgi_encoding_dance", "a"), ("_wsgi_encoding_dance", "\u00fc\u20ac"), ("_wsgi_decoding_dance", "\xc3\xbc"),
        ("_wsgi_decoding_dance", "\xff"), ("_plain_int", " 5 "), ("_plain_int", "-5"), ("_plain_int", "+5"),
        ("_plain_int", "1_0"), ("_plain_int", "\u0663"), ("_dt_as_utc", None), ("_dt_as_utc", MOMENT),
        ("_dt_as_utc", MOMENT.replace(tzinfo=None)), ("_dt_as_utc", MOMENT.astimezone(UTC)), ("_get_environ", {"a": 1}),
        ("_get_environ", 5),
)  # fmt: skip
def test_functions(name, value):
    same(outcome(getattr(original, name), value), outcome(getattr(dialect, name), value))


def test_a_page_shows_the_environ():
    page = Client(test_app).get("/?<b>", headers={"X-Own": "<script>"}).text
    assert "<th>HTTP_X_OWN<td><code>&#x27;&lt;script&gt;&#x27;</code>" in page
    assert "<b>" not in page
    assert all(f"<li>{path}" in page for path, _, _ in iter_sys_path())


def test_a_result_is_kept_unless_the_text_is_long_or_others_came_since():
    computed = []

    @cache_short(2)
    def shout(text):
        computed.append(text)
        return text.upper()

    assert [shout("a"), shout("a"), shout("b"), shout("c"), shout("a")] == ["A", "A", "B", "C", "A"]
    assert computed == ["a", "b", "c", "a"]
    long = "x" * (LONGEST_CACHED + 1)
    assert (shout(long), shout(long)) == (long.upper(), long.upper())
    assert computed[4:] == [long, long]
