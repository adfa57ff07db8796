"""The error page: a report as HTML, readable on a phone and without scripts, and the same report as plain text."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from antiphon.cli.debug.frames import Frame, Line
from antiphon.cli.debug.report import Failure, Report, Section, report_of
from antiphon.request.request import Request


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


STYLE = _read("page.css")

ACTIONS = _read("page.js")
"""The script that scrolls long lines to the failing part and copies the page's text.

Without a secure origin, the clipboard is unavailable, so the script selects the text instead.
"""

REFRESH = _read("refresh.js")
"""The script that reloads the page as soon as its content changes.

It waits while the server doesn't respond or the page is hidden."""


def digest(text: str) -> str:
    """Return the source of a Content-Security-Policy that allows an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src {digest(STYLE)}; script-src {digest(ACTIONS)}"
    f" {digest(REFRESH)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""The header fields to send with the page."""


def text_of(report: Report) -> str:
    """Return a whole report as text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    first = report.failures[0]
    yield f"# {' '.join(first.summary.split())[:300]}"
    frame = first.main_frame
    if frame is not None:
        yield f"\n{frame.file}, line {frame.line}{_in(frame)}\n"
        yield from _indented(_source(frame))
        if frame.variables:
            yield "\n## Variables\n"
            yield from _indented(f"{name} = {value}" for name, value in frame.variables)
    yield "\n## Traceback\n"
    yield from _indented(traceback_of(report).splitlines())
    for section in report.sections:
        yield f"\n## {section.title}\n"
        yield from _indented(f"{name}: {value}" for name, value in section.rows)


def traceback_of(report: Report) -> str:
    """Return the tracebacks of all failures, in the order in which they occurred, as Python prints them."""
    parts = []
    relation = ""
    for failure in reversed(report.failures):
        parts.append("\n".join(_traceback(failure)))
        relation = failure.relation
        if relation:
            parts.append(f"\n{_between(relation)}\n")
    return "\n".join(parts)


def _between(relation: str) -> str:
    if "raised from" in relation:
        return "The above exception was the direct cause of the following exception:"
    return "During handling of the above exception, another exception occurred:"


def _traceback(failure: Failure) -> Iterator[str]:
    if failure.frames:
        yield "Traceback (most recent call last):"
    for frame in failure.frames:
        yield f'  File "{frame.path}", line {frame.line}{_in(frame)}'
        if frame.code:
            yield f"    {frame.code}"
        if frame.repeats:
            yield f"  [{frame.repeats} more frames]"
    yield failure.summary
    yield from failure.notes
    for member in failure.members:
        yield f"  --- {member.relation} ---"
        yield from (f"  | {line}" for line in _traceback(member))
    if failure.members_left_out:
        yield f"  --- {failure.members_left_out} more ---"


def _source(frame: Frame) -> Iterator[str]:
    for line in frame.lines:
        arrow = ">" if line.number == frame.line else " "
        yield f"{arrow} {line.number:4} {line.text}"
        if line.end > line.start:
            yield f"       {' ' * line.start}{'^' * (line.end - line.start)}"


def _in(frame: Frame) -> str:
    return f", in {frame.function}" if frame.function else ""


def _indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """Indent lines so that nothing in them is interpreted as markup."""
    for line in lines:
        yield from (f"    {each}" for each in line.splitlines() or [""])


_REFRESHES = "This page refreshes itself when the error has changed."
_FOOTER = (
    "Only <code>antiphon run</code> with <code>--debug</code> or <code>--reload</code> shows this page. Values that"
    " look like secrets are masked, but check the page before you share it."
)


def page(error: BaseException, request: Request | None = None, *, refreshes: bool = False) -> bytes:
    """Return the page for an error, in UTF-8. Send it with the header fields ``HEADERS``.

    With ``refreshes``, the page polls its own URL and reloads as soon as its content has changed.
    """
    return page_of(report_of(error, request), refreshes=refreshes)


def page_of(report: Report, *, refreshes: bool = False) -> bytes:
    """Return the page for a report, in UTF-8."""
    text = text_of(report)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return "".join(_parts(report, text, digest, refreshes)).encode()


def _parts(report: Report, text: str, digest: str, refreshes: bool) -> Iterator[str]:
    first, *others = report.failures
    title = " ".join(first.summary.split())[:120]
    yield f'<!doctype html>\n<html lang="en" data-error="{digest}">\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
    yield f"<header>\n{_where(report)}<h1><b>{escape(first.kind)}</b> <span>{escape(first.message)}</span></h1>\n"
    yield _notes(first)
    if refreshes:
        yield f'<p class="quiet">{_REFRESHES}</p>\n'
    yield '<p><button id="copy" type="button" hidden>Copy as text</button> <span id="told" role="status"></span></p>\n'
    yield "</header>\n<main>\n"
    yield from _failure(first, "h2")
    for failure in others:
        yield from _further(failure)
    if report.sections:
        yield "<h2>Request</h2>\n" + "".join(map(_section, report.sections))
    yield f"<details>\n<summary>As text</summary>\n{_scrolls('text', 'As text')}"
    yield f' id="text">{escape(text)}</pre>\n</details>\n</main>\n<footer><p>{_FOOTER}</p></footer>\n'
    yield f"<script>{ACTIONS}</script>\n" + (f"<script>{REFRESH}</script>\n" if refreshes else "")


def _where(report: Report) -> str:
    basics = dict(report.sections[0].rows) if report.sections else {}
    if "method" not in basics:
        return ""
    handler = f", handled by {escape(basics['handler'])}" if "handler" in basics else ""
    return f'<p class="quiet">{escape(basics["method"])} {escape(basics["URL"])}{handler}</p>\n'


def _notes(failure: Failure) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>\n' for note in failure.notes)


def _further(failure: Failure) -> Iterator[str]:
    yield f'<section class="failure">\n<p class="quiet">{escape(failure.relation)}:</p>\n'
    yield f"<h2>{escape(failure.summary)}</h2>\n{_notes(failure)}"
    yield from _failure(failure, "h3")
    yield "</section>\n"


def _failure(failure: Failure, heading: str) -> Iterator[str]:
    main = failure.main_frame
    if main is not None:
        yield f"<{heading}>{_place(main)}</{heading}>\n{_content(main)}"
    if len(failure.frames) > 1:
        yield f'<{heading}>Traceback</{heading}>\n<p class="quiet">Most recent call last.</p>\n<ol>\n'
        for is_own, group in groupby(failure.frames, key=lambda frame: frame.is_own or frame is main):
            frames = [*group]
            yield from _own_frames(frames, main) if is_own else _library_frames(frames)
        yield "</ol>\n"
    for member in failure.members:
        yield from _further(member)
    if failure.members_left_out:
        yield f"<p>{failure.members_left_out} more errors of the group are not shown.</p>\n"


def _own_frames(frames: Iterable[Frame], main: Frame | None) -> Iterator[str]:
    for frame in frames:
        if frame is main:
            yield f'<li class="shown">{_place(frame)}: shown above{_repeats(frame)}</li>\n'
        else:
            yield f"<li>{_folded(frame)}</li>\n"


def _library_frames(frames: list[Frame]) -> Iterator[str]:
    packages = dict.fromkeys(frame.file.replace("\\", "/").partition("/")[0].removesuffix(".py") for frame in frames)
    count = f"{len(frames)} frame{'s' * (len(frames) > 1)} of {', '.join(packages)}"
    yield f"<li><details>\n<summary>{escape(count)}</summary>\n<div>"
    yield from map(_folded, frames)
    yield "</div>\n</details></li>\n"


def _folded(frame: Frame) -> str:
    code = f": <code>{escape(frame.code)}</code>" if frame.code else ""
    return f"<details>\n<summary>{_place(frame)}{code}{_repeats(frame)}</summary>\n{_content(frame)}</details>\n"


def _repeats(frame: Frame) -> str:
    return (
        f' <span class="quiet">({frame.repeats} more frames after this one are left out)</span>'
        if frame.repeats
        else ""
    )


def _place(frame: Frame) -> str:
    function = f", in {escape(frame.function)}" if frame.function else ""
    return f"{escape(frame.file)}, line {frame.line}{function}"


def _content(frame: Frame) -> str:
    """Return a frame's source, with its locals beside it."""
    label = escape(f"Source of {frame.file}, line {frame.line}")
    rows = "".join(_row(line, frame.line) for line in frame.lines)
    source = (
        f'{_scrolls("", label)}><code class="source">{rows}</code></pre>\n'
        if rows
        else "<p>The source code is not available.</p>\n"
    )
    if not frame.variables:
        return f'<div class="beside">\n{source}</div>\n'
    values = f'<div class="values" tabindex="0" role="region" aria-label="Variables">\n{table(frame.variables)}'
    return f'<div class="beside two">\n<div>{source}</div>\n{values}</div>\n</div>\n'


def _scrolls(kind: str, label: str) -> str:
    """Return the opening tag of a scrollable box that is accessible by keyboard."""
    named = f' class="{kind}"' if kind else ""
    return f'<pre{named} tabindex="0" role="region" aria-label="{label}"'


def _row(line: Line, failed: int) -> str:
    text = escape(line.text)
    if line.end > line.start:
        before, marked, after = line.text[: line.start], line.text[line.start : line.end], line.text[line.end :]
        text = f"{escape(before)}<mark>{escape(marked)}</mark>{escape(after)}"
    kind = " failed" if line.number == failed else ""
    return f'<span class="row{kind}"><i>{line.number}</i>{text}\n</span>'


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a list; if the page is wide enough, they are shown side by side."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n" for name, value in rows)
    return f"<dl>\n{items}</dl>\n"


def _section(section: Section) -> str:
    is_open = "" if section.title in ("Headers", "Route") else " open"
    title = escape(section.title)
    return f"<details{is_open}>\n<summary>{title}</summary>\n{table(section.rows)}</details>\n"
