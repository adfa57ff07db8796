"""Requests to an original and to its dialect in this process, which are compared as by `antiphon compare`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from antiphon.cli.compare import IGNORED, Case, Outcome, differences
from antiphon.cli.compare_program import Visitor
from antiphon.testing import Client
from antiphon.testing.servers.transports import Interface

Asked = str | tuple[str, Mapping[str, Any]]
"""A target, or one with the rest of a request: ``method``, ``headers``, ``body``, ``environ``."""


def case_of(asked: Asked) -> Case:
    target, options = (asked, {}) if isinstance(asked, str) else asked
    return Case(
        method=options.get("method", "GET"),
        target=target,
        fields=[[name, value] for name, value in options.get("headers", {}).items()],
        body=options.get("body", b"").decode("latin-1"),
        environ=options.get("environ", {}),
    )


def answers(app: Any, requests: Iterable[Asked]) -> list[Any]:
    visitor = Visitor(app)
    return [visitor.send(case_of(each)) for each in requests]


def answers_over(app: Any, interface: Interface, requests: Iterable[Asked]) -> list[Any]:
    """The responses of an application of Antiphon to one visitor, over any interface."""
    with Client(app, interface, follow_redirects=False, raise_errors=False) as client:
        return [_sent_by(client, case_of(each)) for each in requests]


def _sent_by(client: Client, case: Case) -> Outcome:
    headers, body = dict(case["fields"]), case["body"].encode("latin-1")
    response = client.request(case["method"], case["target"], headers={"Host": "localhost", **headers}, body=body)
    fields = [[name.lower(), value] for name, value in response.headers.items()]
    return Outcome(status=response.status, fields=fields, body=response.body.decode("latin-1"), raised="")


def as_is(answer: Outcome) -> Outcome:
    return answer


def assert_alike(
    requests: Iterable[Any], theirs: Iterable[Outcome], ours: Iterable[Outcome],
    compared: Callable[[Outcome], Outcome] = as_is, ignored: Collection[str] = IGNORED,
) -> None:  # fmt: skip
    """Fail with each request whose responses differ, once ``compared`` has left out what may differ."""
    found = [
        f"{request}\n{difference}"
        for request, expected, got in zip(requests, theirs, ours, strict=True)
        for difference in differences(compared(expected), compared(got), ignored)
    ]
    assert not found, "\n".join(found)
