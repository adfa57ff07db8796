"""Random values in URLs that a program makes, in sessions, and in the names of callbacks, beside Pyramid."""

from functools import partial
from random import Random
from urllib.parse import quote

import pytest

from antiphon.cli.compare import differences
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, answer, outcome
from tests.helpers.rows import rows

BOTH = [Package(DIALECT), Package(PYRAMID)]
pytestmark = pytest.mark.filterwarnings("ignore")

TEXTS = [
    "", "a", "a b", "\u00fc", "a/b", "..", "//evil.example", "?", "#", "&=", "%2e", "\r\n", "\t", "<b>", '"', "'", "@",
    ":", "a;b", "+", "\u2603", "\\", "*", "$", "~", 7, 1.5, None, True, b"b\xc3\xa4",
]  # fmt: skip


def parts_of(random):
    some = {
        "_query": random.choice(
            [
                {"q": random.choice(TEXTS)},
                [("a", random.choice(TEXTS)), ("a", [1, "\u00fc"])],
                random.choice(["", "a=b c"]),
            ]
        ),
        "_anchor": random.choice(TEXTS),
        "_host": random.choice(["example.org", "example.org:8080", "[::1]:80"]),
        "_port": random.choice(["80", "443", "8080", 81]),
        "_scheme": random.choice(["http", "https"]),
        "_app_url": random.choice(["http://cdn.example", ""]),
    }
    return {name: value for name, value in some.items() if random.random() < 0.25}


def urls(p, seed):
    random = Random(seed)
    with p.configurator() as config:
        patterns = [
            "/a/{x}", "/a/{x}/{y}.html", "/{x:[a-z]+}/*rest", "/\u00fc/{x}", "http://other.example/{x}", "a/{x}/",
        ]  # fmt: skip
        for number, pattern in enumerate(patterns):
            config.add_route(f"r{number}", pattern)
        config.add_static_view("static", "tests.dialects.pyramid:scanned")
        config.commit()
        base = random.choice(["http://example.com", "https://example.com:8443/app", "http://example.com/a%20b"])
        request = p.request.Request.blank("/here?x=1", base_url=base)
        request.registry = config.registry
    found = []
    for _ in range(40):
        name = f"r{random.randrange(7)}"
        values = {"x": random.choice(TEXTS), "y": random.choice(TEXTS)}
        values["rest"] = random.choice([("a", "b c"), "a/b", random.choices(TEXTS, k=2)])
        elements = random.choices(TEXTS[:-4], k=random.randint(0, 2))
        parts = parts_of(random)
        call = partial(getattr(request, random.choice(["route_url", "route_path"])), name, *elements, **values, **parts)
        found.append((name, elements, values, parts, outcome(call)))
        path = f"tests.dialects.pyramid:scanned/{random.choice(['a.txt', 'b c.txt', '../x', '%', 'ü'])}"
        found.append((path, outcome(partial(request.static_url, path, **parts))))
    return found


@rows("seed", range(40))
def test_urls_are_those_of_pyramid(seed):
    ours, theirs = (urls(p, seed) for p in BOTH)
    for found, expected in zip(ours, theirs, strict=True):
        assert found == expected
        assert not set("\r\n") & set(str(found[-1])), found


def step_of(session, random):
    name, queue = random.choice("abc"), random.choice(["", "q"])
    value = random.choice([1, "x", ["y"], {"z": None}, "\u00fc", True])
    return random.choice(
        [
            partial(session.__setitem__, name, value),
            partial(session.__delitem__, name),
            partial(session.pop, name, 5),
            partial(session.setdefault, name, value),
            partial(session.update, {name: value}),
            partial(session.get, name),
            session.clear,
            session.invalidate,
            session.changed,
            partial(session.flash, value, queue, random.choice([True, False])),
            partial(session.pop_flash, queue),
            partial(session.peek_flash, queue),
            lambda: (sorted(map(str, session.items())), name in session, len(session), session.new),
        ]
    )


def steps(p, seed):
    """What a session answers to random calls, and its values over several requests."""
    random = Random(seed)
    factory = p.session.SignedCookieSessionFactory("secret", reissue_time=random.choice([0, None, 1000]))
    cookie, seen = "", []
    for _ in range(random.randint(1, 5)):
        request = p.request.Request.blank("/", headers={"Cookie": cookie})
        session, response = factory(request), p.response.Response()
        seen += [outcome(step_of(session, random)) for _ in range(random.randint(0, 6))]
        request._process_response_callbacks(response)
        line = response.headers.get("Set-Cookie", "")
        seen.append((bool(line), dict(session)))
        cookie = line.partition(";")[0] or cookie
    return seen


@rows("first", range(0, 100, 20))
def test_sessions_answer_as_those_of_pyramid(first):
    for seed in range(first, first + 20):
        ours, theirs = (steps(p, seed) for p in BOTH)
        assert ours == theirs, seed


def test_a_callback_is_a_name_and_nothing_else():
    random, names = (
        Random(56),
        ["a", "$", "_", ".", "[0]", "b1", "(", ")", ";", "\n", "<", "=", "/*", "\u00fc", "\u2028", " "],
    )
    apps = []
    for p in BOTH:
        with p.configurator() as config:
            config.add_renderer("jsonp", p.renderers.JSONP(param_name="c"))
            config.add_view(lambda request: {"a": "</script>\u2028"}, renderer="jsonp")
            apps.append(config.make_wsgi_app())
    for _ in range(600):
        name = "".join(random.choices(names, k=random.randint(0, 4)))
        asked = f"/?c={quote(name)}"
        ours, theirs = (answer(app, asked) for app in apps)
        assert not differences(theirs, ours) or (
            ours["status"] == 400 and not (name[-1:].isascii() and name[-1:].isalnum())
        ), name
