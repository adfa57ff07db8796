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
from antiphon.cli.revisions import notes_on, version_at
from antiphon.cli.target import Target
from antiphon.features.openapi.changes.operations import VERDICTS, Change, Comparison, Verdict, today, worst
from antiphon.features.openapi.changes.places import Version, below
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.features.openapi.feature import OpenAPI, documents_of


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
    target: Target, app: App | DescribedApp, revision: str, prefix: str | None, dialects: Sequence[str]
) -> int:
    """Print the differences between an application's code at a revision and now, and return the exit code."""
    now = prefix_of(target, app, prefix)
    old = version_at(revision, target, prefix, dialects)
    new = Version.read(app, now if old.prefix == now else "")
    lines, verdict = compared(old, new, revision)
    for note in notes_on(revision):
        echo(note, err=True)
    for each in lines:
        echo(each)
    return _STATUSES[verdict]


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
