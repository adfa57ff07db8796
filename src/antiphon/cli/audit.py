"""`antiphon audit`: who may do what to whom, and which personal data is processed, read from an application's code."""

import os

from click import echo

from antiphon.app.application import App
from antiphon.features.openapi.audit.report import as_markdown, record, sorted_out
from antiphon.features.openapi.audit.routes import audited_routes
from antiphon.features.openapi.audit.rules import findings
from antiphon.features.openapi.changes.places import below


def audit(app: App) -> int:
    """Print what an audit of an application finds, and return the exit code: 1 for any fault, 4 if one is unknown."""
    remaining, silenced = sorted_out(findings(audited_routes(app)))
    for each in remaining:
        word = "unknown" if each.is_unknown else each.rule
        echo(f"{word:8} {each.operation}: {each.text}   {below(each.place, os.getcwd())}   {each.advice}")
    for found, reason in silenced:
        echo(f"Silenced: {found.rule} {found.operation}: {reason}", err=True)
    return 1 if any(not each.is_unknown for each in remaining) else 4 if remaining else 0


def written_record(app: App) -> None:
    """Print the record of processing personal data as a Markdown table."""
    rows = record(audited_routes(app))
    for line in as_markdown((*row[:-1], below(row[-1], os.getcwd())) for row in rows):
        echo(line)
