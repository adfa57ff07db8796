"""Two versions of an API compared, operation by operation: every difference is safe, breaks clients, or is unknown.

Clients send paths, parameters, bodies and credentials, which may not become narrower. They receive statuses, headers
and bodies, which may not become wider. Most rules are those of oasdiff; ``docs/how-to/api-changes.md`` lists the rest.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.features.openapi.changes.keywords import Difference, Schema, Site, resolved
from antiphon.features.openapi.changes.schemas import SchemaComparison

Verdict: TypeAlias = Literal["safe", "unknown", "breaks"]
VERDICTS: tuple[Verdict, ...] = ("safe", "unknown", "breaks")
"""From the best to the worst."""


class Change(NamedTuple):
    """One difference between two versions of an API, and what it means for clients."""

    verdict: Verdict
    operation: str
    """The method and the path of the new version, such as ``POST /lamps``; of the old one if the operation is gone."""
    at: str
    """The part of the operation: ``body/note``, ``?lang``, ``200/lines[]/price``."""
    text: str
    advice: str = ""
    old: Site = Site()
    new: Site = Site()
    mentions: str = ""
    """The name of a parameter, or the status, that the handler's code mentions at the line that did it."""
    is_gone: bool = False
    """True if only the old version has it."""


OR_VERSION = "or add /v2"
IGNORED = "clients that send it are not refused, but it is ignored: read it, or tell them"
ADVICE: dict[tuple[str, bool], str] = {
    ("new", True): f"give it a default, {OR_VERSION}",
    ("required", True): f"give it a default, {OR_VERSION}",
    ("gone", False): f"keep it, {OR_VERSION}",
    ("optional", False): f"always send it, {OR_VERSION}",
    ("null", False): f"send a value instead of null, {OR_VERSION}",
    ("null", True): f"accept null, {OR_VERSION}",
    ("enum", True): f"accept the old values, {OR_VERSION}",
    ("enum", False): f"send only values that clients know, {OR_VERSION}",
    ("gone", True): IGNORED,
    ("any", True): "annotate it, or declare it with takes=",
    ("any", False): "annotate it, or declare it with gives=",
    ("pattern", True): "compare the patterns, which no program can",
    ("pattern", False): "compare the patterns, which no program can",
}
"""What to do about a difference that is not safe, by its rule and whether clients send the value."""


def template_of(path: str) -> str:
    """Return a path, or a route's pattern, without the names of its parameters."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", "{}", path)


def sunset_of(operation: Schema) -> date | None:
    """Return the day of ``x-sunset``, RFC 3339's full-date or date-time, or None."""
    try:
        return datetime.fromisoformat(str(operation.get("x-sunset"))).date()
    except ValueError:
        return None


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def worst(changes: Iterable[Change]) -> Verdict:
    """Return the worst verdict; "safe" if nothing has changed."""
    found = {each.verdict for each in changes}
    return "breaks" if "breaks" in found else "unknown" if "unknown" in found else "safe"


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
METHODS = ("get", "put", "post", "delete", "patch", "trace", "options", "head", "query")


