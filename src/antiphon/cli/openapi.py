"""`antiphon openapi`: the OpenAPI document of an application, and its differences from an existing one."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from click import echo

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.routes import aligned
from antiphon.cli.target import Target
from antiphon.features.logs.formats import lines_below
from antiphon.features.openapi.changes.operations import VERDICTS, Change, Comparison, Verdict, today, worst
from antiphon.features.openapi.changes.places import Version, below
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.features.openapi.feature import OpenAPI, documents_of
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.feature import features_of


def load(target: Target) -> App | DescribedApp:
    """Return a target's application, or a dialect's description of it. Raises `BadCommand` for any other target."""
    app = target.load(None)
    if isinstance(app, App):
        return app
    describe = getattr(app, "described_api", None)
    if describe is None:
        raise BadCommand(
            f"{target} is of type {type(app).__name__}, whose routes are unknown: name an App, or an app of Flask or"
            " Pyramid with --dialect."
        )
    described: DescribedApp = describe()
    return described


def document(target: Target, app: App | DescribedApp, prefix: str | None) -> OpenAPIDocument:
    """Return the document of an application's `OpenAPI` feature; without one, a document of all routes.

    Raises `BadCommand` if the application has several documents and no prefix selects one.
    """
    title = target.module.rpartition(".")[2]
    if isinstance(app, DescribedApp):
        return make_document(app, Info(title, prefix=prefix or ""))
    found = prefix_of(target, app, prefix)
    feature = features_by_prefix(app).get(found) or OpenAPI(title, prefix=found)
    return feature.document(app)


def prefix_of(target: Target, app: App | DescribedApp, prefix: str | None) -> str:
    """Return the prefix of the only document, unless one is given. Raises `BadCommand` if there are several."""
    known = {} if isinstance(app, DescribedApp) else features_by_prefix(app)
    if prefix is None and len(known) > 1:
        raise BadCommand(f"{target} has {len(known)} documents: add --prefix, one of {', '.join(map(repr, known))}.")
    return next(iter(known), "") if prefix is None else prefix


def features_by_prefix(app: App) -> dict[str, OpenAPI]:
    """Return an application's `OpenAPI` features by their prefixes."""
    return {feature.prefix: feature for above, feature in documents_of(app) if not above}


def written(document: OpenAPIDocument) -> str:
    """Return a document as text."""
    return json.dumps(document.content, indent=2, ensure_ascii=False)


def content_of(path: Path) -> Any:
    """Return the document in a file. Raises `BadCommand` if the file is not JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadCommand(f"{str(path)!r} can't be read as JSON: {error}.") from None


_STATUSES: dict[Verdict, int] = {"safe": 0, "unknown": 4, "breaks": 1}


def check(app: App | DescribedApp, made: OpenAPIDocument, path: Path) -> int:
    """Print the differences between a file and an application's document, and return the exit code."""
    content = json.loads(written(made))
    known = content_of(path)
    lines, verdict = compared(Version(known, {}, {}), replace(Version.of(app, made), content=content), str(path))
    for each in lines:
        echo(each)
    if known != content:
        told = "is out of date" if lines else "differs in descriptions only"
        echo(f"{path} {told}: to update it, run this without --check and write the output to it.", err=True)
    return _STATUSES[verdict]


def written_changes(
    target: Target,
    app: App | DescribedApp,
    revision: str,
    prefix: str | None,
    dialects: Sequence[str],
    *,
    is_replayed: bool,
) -> int:
    """Print the differences between an application's code at a revision and now, and return the exit code."""
    from antiphon.cli.records import felt_by
    from antiphon.cli.revisions import notes_on, version_at

    now = prefix_of(target, app, prefix)
    old = version_at(revision, target, prefix, dialects)
    new = Version.read(app, now if old.prefix == now else "")
    lines, verdict = compared(old, new, revision)
    for note in notes_on(revision):
        echo(note, err=True)
    felt = felt_by(target, new) if is_replayed else []
    if lines or felt:
        echo(lines_below("\n".join((*lines, *felt))))  # with text from clients, which must not control the terminal
    return 1 if any(each.startswith("FELT") for each in felt) else _STATUSES[verdict]


