"""The page of docs/reference of the kinds of errors, which `python -m scripts.reference` writes."""

from antiphon.explanations.texts import Explanation, explanations

ERRORS = """\
# Errors and what to do

<!-- Written by `python -m scripts.reference` from src/antiphon/explanations/errors.md. -->

If Antiphon raises an error because of a mistake in your program, the error has a note. Tracebacks, the log and the
[debug page](../how-to/debug.md) show it below the message:

```text
ValueError: there is no folder '/shop/static'
To read more: antiphon explain missing-folder
```

The last word is the kind of the error. `antiphon explain missing-folder` prints its section of this page, and
`antiphon explain` lists all kinds. [Types of problem details](problems.md) describes the errors that clients receive.
"""


def errors_page() -> str:
    """Return the page of all kinds of errors, as Markdown."""
    sections: dict[str, list[Explanation]] = {}
    for each in explanations().values():
        sections.setdefault(each.section, []).append(each)
    parts = [ERRORS, *(_contents(title, kinds) for title, kinds in sections.items())]
    for title, kinds in sections.items():
        parts += [f"## {title}\n", *(f"### {each.kind}\n\n{each.as_markdown}" for each in kinds)]
    return "\n".join(parts)


def _contents(title: str, kinds: list[Explanation]) -> str:
    links = "\n".join(f"- [{each.kind}](#{each.kind}): {each.summary}" for each in kinds)
    return f"**{title}**\n\n{links}\n"
