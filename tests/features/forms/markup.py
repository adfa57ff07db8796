"""Forms in pages, read as a browser reads them: elements by their ids, and the pairs that a submission sends."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"input", "br", "meta", "link"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]
    content: list["Element | str"]

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.content)

    def all(self, *tags: str) -> list["Element"]:
        inner = [part for part in self.content if isinstance(part, Element)]
        found = [each for part in inner for each in part.all(*tags)]
        return [self, *found] if not tags or self.tag in tags else found

    def by_id(self, wanted: str) -> "Element":
        (found,) = [each for each in self.all() if each.attributes.get("id") == wanted]
        return found

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {}, [])]

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute comes twice: {attrs}"
        element = Element(tag, dict(attrs), [])
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].content.append(data)


def parsed(html: object) -> Element:
    parser = _Parser()
    parser.feed(str(html))
    parser.close()
    assert len(parser.open) == 1, f"{parser.open[-1].tag} is not closed"
    return parser.open[0]


def submission(page: Element) -> list[tuple[str, str]]:
    """The pairs that a browser sends for a form without files (HTML, "Constructing the entry list")."""
    pairs = []
    for control in page.all("input", "select", "textarea"):
        name, kind = control.get("name") or "", control.get("type")
        if control.tag == "textarea":
            pairs.append((name, control.text.removeprefix("\n").replace("\n", "\r\n")))
        elif control.tag == "select":
            options = control.all("option")
            chosen = [option for option in options if "selected" in option.attributes]
            if not chosen and "multiple" not in control.attributes:
                chosen = options[:1]
            pairs += [(name, option.get("value") or "") for option in chosen]
        elif kind not in ("checkbox", "radio") or "checked" in control.attributes:
            pairs.append((name, control.get("value") or ""))
    return pairs
