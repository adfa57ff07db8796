"""The source of a program, and the script that shows what goes wrong in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import antiphon
import antiphon.features
from antiphon.testing.pairs.programs import Program, Route, Sent, words_of
from antiphon.testing.pairs.varied import NEEDED

if TYPE_CHECKING:
    from antiphon.testing.pairs.running import Way

APP = "App(secret_keys=['x' * 32], store=STORE, limits=Limits(body=100_000))"
_BLANKS = "\n\n\n"
_SEND = """\
TEXTS = {}


def send(client, method, path, fields=(), body=None, key=None):
    fields = [(name, TEXTS.get((client, value[1:]), "") if value[:1] == "$" else value) for name, value in fields]
    if key is not None:
        signed = sign(Request.blank(f"http://testserver{path}", method, fields, body or b""), key[1], keyid=key[0])
        fields = [*signed.headers.items()]
    with client.stream(method, path, headers=fields, **({} if body is None else {"body": body})) as response:
        text = TEXTS[client, path] = b"".join(response).decode()
        print(method, path, response.status, dict(response.headers.items()), text[:200])"""


def source_of(program: Program) -> str:
    """Return the source of a program's application."""
    parts = [
        *_parts_of_app(program),
        *(f"{each.begins.strip()}\n{_features(program, each.name)}".strip() for each in program.groups),
        *(each.source for each in program.around),
        *(handler_of(program, each) for each in program.routes if each.body),
        *(each.ends for each in program.groups),
    ]
    text = _BLANKS.join([part for part in parts if part])
    return _BLANKS.join(["\n".join(_imports(program, text)), text]) + "\n"


def _parts_of_app(program: Program) -> Iterator[str]:
    names = {route.kind for route in program.routes}
    if names & {"effect", "form", "tool", "task"}:
        yield "@dataclass\nclass Order:\n    note: str\n    count: int = 1\n    password: str = ''"
    if names & {"typed"}:
        yield "@dataclass\nclass Filter:\n    count: int\n    word: str = ''"
    words = words_of(" ".join([each.body for each in program.routes] + [each.source for each in program.around]))
    yield from (source for name, source in NEEDED.items() if name in words)
    yield f"EFFECTS, OPEN, STORE = [], [], {program.store}\napp = {APP}\n{_features(program, 'app')}".strip()
    yield from (_who(program, each) for each in _askers(program))


def _askers(program: Program) -> list[str]:
    """Return the targets with an own function that tells who the caller is."""
    groups = {each.name for each in program.groups if each.kind != "blueprint"}
    return list(dict.fromkeys([each.target if each.target in groups else "app" for each in program.routes]))


def _who(program: Program, target: str) -> str:
    shown = [f'"{kind}": {value}' for each in program.known_at(target) for kind, value in each.identities.items()]
    return f"def {_asker(target)}(request):\n    return {{{', '.join(shown)}}}"


def _asker(target: str) -> str:
    return "who" if target == "app" else f"who_in_{target}"


def _features(program: Program, target: str) -> str:
    return "\n".join([each.source.replace("app.", f"{target}.") for name, each in program.features if name == target])


def _imports(program: Program, text: str) -> Iterator[str]:
    lines = [*dict.fromkeys(line for _, each in program.features for line in each.lines.split(_BLANKS) if line)]
    text = _BLANKS.join([*lines, text])
    words = words_of(text)
    yield from (f"import {module}" for module in ("asyncio", "datetime", "io", "json") if f"{module}." in text)
    if "Path(mkdtemp" in text:
        yield "from pathlib import Path\nfrom tempfile import mkdtemp"
    if "dataclass" in words:
        yield "from dataclasses import dataclass"
    for each in (antiphon, antiphon.features):
        if found := sorted(words & {*each.__all__}):
            yield f"from {each.__name__} import {', '.join(found)}"
    if lines:
        yield _BLANKS + _BLANKS.join(lines)


