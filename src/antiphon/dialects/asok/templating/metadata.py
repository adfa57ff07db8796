"""The metadata in the head of a page: ``request.meta``, set by pages and templates."""

import re
from html import escape
from typing import Any

from antiphon.dialects.asok.templating.output import SafeString

_title = re.compile(r"<title>.*?</title>", re.DOTALL | re.IGNORECASE)
_description = re.compile(r"""<meta\s+name=["']description["']\s+content=["'].*?["']\s*/?>""", re.IGNORECASE)
_end_of_head = re.compile(r"</head\s*>", re.IGNORECASE)


class Metadata:
    """The title, description and other tags of a page's head.

    Templates may call the methods, too: they print nothing. The title and the description may be assigned:
    ``request.meta.title = "Contact"``.
    """

    def __init__(self) -> None:
        self.tags: dict[tuple[str, str], str] = {}
        """The tags by their kind. If two tags are of one kind, the last one counts."""

    def title(self, val: str) -> str:
        """Set the title of the page, instead of the title in its template."""
        self.tags["title", ""] = f"<title>{escape(str(val))}</title>"
        return ""

    def description(self, val: str) -> str:
        """Set the description of the page, instead of the description in its template."""
        return self.name("description", val)

    def name(self, name: str, content: str, **_options: Any) -> str:
        """Add ``<meta name="..." content="...">``."""
        self.tags["name", name.lower()] = f'<meta name="{escape(name)}" content="{escape(str(content))}">'
        return ""

    def property(self, prop: str, content: str, **_options: Any) -> str:
        """Add ``<meta property="..." content="...">``, as Open Graph has it."""
        self.tags["property", prop] = f'<meta property="{escape(prop)}" content="{escape(str(content))}">'
        return ""

    def link(self, rel: str, href: str, **attributes: Any) -> str:
        """Add ``<link rel="..." href="...">`` with further attributes."""
        others = "".join([f' {escape(name)}="{escape(str(value))}"' for name, value in attributes.items()])
        self.tags[f"link {rel}", href] = f'<link rel="{escape(rel)}" href="{escape(href)}"{others}>'
        return ""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("title", "description") and not callable(value):
            getattr(self, name)(value)
        else:
            super().__setattr__(name, value)

    def __html__(self) -> str:
        return SafeString("")

    def put_into(self, page: str) -> str:
        """Return a whole HTML page with the tags in its head, or text without a head unchanged."""
        head = _end_of_head.search(page)
        if not self.tags or head is None:
            return page
        start, rest = page[: head.start()], page[head.start() :]
        if ("title", "") in self.tags:
            start = _title.sub("", start, count=1)
        if ("name", "description") in self.tags:
            start = _description.sub("", start)
        return "".join([start, *(f"{tag}\n" for tag in self.tags.values()), rest])
