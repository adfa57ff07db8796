"""A tool call as its handler sees it: progress, log messages, and questions to the client's user and model.

A question ends the handling: the handler raises ``NeedsReply``, and the call is handled again with the reply. So
neither ``def`` handlers nor workers wait for people. Replies count only for the question that was asked, word for word.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeVar, cast

from antiphon import Dependency, HTTPError, Request, Response, explained
from antiphon.embedding import TypeDescription, arrivals, encode_json, json_as
from antiphon.features.forms.inputs import inputs_of
from antiphon.features.html import visible
from antiphon.features.tools.arguments import resolved_in
from antiphon.features.tools.protocol import is_able
from antiphon.http import UnprocessableContent

if TYPE_CHECKING:
    from antiphon.features.runs.run import Run

T = TypeVar("T")
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""The severities of log messages (RFC 5424 §6.2.1), the lowest first."""
_LONGEST = 4000
"""The maximum length of a question, in characters. A person could not read more."""
CONFIRMATION = "confirmation"
_DEFS = "#/$defs/"
_PLAIN = ("string", "integer", "number", "boolean")


class Question(NamedTuple):
    """A request to the client that a call needs a reply to."""

    key: str
    method: str
    params: Mapping[str, Any]
    needs: Mapping[str, Any]
    """The client's capabilities without which it can't be asked."""
    note: str = ""
    """The reason for asking again."""

    @property
    def digest(self) -> str:
        """The name under which the reply is kept: another question has another."""
        return sha256(encode_json([self.method, self.params])).hexdigest()[:32]

    @classmethod
    def form(cls, key: str, text: str, schema: Mapping[str, Any]) -> Self:
        """Return a question to a person, who fills in a form."""
        params = {"mode": "form", "message": text, "requestedSchema": schema}
        return cls(key, "elicitation/create", params, {"elicitation": {"form": {}}})

    def as_json(self, *, is_modern: bool = True) -> dict[str, Any]:
        """Return the question as sent. Before 2025-11-25, forms have no mode."""
        params = {name: value for name, value in self.params.items() if is_modern or name != "mode"}
        if self.note:
            params["message"] += f" {self.note}"
        return {"method": self.method, "params": params}


class NotConfirmed(HTTPError):
    """428: a person has not agreed to the call (RFC 6585 §3)."""

    status = 428


