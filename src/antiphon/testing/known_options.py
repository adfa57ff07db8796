"""The error for an option that no request has, with the word for what was meant."""

from collections.abc import Collection

from antiphon.testing.sent_request import RequestOptions

_ELSEWHERE = {
    "allow_redirects": "'follow_redirects'",
    "args": "'params'",
    "auth": "'headers', with 'authorization'",
    "content": "'body'",
    "data": "'form', or 'body' for bytes",
    "mimetype": "'content_type'",
    "query": "'params'",
    "query_string": "'params'",
}
"""What options of other clients are here."""


def check_options(options: Collection[str], of_client: Collection[str]) -> None:
    """Raise TypeError, with the right word, for an option that no request has. ``of_client`` are the client's own."""
    for name in options:
        if name not in RequestOptions.__optional_keys__:
            raise TypeError(f"a request has no option {name!r}: {_instead(name, of_client)}")


def _instead(name: str, of_client: Collection[str]) -> str:
    from difflib import get_close_matches

    if name in _ELSEWHERE:
        return f"it is {_ELSEWHERE[name]} here"
    known = sorted(RequestOptions.__optional_keys__)
    close = next(iter(get_close_matches(name, [*known, *of_client], 1)), None)
    if close is None:
        return f"it may have {', '.join(known)}"
    return f"is {close!r} meant?" if close in known else f"the client has {close!r}: Client(app, {close}=...)"