def handler_of(program: Program, route: Route) -> str:
    """Return the source of a route's handler."""
    if route.kind == "foreign":
        return route.body
    by = f"{_asker(route.target if route.target in _askers(program) else 'app')}(request)"
    if "signer" in route.requires:
        by = f'{{**{by}, "signer": request.signature.key}}'
    body = route.body.replace("BY", by).replace("ROUTE", repr(route.name))
    lines = ["await asyncio.sleep(0)", *body.splitlines()] if route.is_async else body.splitlines()
    received = ("socket" if route.kind == "socket" else "", route.parameter)
    parameters = "".join([f", {each}" for each in received if each])
    handler = f"{'async ' if route.is_async else ''}def {route.name}(request{parameters}):\n"
    handler += "\n".join([f"    {line}".rstrip() for line in lines])
    group = program.group(route.target)
    kind = "app" if group is None else group.kind
    if kind == "dialect":
        head, _, rest = handler.partition("(request")
        handler = f"{head}({rest.lstrip(', ')}".replace(":\n", ":\n    request = dialect.request\n", 1)
        return f'@{route.target}.{route.method.lower()}("{route.pattern}")\n{handler}'
    if kind in VIEWS:
        own = [f'methods=["{route.method}"]'] if kind == "django" else []
        given = ", ".join([*_joined([option.in_view for _, option in route.options if option.in_view]), *own])
        shown = f"view({given})({route.name})" if given else f"view({route.name})"
        added, before, after = VIEWS[kind]
        pattern = route.pattern.replace("<", before).replace(">", after)
        names = {"target": route.target, "name": route.name, "method": route.method, "pattern": pattern}
        return f"{handler}\n\n\n{added.format(shown=shown, **names)}"
    options = [f'"{route.pattern}"', f'name="{route.name}"', *_joined([option.source for _, option in route.options])]
    decorator = "websocket" if route.kind == "socket" else route.method.lower()
    return f"@{route.target}.{decorator}({', '.join(options)})\n{handler}"


def _joined(options: list[str]) -> list[str]:
    """Return options of which several may be hooks or metadata of the route."""
    before = [each.removeprefix("before=") for each in options if each.startswith("before=")]
    meta = [each.removeprefix("meta=") for each in options if each.startswith("meta=")]
    kept = [each for each in options if not each.startswith(("before=", "meta="))]
    kept += [f"before=[{', '.join(before)}]"] * bool(before)
    return kept + [f"meta={' | '.join(meta)}"] * bool(meta)


VIEWS = {
    "flask": ('{target}.add_url_rule("{pattern}", "{name}", {shown}, methods=["{method}"])', "<", ">"),
    "django": ('{target}.urls.append(path("{pattern}"[1:], {shown}))', "<", ">"),
    "starlette": ('{target}.router.routes.append(Route("{pattern}", {shown}, methods=["{method}"]))', "{", "}"),
}
"""How a view is added to an application of each framework, and what surrounds a parameter in its paths."""


def script_of(program: Program, way: "Way", interfaces: tuple[str, ...]) -> str:
    """Return a program with its requests, as a script that prints each response."""
    callers = list(dict.fromkeys(each.caller for each in program.sent))
    names = {caller: f"caller{number}" for number, caller in enumerate(callers, 1)}
    outer = f"outer = App()\nouter.mount('{way.prefix}', app)" if way.prefix or way.is_inside else ""
    options = f"interface, raise_errors=False, follow_redirects=False, http_version={way.version!r}"
    begins = []
    for caller, name in names.items():
        cookies = dict(sign.cookie.split("=") for sign in caller.signs if sign.cookie)
        given = f", cookies={cookies}" if cookies else ""
        begins.append(f"    {name} = Client({'outer' if outer else 'app'}, {options}{given})  # {caller.name}")
    return "\n\n\n".join([
        program.source.rstrip(),
        *([outer] if outer else []),
        "from antiphon import App, Request\nfrom antiphon.features import sign\nfrom antiphon.testing import Client",
        _SEND,
        "\n".join([
            f"for interface in {interfaces!r}:",
            *begins,
            *[f"    {_sent(program, each, names[each.caller], way.prefix)}" for each in program.sent],
            "    print(EFFECTS)",
        ]),
    ])  # fmt: skip


def _sent(program: Program, sent: Sent, client: str, prefix: str) -> str:
    route, signer = program.route(sent), sent.caller.signer
    if sent.like == "socket":
        options = f"{prefix + sent.target!r}, headers={[*sent.credentials]!r}"
        return f"with {client}.websocket({options}) as socket: socket.send({sent.note!r}); print(socket.receive())"
    shown = [client, repr(sent.method), repr(prefix + sent.target)]
    if fields := [*sent.fields, *sent.credentials]:
        shown.append(repr(fields))
    if sent.body is not None:
        shown.append(f"body={[*sent.body] if isinstance(sent.body, tuple) else sent.body!r}")
    if signer is not None and route is not None and "signer" in route.requires:
        shown.append(f"key={(signer.value, signer.key)!r}")
    return f"send({', '.join(shown)})"