class NeedsReply(NotConfirmed):
    """428: the call needs replies first. Called by a plain HTTP client, the error names the questions."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self.questions = {each.digest: each for each in questions}
        asked = "; ".join(each.params.get("message", each.method) for each in self.questions.values())
        super().__init__(f"A tool call must ask first: {asked}")


TOOL_CALL: Dependency["ToolCall"] = Dependency("tool call")


class ToolCall:
    """A call of a tool, for its handler: ``call = ToolCall.of(request)``. Provisional.

    ``ask``, ``sample`` and ``roots`` return the client's reply. While there is none, they raise an error that ends the
    handling. The client is then asked, and the handler is called again from its beginning: ask before you change
    anything. ``meta`` is sent as the ``_meta`` of the result. For other requests to the route, reports are ignored, and
    questions respond with 428.
    """

    def __init__(self) -> None:
        self._capabilities: Mapping[str, Any] = {}
        self._replies: Mapping[str, Any] = {}
        self._send: Callable[[str, dict[str, Any]], None] | None = None
        self._token: str | int | None = None
        self._progress = float("-inf")
        self._lacks: Sequence[Question] = ()
        self._run: Run[Any] | None = None
        self._last_event_id: str | None = None
        self.meta: dict[str, Any] = {}

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return the tool call that a request is."""
        found = next((each[TOOL_CALL] for each in arrivals(request) if TOOL_CALL in each), None)
        if found is not None:
            return cast("Self", found)
        made = cls()
        made._last_event_id = request.last_event_id
        return made

    # Reports

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Report progress to a client that wants it. ``done`` must grow; smaller values are not sent."""
        if self._send is None or self._token is None or done <= self._progress:
            return
        self._progress = done
        more = {"total": total, "message": message}
        given = {name: value for name, value in more.items() if value is not None}
        self._send("notifications/progress", {"progressToken": self._token, "progress": done, **given})

    def log(self, level: str, data: object, *, logger: str | None = None) -> None:
        """Send a log message to a client that wants this level. ``data`` is a JSON value.

        Raises ValueError for a level other than "debug", "info", "notice", "warning", "error",
        "critical", "alert" and "emergency".
        """
        if level not in LEVELS:
            raise explained("bad-tool", f"a level must be one of {', '.join(LEVELS)}, not {level!r}")
        if self._send is not None:
            name = {} if logger is None else {"logger": logger}
            self._send("notifications/message", {"level": level, "data": data, **name})

    def follow(self, run: "Run[Any]") -> Response:
        """Return the response with which a handler hands its call over to a run.

        The run is a task for clients that know tasks, if ``Tools`` has the ``tasks``. Other clients wait for its end,
        with its values as progress. The result is the text of all values or, unless these are text, the last value.
        Other requests to the route follow the run's events.
        """
        self._run = run
        return Response.events(run.follow(self._last_event_id))

    # Questions

    def can(self, capability: Literal["elicitation", "sampling", "roots"]) -> bool:
        """Return True if the client has declared this capability."""
        return is_able(self._capabilities, capability)

    def ask(self, question: str, wanted: type[T], *, name: str = "") -> T | None:
        """Return the values that a person has entered in a form for ``wanted``, a dataclass or other record of text,
        numbers, truth values and choices, as for ``Form``. None means that the person has declined.

        Invalid values are asked for again. ``name`` is the question's name in the protocol. Raises TypeError for a
        record with other fields.
        """
        schema = form_schema(cast("Any", wanted))
        given, asked = self._ask(question, schema, name)
        if given.get("action") != "accept":
            return None
        try:
            return json_as(encode_json(given.get("content") or {}), wanted)
        except HTTPError as error:
            faults = "; ".join(f"{each['pointer']}: {each['detail']}" for each in error.members.get("errors", ()))  # type: ignore[attr-defined]  # a list of FieldProblems
            raise self._lacking(asked._replace(note=f"({faults or error.detail})")) from None

    def confirm(self, question: str) -> bool:
        """Return True if a person has agreed."""
        given, _ = self._ask(question, {"type": "object", "properties": {}}, CONFIRMATION)
        return given.get("action") == "accept"

    def sample(
        self, prompt: str | list[dict[str, Any]], *, max_tokens: int = 1000, name: str = "", **options: object
    ) -> str:
        """Return the text that the client's model writes for a prompt, or for messages in the protocol's form.

        ``options`` are other parameters of the protocol's ``sampling/createMessage``, such as ``systemPrompt``.
        """
        content = {"type": "text", "text": prompt}
        messages = [{"role": "user", "content": content}] if isinstance(prompt, str) else prompt
        params = {"messages": messages, "maxTokens": max_tokens, **options}
        given = self._reply_to(Question(name, "sampling/createMessage", params, {"sampling": {}}))
        parts = given.get("content")
        blocks = parts if isinstance(parts, list) else [parts]
        return "".join(str(each.get("text", "")) for each in blocks if isinstance(each, dict))

    def roots(self, *, name: str = "") -> list[str]:
        """Return the URIs of the folders that the client works with."""
        given = self._reply_to(Question(name, "roots/list", {}, {"roots": {}}))
        found = given.get("roots")
        return [str(each.get("uri")) for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def together(self, *questions: Callable[[], Any]) -> list[Any]:
        """Call several functions that ask, so that the client is asked everything at once. Return the replies."""
        replies, lacking = [], list[Question]()
        for each in questions:
            try:
                replies.append(each())
            except NeedsReply as error:
                lacking += error.questions.values()
        if lacking:
            raise self._lacking(*lacking)
        return replies

    def _ask(self, question: str, schema: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], Question]:
        text = visible(question)
        if len(text) > _LONGEST:
            raise UnprocessableContent(
                f"A person has to agree to this call, and can't read more than {_LONGEST} characters."
            )
        asked = Question.form(name, text, schema)
        return self._reply_to(asked), asked

    def _reply_to(self, asked: Question) -> Mapping[str, Any]:
        given = self._replies.get(asked.digest)
        if not isinstance(given, Mapping):
            raise self._lacking(asked)
        return given

    def _lacking(self, *questions: Question) -> NeedsReply:
        # Not the error, whose traceback would refer to this object.
        self._lacks = [each._replace(key=each.key or each.digest) for each in questions]
        return NeedsReply(self._lacks)


class HandledCall(ToolCall):
    """A tool call while it is handled. ``send`` sends a notification, its method and parameters, from any thread."""

    def __init__(
        self,
        capabilities: Mapping[str, Any],
        replies: Mapping[str, Any],
        send: Callable[[str, dict[str, Any]], None],
        progress_token: str | int | None,
        least: float = float("-inf"),
    ) -> None:
        super().__init__()
        self._capabilities, self._replies, self._send, self._token = capabilities, replies, send, progress_token
        self._progress = least

    @property
    def reported(self) -> float:
        """The last progress, which no later report of the same stream may fall below."""
        return self._progress

    def check(self) -> None:
        """Raise NeedsReply if the handler has ended because of a question."""
        if self._lacks:
            raise NeedsReply(self._lacks)

    def follow(self, run: "Run[Any]") -> Response:
        """Note the run, and return a response that nobody reads."""
        self._run = run
        return Response(None, 204)

    @property
    def run(self) -> "Run[Any] | None":
        """The run to which the handler has handed the call over."""
        return self._run

    def tell(self, line: str) -> None:
        """Report a value of a stream."""
        self.progress(max(self._progress, 0) + 1, message=line)


# Forms


@lru_cache(256)
def form_schema(wanted: Any) -> dict[str, Any]:
    """Return the schema of a form's fields, in the part of JSON Schema that clients can show as inputs.

    Raises TypeError for a record with other fields.
    """
    [schema], components = TypeDescription.schemas_of([wanted], lambda _: {}, _DEFS + "{name}")
    record = resolved_in(schema, components, _DEFS)
    fields = {each.name: each for each in inputs_of(wanted)}
    made = {}
    for name, each in record.get("properties", {}).items():
        made[name] = _field(each, fields[name], components)
        items = made[name].get("items", {})
        is_choice = made[name].get("type") == "array" and bool(items.keys() & {"enum", "anyOf"})
        if made[name].get("type") not in _PLAIN and not is_choice:
            raise explained(
                "bad-tool",
                f"{wanted.__name__}.{name} can't be asked for: fields of a question must be text, numbers, truth"
                " values, or choices",
                TypeError,
            )
    required = [each.name for each in fields.values() if each.is_required]
    return {"type": "object", "properties": made, **({"required": required} if required else {})}


def _field(schema: Mapping[str, Any], field: Any, components: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    made = {key: value for key, value in schema.items() if key != "anyOf"}
    made = {**made, **resolved_in(kinds[0], components, _DEFS)} if len(kinds) == 1 else made
    if made.get("default", ...) is None:
        del made["default"]
    choices = field.choices if field.choices and not field.is_bool else None
    if isinstance(made.get("enum"), list) and all(isinstance(each, str) for each in made["enum"]):
        made.setdefault("type", "string")
    if choices and made.get("type") in ("string", "array"):
        made.pop("enum", None)
        titled = [{"const": value, "title": str(label)} for value, label in choices.items()]
        is_titled = any(value != str(label) for value, label in choices.items())
        if made["type"] == "array":
            made["items"] = {"anyOf": titled} if is_titled else {"type": "string", "enum": [*choices]}
        else:
            made |= {"oneOf": titled} if is_titled else {"enum": [*choices]}
    made["title"] = str(field.label)
    if field.field.help:
        made["description"] = str(field.field.help)
    return made