@dataclass
class Comparison:
    """The comparison of two OpenAPI documents, on a day that decides which sunsets have passed."""

    old: Schema
    new: Schema
    today: date

    def changes(self) -> Iterator[Change]:
        """Yield all differences that clients can notice, by path."""
        before, now = _paths(self.old), _paths(self.new)
        for key in [*before, *[each for each in now if each not in before]]:
            yield from self._operation_or_none(before.get(key), now.get(key))
        yield from self._webhooks()
        yield from self._sockets()

    def _operation_or_none(self, old: "_Operation | None", new: "_Operation | None") -> Iterator[Change]:
        if old is None and new is not None:
            yield Change("safe", new.name, "", "new")
        elif new is None and old is not None:
            yield self._removed(old)
        elif old is not None and new is not None:
            yield from OperationComparison(self, old, new).changes()

    def _removed(self, old: "_Operation") -> Change:
        sunset = sunset_of(old.content)
        if not old.content.get("deprecated"):
            advice = "keep it, deprecate it first with meta={OpenAPI.DEPRECATED: True}, or redirect to its successor"
            return Change("breaks", old.name, "", "gone, and was not deprecated", advice, is_gone=True)
        if sunset is not None and sunset > self.today:
            return Change(
                "breaks", old.name, "", f"gone before its sunset on {sunset}", "keep it till then", is_gone=True
            )
        return Change("safe", old.name, "", "gone, after it was deprecated", is_gone=True)

    def _webhooks(self) -> Iterator[Change]:
        """Compare the requests that the API sends: their bodies are received by clients, which respond."""
        before, now = self.old.get("webhooks", {}), self.new.get("webhooks", {})
        for name in [*before, *[each for each in now if each not in before]]:
            yield from self.sent_requests(before.get(name), now.get(name), f"webhook {name}")

    def sent_requests(self, old: Schema | None, new: Schema | None, name: str) -> Iterator[Change]:
        """Compare two path items of requests that the API sends."""
        if old is None or new is None:
            gone = new is None
            advice = "keep sending it, or tell the clients that wait for it" if gone else ""
            yield Change("breaks" if gone else "safe", name, "", "gone" if gone else "new", advice, is_gone=gone)
            return
        for method in METHODS:
            if method in old and method in new:
                one, two = (_Operation(name, "", each[method]) for each in (old, new))
                yield from OperationComparison(self, one, two, clients_send=False).changes()

    def _sockets(self) -> Iterator[Change]:
        before, now = self.old.get("x-websockets", ()), self.new.get("x-websockets", ())
        for path in before:
            if template_of(path) not in map(template_of, now):
                yield Change(
                    "breaks", f"WebSocket {path}", "", "gone", "keep it until its clients are gone", is_gone=True
                )
        for path in now:
            if template_of(path) not in map(template_of, before):
                yield Change("safe", f"WebSocket {path}", "", "new")


class _Operation(NamedTuple):
    """An operation: its name, its path and its content, with the parameters of its path."""

    name: str
    path: str
    content: Schema


def _paths(document: Schema) -> dict[tuple[str, str], _Operation]:
    """Return a document's operations by path without the names of its parameters, and by method."""
    found = {}
    for path, item in document.get("paths", {}).items():
        for method, content in {**item, **item.get("additionalOperations", {})}.items():
            if method.lower() in METHODS or method in item.get("additionalOperations", {}):
                shared = {**content, "parameters": [*item.get("parameters", ()), *content.get("parameters", ())]}
                found[template_of(path), method.lower()] = _Operation(f"{method.upper()} {path}", path, shared)
    return found


