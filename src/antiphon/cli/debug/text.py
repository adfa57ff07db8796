"""A report as plain text, in Markdown: for a bug report, a chat or a search."""

from collections.abc import Iterator

from antiphon.cli.debug.frames import Frame
from antiphon.cli.debug.report import Failure, Report


def text_of(report: Report) -> str:
    """Return a whole report as text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    first = report.failures[0]
    yield f"# {_one_line(first.summary)}"
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
    """Return the tracebacks of all failures, the first to fail first, as Python prints them."""
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
    """Indent lines, so that nothing in them counts as markup."""
    for line in lines:
        yield from (f"    {each}" for each in line.splitlines() or [""])


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
