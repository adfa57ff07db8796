"""The head of a request as handlers read it: target, header fields, cookies."""

from tests.contract.exchanges.exchange import Exchange, both, in_json, problem
from tests.contract.wire import AUTHORITY

_HOST, _, _PORT = AUTHORITY.partition(":")


def _about(method: str, query: str = "", escaped: str | None = None) -> dict[str, object]:
    mark = "?" if query else ""
    return {
        "method": method, "path": "/{def}/about", "query": query, "scheme": "http", "host": _HOST, "port": int(_PORT),
        "root_path": "", "http_version": "1.1",
        "url": f"http://{AUTHORITY}/{{def}}/about{mark}{query if escaped is None else escaped}",
        "is_secure": False, "endpoint": "about",
    }  # fmt: skip


def _path(segment: str, name: str) -> list[Exchange]:
    expected = in_json({"name": name, "path": f"/{{def}}/path/{name}"})
    return both(f"the path segment {segment} is decoded", expected, f"/{{def}}/path/{segment}")


def _nowhere(target: str, path: str) -> list[Exchange]:
    """Return the exchange for a target that no server may change."""
    expected = problem(404, "Not Found", f"There is nothing at {path}.")
    return both(f"{target.replace('{def}', '...')} stays what it is", expected, target)


def _field(title: str, sent: str, value: str, elements: list[str]) -> list[Exchange]:
    expected = in_json({"value": value, "elements": elements})
    return both(f"a header {title} arrives", expected, "/{def}/field/x-value", "GET", ("X-Value", sent))


_QUERY = "a=1&a=2&b=%C3%BC+%26&c&=d&e=%zz&f=%FF"
_ARGS = [["a", "1"], ["a", "2"], ["b", "ü &"], ["c", ""], ["", "d"], ["e", "%zz"], ["f", "\ufffd"]]

EXCHANGES: tuple[Exchange, ...] = (
    *both("a request knows its target", in_json(_about("GET")), "/{def}/about"),
    *both(
        "a request knows its query",
        in_json(_about("GET", "a=b%20c&d=/?:@")),
        "/{def}/about?a=b%20c&d=/?:@",
    ),
    *both("a request knows its method", in_json(_about("POST")), "/{def}/about", "POST", body=b"x"),
    *both(
        "a target may be a whole URL (RFC 9112 §3.2.2)",
        in_json(_about("GET", "a=b")),
        f"http://{AUTHORITY}/{{def}}/about?a=b",
    ),
    *both("a request knows its client", in_json({"host": "127.0.0.1", "ip": "127.0.0.1"}), "/{def}/client"),
    *both("a query is decoded", in_json(_ARGS), f"/{{def}}/args?{_QUERY}"),
    *both("a query may be empty", in_json([]), "/{def}/args?"),
    *both("a typed query is converted", in_json({"page": 3, "size": 10}), "/{def}/paging?page=3"),
    *_path("plain", "plain"),
    *_path("Gr%C3%BC%C3%9Fe", "Grüße"),
    *_path("%E2%98%83", "☃"),
    *_path("two%20words", "two words"),
    *_path("a+b", "a+b"),
    *_path("100%25", "100%"),
    *_path("a%3Fb%23c", "a?b#c"),
    *_path("a;b=c,d@e:f", "a;b=c,d@e:f"),
    *_path("%41%7e", "A~"),
    *_nowhere("/{def}/text/", "/{def}/text/"),
    *_nowhere("/{def}//text", "/{def}//text"),
    *_nowhere("/{def}/path/../text", "/{def}/path/../text"),
    *_nowhere("/{def}/path/%2e%2E/text", "/{def}/path/../text"),
    *both("a number in the path is converted", in_json({"number": 42}), "/{def}/number/42"),
    *_field("with a tab inside", "a\tb", "a\tb", ["a\tb"]),
    *_field("with spaces before it", "  a b", "a b", ["a b"]),
    *_field("with quotes", '"a, b", c', '"a, b", c', ['"a, b"', "c"]),
    *_field("of all that is ASCII", "!#$%&'*+-.^_`|~()<>@/[]?={};:\\", "!#$%&'*+-.^_`|~()<>@/[]?={};:\\",
            ["!#$%&'*+-.^_`|~()<>@/[]?={};:\\"]),
    *_field("that is empty", "", "", []),
    *_field("of 4 KiB", "v" * 4096, "v" * 4096, ["v" * 4096]),
    *both(
        "headers of any case are one",
        in_json({"value": "v", "elements": ["v"]}),
        "/{def}/field/X-VALUE",
        "GET",
        ("x-VaLuE", "v"),
    ),
    *both("a header of several lines has all their elements", in_json(["a", "b", "c", '"d, e"']),
          "/{def}/elements/x-value", "GET", ("X-Value", "a"), ("X-Value", "b, c"), ("X-Value", '"d, e"')),
    *both(
        "a header that is absent is null",
        in_json({"value": None, "elements": []}),
        "/{def}/field/x-value",
    ),
    *both(
        "cookies are read",
        in_json([["a", "1"], ["b", "two words"], ["c", "Grüße"], ["a", "2"]]),
        "/{def}/cookies",
        "GET",
        ("Cookie", 'a=1; b="two words"; c="Gr\\303\\274\\303\\237e"; a=2'),
    ),
    *both(
        "what the client prefers is read",
        in_json({"type": "text/html", "language": "de"}, 200, ("vary", "accept, accept-language")),
        "/{def}/accept",
        "GET",
        ("Accept", "text/html, application/json;q=0.5"),
        ("Accept-Language", "fr, en;q=0.1, de-AT;q=0.9"),
    ),
)  # fmt: skip