def compared(old: Version, new: Version, revision: str) -> tuple[list[str], Verdict]:
    """Return a line for each difference between two versions, the worst first, and the worst verdict."""
    judged = Comparison(old.content, new.content, today()).changes()
    found = [*[_known(each, new) for each in judged], *_unread(old, new)]
    found.sort(key=lambda each: -VERDICTS.index(each.verdict))
    groups: dict[tuple[object, ...], list[Change]] = {}
    for each in found:
        is_shared = bool(each.old.component and each.new.component)
        same = (each.verdict, each.old, each.new, each.text) if is_shared else each
        groups.setdefault(same, []).append(each)
    return [_line(group, old, new, revision) for group in groups.values()], worst(found)


def _line(group: list[Change], old: Version, new: Version, revision: str) -> str:
    change, more = group[0], len(group) - 1
    where = f"{change.operation} {change.at}".strip() + (f" and {more} more" if more else "")
    parts = [f"{'BREAKS' if change.verdict == 'breaks' else change.verdict:7} {where}: {change.text}"]
    if change.verdict != "safe":
        parts += [_place(change, old, new, revision), change.advice]
    return "   ".join(filter(None, parts))


def _place(change: Change, old: Version, new: Version, revision: str) -> str:
    """Return the line that did it; for what is gone, the line at which the earlier revision had it."""
    if change.is_gone and (place := old.place_of(change.old, change.operation, change.mentions)):
        return f"{place} at {revision}"
    return below(new.place_of(change.new, change.operation, change.mentions), os.getcwd())


def _known(change: Change, new: Version) -> Change:
    """Return a change, as unknown if something seems to be gone from code that can't be read."""
    code = new.operations.get(change.operation)
    if change.is_gone and change.verdict == "breaks" and code is not None and code.unread:
        return change._replace(verdict="unknown", advice=_DECLARE)
    return change


_DECLARE = "annotate it, or declare it with takes= or gives="


def _unread(old: Version, new: Version) -> Iterator[Change]:
    """Yield an unknown change for each operation with changed code that can't be read."""
    for name, code in new.operations.items():
        before = old.operations.get(name)
        if code.unread and before is not None and (not before.unread or before.digest != code.digest):
            yield Change("unknown", name, "", code.unread[0], _DECLARE)


def table(app: App) -> list[str]:
    """Return a line for each tool: its name, its request, what a call may do, and its description."""
    rows = [_row(each) for each in definitions_of(app)]
    return aligned(rows) if rows else ["No route is a tool: @app.get(..., tool=True) makes one."]


def written_tools(app: App) -> str:
    """Return the tools as JSON, as a client sees them after a login."""
    return json.dumps([each.as_json(has_any_result=True) for each in definitions_of(app)], indent=2, ensure_ascii=False)


def definitions_of(app: App) -> list[Definition]:
    """Return an application's tools. Raises `BadCommand` if it serves none, or if a route can't be a tool."""
    features = features_of(app)
    if not features:
        raise BadCommand("This application serves no tools: add app.use(Tools(api)).")
    try:
        return [each for feature in features for each in feature.definitions_in(app).values()]
    except (LookupError, ValueError) as error:
        raise BadCommand(f"{error.args[0]}.") from None


def _row(each: Definition) -> tuple[str, str, str, str]:
    effect = "reads" if each.is_read_only else "destroys" if each.is_destructive else "writes"
    if each.options.confirm is not None:
        effect += ", asks first"
    if each.requires_user:
        effect += ", login"
    return each.name, f"{each.method} {each.path}", effect, each.description.partition("\n")[0]
