"""Limits of rates: how often one caller may ask for a page."""

from urllib.parse import urlencode

import pytest

from antiphon.dialects.asok import RateLimit
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")
LIMITED = {
    "a method of the request": "def render(request):\n    request.rate_limit('2/minute')\n    return 'x'",
    "a decorator": "from antiphon.dialects.asok import rate_limit\n@rate_limit(2, window=30)\n"
    "def render(request): return 'x'",
    "a decorator of async def": "from antiphon.dialects.asok import rate_limit\n@rate_limit('2/h')\n"
    "async def render(request): return 'x'",
}


@pytest.mark.parametrize("kind", LIMITED)
def test_a_page_has_a_limit_of_its_own(serve, interface, kind):
    client = serve({"page.py": LIMITED[kind], "src/pages/other/page.py": LIMITED[kind]}, interface)
    answers = [client.get("/") for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert client.get("/other").status == 200


def test_a_middleware_counts_by_what_its_function_returns(serve, interface):
    limit = RateLimit("1/m", key_func=lambda request: request.args.get("key"), prefix="all")
    client = serve({"page.py": "CONTENT = 'x'"}, interface, lambda app: app.use(limit))
    keys = ["a", "b", "a", "", None, None]
    paths = ["/" if key is None else f"/?key={key}" for key in keys]
    assert [client.get(path).status for path in paths] == [200, 200, 429, 200, 200, 200]


def test_a_prefix_may_be_what_a_client_has_sent(serve, interface):
    page = "def render(request):\n    request.rate_limit('1/m', prefix=request.args['name'])\n    return 'x'"
    client = serve({"page.py": page}, interface)
    for name in ("a", "b@c.example", "\u20ac", "a\r\nset-cookie: b=c", '"', "\\", "x" * 4000):
        path = f"/?{urlencode({'name': name})}"
        answers = [client.get(path) for _ in range(2)]
        assert [each.status for each in answers] == [200, 429]
        assert "set-cookie" not in answers[0].headers
        assert len(answers[0].headers["ratelimit"]) < 200


def test_a_long_prefix_is_not_kept():
    assert len(RateLimit("1/m", prefix="x" * 1_000_000).prefix) == 64


def test_applications_do_not_count_together(serve, interface):
    page = "def render(request):\n    request.rate_limit('1/m')\n    return 'x'"
    assert [serve({"page.py": page}, interface).get("/").status for _ in range(2)] == [200, 200]


def test_the_whole_site_has_a_limit_if_the_settings_say_so(serve, interface):
    client = serve({"page.py": "CONTENT = 'x'"}, interface, lambda app: app.config.update(RATE_LIMIT_PER_MINUTE=1))
    assert [client.get("/").status for _ in range(2)] == [200, 429]


@rows("rate", ["", "many", "0/m", "5", "5/fortnight", "-1/m", "5/m/s", 0])
def test_what_is_no_rate_is_an_error(rate):
    with pytest.raises(ValueError, match="a rate must be text like"):
        RateLimit(rate)
