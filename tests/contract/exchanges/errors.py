"""Errors of clients and of the application: each response passes the middleware, and hides what failed inside."""

from collections.abc import Mapping

from tests.contract.exchanges.exchange import FAILED, JSON, NOTHING, Exchange, both, in_json, problem, without_body

_JSON_TYPE = ("Content-Type", JSON)
_WRONG_ORDER = b'{"items": [{"name": 1, "price": "dear"}, {"price": 2}], "note": 3}'
_WRONG_FIELDS = [
    {"pointer": "/items/0/name", "detail": "expected a string, got an integer", "code": "not_a_string"},
    {"pointer": "/items/0/price", "detail": "expected a number, got a string", "code": "not_a_number"},
    {"pointer": "/items/1/name", "detail": "is missing", "code": "missing"},
    {"pointer": "/note", "detail": "expected a string, got an integer", "code": "not_a_string"},
]


def _refused(
    title: str, detail: str, path: str, body: bytes, status: int = 400, members: Mapping[str, object] = NOTHING
) -> list[Exchange]:
    """Return the exchange for a JSON body that is refused."""
    phrase = {400: "Bad Request", 422: "Unprocessable Content"}[status]
    return both(
        title, problem(status, phrase, detail, members=members), f"/{{def}}/{path}", "POST", _JSON_TYPE, body=body
    )


def _not_allowed(method: str, path: str, allowed: str, body: bytes | None = None) -> list[Exchange]:
    detail = f"{method} is not allowed at /{{def}}/{path}; {allowed} are"
    expected = problem(405, "Method Not Allowed", detail, ("allow", allowed))
    return both(f"405 to {method} tells what is allowed", expected, f"/{{def}}/{path}", method, body=body)


EXCHANGES: tuple[Exchange, ...] = (
    *both("404 names the path", problem(404, "Not Found", "There is nothing at /{def}/nowhere."),
          "/{def}/nowhere"),
    *both("404 to POST", problem(404, "Not Found", "There is nothing at /{def}/nowhere."), "/{def}/nowhere",
          "POST", body=b"a body that nobody reads"),
    *both("a number that is none is not found", problem(404, "Not Found", "There is nothing at /{def}/number/4x."),
          "/{def}/number/4x"),
    *_not_allowed("DELETE", "text", "GET, HEAD, OPTIONS"),
    *_not_allowed("POST", "text", "GET, HEAD, OPTIONS", b"a body that nobody reads"),
    *_not_allowed("GET", "echo", "OPTIONS, POST"),
    *both("an error has its status, title, detail, headers and members",
          problem(418, "I'm a teapot", "no coffee here", ("x-tea", "green"), members={"pots": 2}), "/{def}/teapot"),
    *both("a failure says nothing", FAILED, "/{def}/fails"),
    *both("HEAD of a failure", without_body(FAILED), "/{def}/fails", "HEAD"),
    *both("a forgotten return is a failure", FAILED, "/{def}/forgets"),
    *both("an error handler answers", in_json({"out of stock": "tea"}, 409), "/{def}/out-of-stock"),
    *_refused("malformed JSON is 400", "the JSON is malformed: invalid character (byte 6)", "json", b'{"a": x}'),
    *_refused("JSON that ends early is 400", "the JSON ends before it is complete (byte 6)", "json", b'{"a": '),
    *_refused("JSON that is not UTF-8 is 400", "the JSON is not in UTF-8: invalid start byte (byte 2)", "json",
              b'["\xff"]'),
    *_refused("an empty body is no JSON", "the body is empty where JSON was expected", "json", b""),
    *_refused("422 names each field that is wrong", "4 fields are wrong", "order", _WRONG_ORDER, 422,
              {"errors": _WRONG_FIELDS}),
    *both("422 names what a query lacks",
          problem(422, "Unprocessable Content", "1 field of the query is wrong",
                  members={"errors": [{"pointer": "/page", "detail": "is missing", "code": "missing"}]}),
          "/{def}/paging"),
    *both("JSON by another name is 415",
          problem(415, "Unsupported Media Type", "The body must be application/json, not text/plain.",
                  ("accept", "application/json")),
          "/{def}/json", "POST", ("Content-Type", "text/plain"), body=b"{}"),
)  # fmt: skip