@dataclass
class OperationComparison:
    """The comparison of one operation of two documents."""

    whole: Comparison
    old: _Operation
    new: _Operation
    clients_send: bool = True
    """False for a webhook or a callback, which the API sends to its clients."""

    def changes(self) -> Iterator[Change]:
        """Yield all differences of the operation."""
        yield from self._lifecycle()
        yield from self._parameters()
        yield from self._body()
        yield from self._responses()
        yield from self._security()
        before, now = self.old.content.get("callbacks", {}), self.new.content.get("callbacks", {})
        for name in [*before, *[each for each in now if each not in before]]:
            items: list[Schema | None] = [
                next(iter(each[name].values()), {}) if name in each else None for each in (before, now)
            ]
            yield from self.whole.sent_requests(items[0], items[1], f"{self.new.name} callback {name}")

    def _change(self, verdict: Verdict, at: str, text: str, advice: str = "", **more: Any) -> Change:
        return Change(verdict, self.new.name, at, text, advice, **more)

    def _lifecycle(self) -> Iterator[Change]:
        old, new = self.old.content, self.new.content
        if new.get("deprecated") and not old.get("deprecated"):
            yield self._change("safe", "", "deprecated")
        before, now = sunset_of(old), sunset_of(new)
        if before is not None and now is not None and now < before:
            advice = f"keep the sunset on {before}, on which clients rely"
            yield self._change("breaks", "", f"the sunset on {before} is now on {now}", advice)
        if old.get("servers") != new.get("servers"):
            yield self._change(
                "unknown", "", "served at other addresses", "make sure that the old addresses still work"
            )

    # What is sent

    def _parameters(self) -> Iterator[Change]:
        before, now = (self._named(each, document) for each, document in self._sides())
        for key, new in now.items():
            if key not in before:
                moved = next((each for each in before if each[1] == key[1] and each not in now), None)
                yield self._moved(moved, key) if moved else self._added(key, new)
            else:
                yield from self._parameter(_shown(key), before[key], new)
        for key in before:
            if key not in now and not any(each[1] == key[1] for each in now if each not in before):
                yield self._change("unknown", _shown(key), "gone", IGNORED, mentions=key[1], is_gone=True)

    def _sides(self) -> tuple[tuple[_Operation, Schema], tuple[_Operation, Schema]]:
        return (self.old, self.whole.old), (self.new, self.whole.new)

    def _named(self, operation: _Operation, document: Schema) -> dict[tuple[str, str], Schema]:
        """Return an operation's parameters by place and name. In a path, the position stands for the name."""
        positions = re.findall(r"\{([^}]*)\}", operation.path)
        found = {}
        for each in operation.content.get("parameters", ()):
            parameter = resolved(each, document)
            place, name = parameter.get("in", ""), parameter.get("name", "")
            if place == "path" and name in positions:
                name = str(positions.index(name))
            found[place, name.lower() if place == "header" else name] = parameter
        return found

    def _added(self, key: tuple[str, str], new: Schema) -> Change:
        if new.get("required"):
            advice = f"give it a default, {OR_VERSION}"
            return self._change("breaks", _shown(key), "new and required", advice, mentions=key[1])
        return self._change("safe", _shown(key), "new", mentions=key[1])

    def _moved(self, old: tuple[str, str], new: tuple[str, str]) -> Change:
        text, advice = f"was in the {old[0]}, and is in the {new[0]} now", f"read both places, {OR_VERSION}"
        return self._change("breaks", _shown(new), text, advice, mentions=new[1])

    def _parameter(self, at: str, old: Schema, new: Schema) -> Iterator[Change]:
        name = new.get("name", "")
        if new.get("required") and not old.get("required"):
            yield self._change("breaks", at, "now required", f"give it a default, {OR_VERSION}", mentions=name)
        if old.get("required") and not new.get("required"):
            yield self._change("safe", at, "no longer required", mentions=name)
        for key in ("style", "explode", "allowReserved"):
            before, now = (_serialized(each, key) for each in (old, new))
            if before != now:
                advice = f"read the old form, too, {OR_VERSION}"
                yield self._change("breaks", at, f"{key} {before} is now {now}", advice, mentions=name)
        if old.get("allowEmptyValue") and not new.get("allowEmptyValue"):
            yield self._change("breaks", at, "may no longer be empty", f"accept it, {OR_VERSION}", mentions=name)
        if new.get("deprecated") and not old.get("deprecated"):
            yield self._change("safe", at, "deprecated", mentions=name)
        if ("content" in old) != ("content" in new):
            yield self._change("breaks", at, "written in another media type", f"read both, {OR_VERSION}", mentions=name)
        for media, content in old.get("content", {}).items():
            if media in new.get("content", {}):
                yield from self._media(at, content, new["content"][media], sent=True)
        schemas = self._schemas(old.get("schema", {}), new.get("schema", {}), sent=True, is_text=True)
        always_sent = old.get("required") or new.get("required")  # so that a default stands for nothing
        told = [each for each in schemas if not (always_sent and each.rule == "default")]
        yield from (self._judged(at, each, sent=True)._replace(mentions=name) for each in told)

    def _body(self) -> Iterator[Change]:
        old, new = (resolved(each.content.get("requestBody", {}), document) for each, document in self._sides())
        sent = self.clients_send
        if old and not new:
            yield self._change("breaks" if sent else "unknown", "body", "gone", f"read it, {OR_VERSION}", is_gone=True)
        elif new and not old:
            needed = new.get("required") and sent
            advice = f"make it optional, {OR_VERSION}" if needed else ""
            yield self._change("breaks" if needed else "safe", "body", "new and required" if needed else "new", advice)
        elif sent and new.get("required") and not old.get("required"):
            yield self._change("breaks", "body", "now required", f"make it optional, {OR_VERSION}")
        elif sent and old.get("required") and not new.get("required"):
            yield self._change("safe", "body", "no longer required")
        if old and new:
            yield from self._contents("body", old.get("content", {}), new.get("content", {}), sent=sent)

    # What is received

    def _responses(self) -> Iterator[Change]:
        before, now = (each.content.get("responses", {}) for each, _ in self._sides())
        for status, old in before.items():
            covering = next((each for each in (status, f"{status[:1]}XX", "default") if each in now), None)
            if covering is None:
                yield self._lost_status(status)
                continue
            one, two = resolved(old, self.whole.old), resolved(now[covering], self.whole.new)
            yield from self._headers(status, one.get("headers", {}), two.get("headers", {}))
            yield from self._contents(
                status, one.get("content", {}), two.get("content", {}), sent=not self.clients_send
            )
        for status in now:
            if status not in before:
                yield self._change("safe", status, "new", mentions=status)

    def _lost_status(self, status: str) -> Change:
        verdict: Verdict = "breaks" if status[:1] == "2" or status == "default" else "safe"
        if status[:1] == "3" and status != "304":
            verdict = "unknown"
        advice = "" if verdict == "safe" else f"keep the status, {OR_VERSION}"
        return self._change(verdict, status, "gone", advice, mentions=status, is_gone=True)

    def _headers(self, status: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, now = ({name.lower(): each for name, each in side.items()} for side in (old, new))
        for name in [*before, *[each for each in now if each not in before]]:
            at = f"{status} {name}"
            if name not in now:
                verdict: Verdict = "breaks" if resolved(before[name], self.whole.old).get("required") else "unknown"
                yield self._change(verdict, at, "gone", f"send it, {OR_VERSION}", mentions=name, is_gone=True)
            elif name not in before:
                yield self._change("safe", at, "new", mentions=name)
            else:
                one, two = resolved(before[name], self.whole.old), resolved(now[name], self.whole.new)
                if one.get("required") and not two.get("required"):
                    yield self._change("breaks", at, "no longer always there", f"send it, {OR_VERSION}", mentions=name)
                schemas = self._schemas(one.get("schema", {}), two.get("schema", {}), sent=False)
                yield from (self._judged(at, each, sent=False) for each in schemas)

    # Bodies

    def _contents(self, at: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Change]:
        for media, content in old.items():
            covering = next((each for each in (media, f"{media.partition('/')[0]}/*", "*/*") if each in new), None)
            if covering is None:
                advice = f"{'read' if sent else 'offer'} it, {OR_VERSION}"
                yield self._change("breaks", at, f"no longer {media}", advice, is_gone=True)
            else:
                yield from self._media(at, content, new[covering], sent=sent, is_text=media in _FORMS)
        for media in new:
            if media not in old:
                yield self._change("safe", at, f"also {media}")

    def _media(self, at: str, old: Schema, new: Schema, *, sent: bool, is_text: bool = False) -> Iterator[Change]:
        for key, inside in (("schema", ""), ("itemSchema", "[]")):
            found = self._schemas(old.get(key, {}), new.get(key, {}), sent=sent, is_text=is_text)
            yield from (self._judged(at + inside, each, sent=sent) for each in found)
        for name in new.get("x-members", ()) if sent and not new.get("schema") else ():
            if name not in old.get("x-members", ()) and not old.get("schema"):
                advice = "read it with a type, request.json_as, or as one that may be missing"
                yield self._change("unknown", f"{at}/{name}", "read now, perhaps from all clients", advice)
        before, now = old.get("encoding", {}), new.get("encoding", {})
        for name in before.keys() & now.keys():
            if before[name] != now[name]:
                yield self._change("unknown", f"{at}/{name}", "encoded in another way", "make sure that clients can")

    def _schemas(self, old: Any, new: Any, *, sent: bool, is_text: bool = False) -> Iterator[Difference]:
        return SchemaComparison(self.whole.old, self.whole.new, sent, is_text).differences(old, new)

    def _judged(self, at: str, found: Difference, *, sent: bool) -> Change:
        effect = found.narrowed if sent else found.widened
        verdict: Verdict = {"no": "safe", "maybe": "unknown", "yes": "breaks"}[effect]  # type: ignore[assignment]
        default = (
            "compare the two" if verdict == "unknown" else f"{'accept' if sent else 'send'} what it was, {OR_VERSION}"
        )
        advice = "" if verdict == "safe" else ADVICE.get((found.rule, sent), default)
        is_gone = found.rule == "gone"
        return self._change(verdict, at + found.at, found.text, advice, old=found.old, new=found.new, is_gone=is_gone)

    # Who may send it

    def _security(self) -> Iterator[Change]:
        """Compare the credentials that are enough. Schemes are compared by what they are, not by their names."""
        before, now = (self._enough(each.content, document) for each, document in self._sides())
        for one in before:
            if not any(_is_within(two, one) for two in now):
                lacking = sorted({name for two in now for name in two.keys() - one.keys()})
                scopes = sorted({scope for two in now for each in two.values() for scope in each} - {*_scopes(one)})
                text = f"now needs {', '.join(lacking)}" if lacking else f"now needs the scope {', '.join(scopes)}"
                advice = f"keep the credentials that were enough, {OR_VERSION}"
                yield self._change("breaks", "security", text, advice)
                return
        if before != now:
            yield self._change("safe", "security", "other credentials are enough, too")
        old, new = ({*_urls(document)} for _, document in self._sides())
        if old and new and old != new and any("oauth2" in each or "openIdConnect" in each for each in now):
            text = f"tokens are from {', '.join(sorted(new))} now"
            yield self._change("unknown", "security", text, "keep the earlier URLs, or tell the clients")

    def _enough(self, operation: Schema, document: Schema) -> list[dict[str, frozenset[str]]]:
        schemes = document.get("components", {}).get("securitySchemes", {})
        wanted = operation.get("security", document.get("security", [])) or [{}]
        return [
            {
                _scheme_name(name, resolved(schemes.get(name, {}), document)): frozenset(scopes)
                for name, scopes in each.items()
            }
            for each in wanted
        ]


def _is_within(needed: dict[str, frozenset[str]], given: dict[str, frozenset[str]]) -> bool:
    return all(name in given and scopes <= given[name] for name, scopes in needed.items())


def _scopes(requirement: dict[str, frozenset[str]]) -> Iterable[str]:
    return [scope for scopes in requirement.values() for scope in scopes]


def _urls(document: Schema) -> Iterator[str]:
    """Yield the URLs at which clients get tokens."""
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        flows = resolved(scheme, document).get("flows", {})
        found = [scheme.get("openIdConnectUrl"), *[flow.get("tokenUrl") for flow in flows.values()]]
        yield from [each for each in found if each]


def _scheme_name(name: str, scheme: Schema) -> str:
    """Return what a scheme is: ``bearer``, ``cookie session``. Its name if that says no more."""
    kind = scheme.get("type")
    if kind == "http":
        return str(scheme.get("scheme", name)).lower()
    return f"{scheme.get('in')} {scheme.get('name')}" if kind == "apiKey" else str(kind or name)


def _serialized(parameter: Schema, key: str) -> Any:
    place = parameter.get("in")
    style = parameter.get("style", "form" if place in ("query", "cookie") else "simple")
    defaults = {"style": style, "explode": style == "form", "allowReserved": False}
    return json.dumps(parameter.get(key, defaults[key]))


def _shown(key: tuple[str, str]) -> str:
    place, name = key
    marks = {"query": f"?{name}", "path": f"path {int(name) + 1}" if name.isdigit() else f"path {name}"}
    return marks.get(place, f"{place} {name}")
