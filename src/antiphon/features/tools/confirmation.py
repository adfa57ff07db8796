"""Confirmation of a call by the person who uses the client, which the client asks for (elicitation).

The question ends the request; the client sends the call again, with the answer and a signed state. The state is valid
for ten minutes, for the same caller, tool and arguments, so no answer can be used for another call.
"""

from collections.abc import Mapping
from hashlib import sha256
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.features.tools.protocol import INVALID_PARAMS, MISSING_CAPABILITY, Message, ProtocolError
from antiphon.features.tools.results import failure
from antiphon.request.request import Request
from antiphon.serialization.json import encode_json
from antiphon.serialization.signing import BadSignature, Signer

if TYPE_CHECKING:
    from antiphon.app.application import App

SALT = "confirmation of a tool"
_QUESTION = "confirmation"
_VALID = 600.0
"""Seconds."""
_LONGEST = 200
"""The length of an argument in a question, in characters."""


class Asked(NamedTuple):
    """The result that asks a person, or tells the model that none agreed; or None, and the key of the write."""

    result: dict[str, Any] | None
    key: str = ""


class Confirmation:
    """The questions before calls of one feature."""

    def check(self, app: "App") -> None:
        """Raise RuntimeError for an application that can't sign."""
        app.signer(SALT)

    def ask(self, request: Request, message: Message, question: str, arguments: Mapping[str, Any]) -> Asked:
        """Return the reply to a call that a person has to agree with, or nothing if one has agreed."""
        signer = request.route.app.signer(SALT)
        about = _fingerprint(request, message, arguments)
        given, state = message.params.get("inputResponses"), message.params.get("requestState")
        if state is not None:
            said = given.get(_QUESTION) if isinstance(given, dict) else None
            key = _key(signer, state, about)
            if isinstance(said, dict) and said.get("action") == "accept":
                return Asked(None, key)
            if said is not None:
                return Asked(failure("The person did not agree. Nothing was done."))
        if not can_ask(message):
            return Asked(_unable(message))
        asked = {
            "method": "elicitation/create",
            "params": {
                "mode": "form",
                "message": _filled(question, arguments),
                "requestedSchema": {"type": "object", "properties": {}},
            },
        }
        return Asked(
            {
                "resultType": "input_required",
                "inputRequests": {_QUESTION: asked},
                "requestState": signer.sign([about, token_urlsafe()]),
            }
        )


def _key(signer: Signer, state: object, about: str) -> str:
    """Return the key in the state of a question. Raises ProtocolError if it is not that of this call."""
    try:
        found = signer.unsign(state if isinstance(state, str) else None, _VALID)
    except BadSignature:
        found = None
    if not isinstance(found, list) or found[:1] != [about]:
        raise ProtocolError(INVALID_PARAMS, "params.requestState is not that of this call, or too old: call again")
    return str(found[1])


def _unable(message: Message) -> dict[str, Any]:
    """Return the result for a client that can't ask a person, if its revision can't say so by an error."""
    if message.is_modern:
        needed: dict[str, Any] = {"requiredCapabilities": {"elicitation": {"form": {}}}}
        raise ProtocolError(MISSING_CAPABILITY, "A person has to agree with this call, and nobody can be asked", needed)
    return failure("A person has to agree with this call, and this client can't ask anyone. Nothing was done.")


def can_ask(message: Message) -> bool:
    """True if the client can ask a person, which it says in each request."""
    found = message.capabilities.get("elicitation")
    return isinstance(found, dict) and (not found or "form" in found)


def _fingerprint(request: Request, message: Message, arguments: Mapping[str, Any]) -> str:
    """Return a digest of the caller, the tool and its arguments."""
    caller = [request.head.field("authorization"), request.head.field("cookie"), message.params.get("name")]
    return sha256(encode_json([*caller, dict(sorted(arguments.items()))])).hexdigest()


def _filled(question: str, arguments: Mapping[str, Any]) -> str:
    """Return a question with the values of arguments in place of their names, in one pass: no value adds names."""
    parts = question.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        if brace and name in arguments:
            text = " ".join(str(arguments[name]).split())
            filled.append((text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...") + rest)
        else:
            filled.append("{" + part)
    return "".join(filled)
