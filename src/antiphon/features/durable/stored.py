"""Requests as they are stored, and the responses that their handlers give later, perhaps in another process."""

from contextvars import copy_context
from typing import Any

from antiphon.app.dispatch.dispatch import dispatch
from antiphon.app.dispatch.plan import Plan
from antiphon.app.store import OF_ONE_VISITOR, keep
from antiphon.features.durable.flow import in_thread
from antiphon.handler.contract import finish
from antiphon.handler.drive import driven, run_sync
from antiphon.http.head import Address, RequestHead
from antiphon.request.request import Request
from antiphon.response.response import Response

_NOT_KEPT = OF_ONE_VISITOR | {"date"}


async def response_to(request: Request, plan: Plan) -> dict[str, Any]:
    """Call the handler, where it belongs, and return the response as it is kept."""
    request.head.blocks = not plan.handler.is_async  # type: ignore[misc]  # of a head of our own
    if plan.handler.is_async:
        response = await driven(_respond(plan, request))
    else:
        response = await in_thread(lambda: run_sync(_respond(plan, request), copy_context()))
    return keep(response, _NOT_KEPT)


async def _respond(plan: Plan, request: Request) -> Response:
    """Return the whole response, after the functions that the handler passed to ``after_response``."""
    try:
        response = await dispatch(plan, request)
        return response.freeze() if request.head.blocks else await response.afreeze()
    finally:
        await finish(request)


class _Head(RequestHead):
    """A stored head, which says where its request is handled."""

    blocks: bool


def stored_of(request: Request) -> dict[str, Any]:
    """Return a request as plain values, which the serializer encrypts."""
    head = request.head
    coded = ("content-encoding", "content-length", "transfer-encoding") if request.content.is_decoded else ()
    return {
        "method": head.method,
        "path": head.path,
        "query_string": head.query_string,
        "headers": [each for each in head.fields() if each[0].lower() not in coded],
        "scheme": head.scheme,
        "authority": head.authority,
        "root_path": head.root_path,
        "raw_path": head.raw_path,
        "client": None if head.client is None else tuple(head.client),
        "body": request.body,
    }


def request_of(stored: dict[str, Any]) -> Request:
    """Return a stored request."""
    given = dict(stored)
    body, client = given.pop("body"), given.pop("client")
    return Request(_Head(**given, client=None if client is None else Address(*client)), body)
