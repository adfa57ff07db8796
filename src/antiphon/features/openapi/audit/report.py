"""The report of an audit: findings that no comment silences, and the record of processing personal data."""

import linecache
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from antiphon import App
from antiphon.features.openapi.audit.routes import AuditedRoute, Field, audited_routes
from antiphon.features.openapi.audit.rules import Finding, findings
from antiphon.features.openapi.changes.places import below

_comment = re.compile(r"#\s*audit:\s*(\w+)\s*(?:[:,-]\s*(.*\S))?").search


def audited(app: App, folder: str) -> tuple[list[str], list[str], int]:
    """Return a line for each finding and for each that a comment silences, with places relative to a folder.

    The number is the command's exit code: 1 for any fault, 4 if all of them are unknown, or else 0.
    """
    remaining, silenced = sorted_out(findings(audited_routes(app)))
    lines = [
        f"{'unknown' if each.is_unknown else each.rule:8} {each.operation}: {each.text}"
        f"   {below(each.place, folder)}   {each.advice}"
        for each in remaining
    ]
    told = [f"Silenced: {found.rule} {found.operation}: {reason}" for found, reason in silenced]
    return lines, told, 1 if any(not each.is_unknown for each in remaining) else 4 if remaining else 0


def recorded(app: App, folder: str) -> Iterator[str]:
    """Yield the lines of the record of processing, with places relative to a folder."""
    return as_markdown((*row[:-1], below(row[-1], folder)) for row in record(audited_routes(app)))


class Silenced(NamedTuple):
    """A finding that a comment silences, with the comment's reason."""

    finding: Finding
    reason: str


def sorted_out(found: Iterable[Finding]) -> tuple[list[Finding], list[Silenced]]:
    """Return the findings that remain, and those that a comment in the handler silences.

    The comment is ``# audit: RULE: REASON`` in one of the handler's lines, or in the line above it. Without a reason it
    silences nothing.
    """
    remaining, silenced = [], []
    for each in found:
        reason = _reason(each)
        if reason:
            silenced.append(Silenced(each, reason))
        else:
            advice = "give the reason in the comment: # audit: RULE: REASON" if reason == "" else each.advice
            remaining.append(each._replace(advice=advice))
    return remaining, silenced


def _reason(finding: Finding) -> str | None:
    """Return the reason in the comment that silences a finding, "" for a comment without one, and None without one."""
    file = finding.place.rpartition(":")[0]
    first, last = finding.lines
    for number in range(max(1, first - 1), last + 1):
        found = _comment(linecache.getline(file, number))
        if found is not None and found[1] == finding.rule:
            return found[2] or ""
    return None


# The record of processing (GDPR art. 30)


def record(routes: Iterable[AuditedRoute]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each route with personal data, below a heading.

    The code tells the purpose (the handler's docstring), the categories of data, who receives it and how it is
    protected. It does not tell time limits, transfers and the legal basis.
    """
    yield "route", "purpose", "personal data in", "personal data out", "who may call it", "protection", "code"
    for each in routes:
        taken, given = _personal(each.taken), _personal(each.given)
        if not (taken or given):
            continue
        who = "clients with a known key" if "signature" in each.protection else "anyone"
        who = "users who are logged in" if "login" in each.protection else who
        if each.contract.scopes:
            who = f"credentials with {', '.join(each.contract.scopes)}"
        measures = sorted(each.protection - {"login", "scope"})
        purpose = each.operation.get("summary", "not stated")
        out = ", ".join(given) or ("-" if each.is_known else "not known")
        yield each.name, purpose, ", ".join(taken) or "-", out, who, ", ".join(measures) or "-", each.place


def _personal(fields: Iterable[Field]) -> list[str]:
    return [*dict.fromkeys(each.name for each in fields if each.is_personal or each.is_secret)]


def as_markdown(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines of a Markdown table."""
    for at, row in enumerate(rows):
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
        if at == 0:
            yield "|---" * len(row) + "|"
