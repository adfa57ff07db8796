"""Tables: objects as the rows of an HTML table that people sort, filter and page through by links, or get as CSV."""

import csv
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from inspect import isawaitable
from io import StringIO
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import inspect

from antiphon import Request, Response, explained
from antiphon.embedding import TypeDescription
from antiphon.features.forms.field import member_of
from antiphon.features.forms.form import Form, id_of
from antiphon.features.forms.inputs import in_words
from antiphon.features.html import AttributeValue, Markup, as_html, joined, tag
from antiphon.features.tables.query import LAST_PAGE, Parameter, TableQuery, columns_of, parameters_of, sortable_of
from antiphon.http import ContentDisposition
from antiphon.types import Text

R = TypeVar("R")
Rows: TypeAlias = Iterable[R] | Callable[[TableQuery], Iterable[R] | Awaitable[Iterable[R]]]

_KINDS = {
    "number": (inspect.IntType, inspect.FloatType, inspect.DecimalType),
    "date": (inspect.DateType, inspect.DateTimeType, inspect.TimeType),
}
_NOT_LOADED = "the rows come from an async function: write `await table.aload()` before the table is shown"
_CHUNK = 64 << 10
_AS_WRITTEN = (int, float, Decimal, date, time, timedelta)
_SIGN = r"[=+@\uff1d\uff0b\uff20\uff0d-]"  # those with a code are full-width
_before_formulas = re.compile(rf'^(?={_SIGN}|[\t\r\n])|(?<=[;\t\r\n])(?="*{_SIGN})')
"""The places in a text where a spreadsheet may begin a cell with a formula."""


class Table(Generic[R]):
    """A table of objects or mappings, with a column for each field of a class from which a form could be made.
    Provisional.

        table = Table(Order, request, orders, caption="Orders")

    ``rows`` are the objects, or a function that is called with a ``TableQuery`` and returns those of one page; if it is
    async, ``await table.aload()``. Fields that are hidden, passwords or files are no columns.

    ``columns`` names the columns in order, and ``cells`` maps names to functions that return a row's cell, also for
    further columns. ``link`` returns the URL to which a row's first cell links.
    """

    is_csv: bool
    """True if CSV was asked for: ``return table.csv()``."""

    def __init__(
        self,
        wanted: type,
        request: Request,
        rows: "Rows[R]" = (),
        *,
        caption: Text,
        columns: Sequence[str] = (),
        cells: Mapping[str, Callable[[R], object]] | None = None,
        link: Callable[[R], str] | None = None,
        sort: str = "",
        sortable: Sequence[str] | None = None,
        filters: Sequence[str] = (),
        size: int = 25,
        csv: str = "",
        prefix: str = "",
        messages: Mapping[str, Text] | None = None,
    ) -> None:
        """``sort`` is the order at first, such as ``"-price"``; ``sortable`` names the columns to sort by, by default
        all, and ``filters`` those to filter by. ``size`` is the number of rows of a page. ``csv`` is the name of the
        file that visitors can download. ``prefix`` begins the names of this table's query parameters, for a page with
        several.

        Raises TypeError for a class from which no table can be made, and ValueError for a column that it does not have.
        """
        self._request, self._caption, self._link, self._size, self._csv = request, caption, link, size, csv
        self._rows_for = rows if callable(rows) else lambda query: query.rows_of(rows)
        self._cells: Mapping[str, Callable[[R], object]] = cells or {}
        self._by_key = columns_of(wanted)
        self._keys = list(dict.fromkeys([*(columns or self._by_key), *self._cells]))
        single = sortable_of(self._by_key, self._by_key)
        self._sortable = sortable_of(self._by_key, self._keys if sortable is None else sortable)
        named = [*(sortable or ()), *filters, *([sort.removeprefix("-")] if sort else [])]
        wrong = [key for key in columns if key not in self._by_key and key not in self._cells]
        if wrong := [*wrong, *[key for key in named if key not in single]]:
            known = f"it has {', '.join(self._by_key)}, and lists can't be sorted or filtered"
            fault = f"the table of {TypeDescription(wanted).name} has no such column: {wrong[0]!r}; {known}"
            raise explained("bad-table", fault)
        self.id = f"{prefix}{id_of(wanted)}-table"
        """The id of the element around the table."""
        self._parameters = parameters_of(wanted, (*filters,), self._sortable, prefix)
        self._form = Form(self._parameters.type, request, method="get", id=self.id, messages=messages)
        asked: Any = self._form.data if self._form.validate() else self._parameters.type()
        self._sort, self._page = asked.sort or sort, asked.page
        self.is_csv = bool(csv) and asked.format == "csv"
        self.query = TableQuery(
            (self._sort,) if self._sort else (),
            self._parameters.conditions(asked),
            offset=0 if self.is_csv else (self._page - 1) * size,
            limit=None if self.is_csv else size + 1,
            columns=(*self._sortable, *filters),
        )
        """The order, the filters and the page that were asked for."""
        self._waiting: Awaitable[Iterable[R]] | None = None
        self._body: list[Markup] | None = None
        self._has_next = False
        if not self.is_csv:
            self._show(() if self._form.errors else self._rows_for(self.query))

    @staticmethod
    def __takes__(
        wanted: type,
        columns: Sequence[str] = (),
        sortable: Sequence[str] | None = None,
        filters: Sequence[str] = (),
        prefix: str = "",
    ) -> tuple[str, type]:
        """Return the part of a request that a table is read from, and its type, for documents."""
        by_key = columns_of(wanted)
        keys = sortable_of(by_key, (columns or by_key) if sortable is None else sortable)
        return "query", parameters_of(wanted, (*filters,), keys, prefix).type

    # Rows

    def _show(self, found: Iterable[R] | Awaitable[Iterable[R]]) -> None:
        """Make the cells of the rows now, while the session of a database is open."""
        if isawaitable(found):
            self._waiting = found
            return
        rows = list(found)
        self._has_next = len(rows) > self._size and self._page < LAST_PAGE
        self._body = [self._row(row) for row in rows[: self._size]]

    async def aload(self) -> None:
        """Await the rows that an async function fetches, before the table is shown or sent as CSV."""
        if self.is_csv:
            found = self._rows_for(self.query)
            rows = await found if isawaitable(found) else found
            self._rows_for = lambda _: rows
        elif self._waiting is not None:
            self._show(await self._waiting)

    @property
    def status(self) -> Literal[200, 404, 422]:
        """The status for the response: 422 if the query is wrong, 404 for a page after the last one, otherwise 200."""
        return 422 if self._form.errors else 404 if self._page > 1 and not self._body else 200

    def csv(self, *, delimiter: str = ",") -> Response:
        """Return all rows that the filters leave, in order, as a CSV file that is sent while they are read.

        All fields are quoted. Excel in much of Europe opens a file whose ``delimiter`` is a semicolon. Text that a
        spreadsheet would run as a formula gets a ``'`` before it, even after a semicolon, tab or line break, where
        other readers begin a cell. ``request.values_as`` reads the file. Raises UnprocessableContent (422) for a wrong
        query.
        """
        if self._form.errors:
            raise self._form.error()
        rows = self._rows_for(replace(self.query, offset=0, limit=None))
        if isawaitable(rows):
            raise explained("bad-table", _NOT_LOADED, RuntimeError)
        response = Response.stream(self._lines(rows, delimiter), content_type="text/csv; charset=utf-8")
        response.content_disposition = ContentDisposition("attachment", self._csv or "table.csv")
        return response

    def _lines(self, rows: Iterable[R], delimiter: str) -> Iterator[str]:
        columns = [self._by_key[key] for key in self._keys if key in self._by_key]
        buffer = StringIO()
        buffer.write("\ufeff")  # by which Excel recognizes UTF-8
        writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow([each.name for each in columns])
        for row in rows:
            writer.writerow([_plain(member_of(row, each.key)) for each in columns])
            if buffer.tell() >= _CHUNK:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    # Markup

    def __html__(self) -> str:
        """Return the filters, the table and the links to other pages, as HTML."""
        if self._body is None:
            fix = "CSV was asked for: `if table.is_csv: return table.csv()`" if self.is_csv else _NOT_LOADED
            raise explained("bad-table", fix, RuntimeError)
        caption = f"{self.id}-caption"
        head = tag("thead", {}, tag("tr", {}, *map(self._header, self._keys)))
        empty = [tag("tr", {}, tag("td", {"colspan": len(self._keys)}, self._said("empty")))]
        rows = self._body or ([] if self._form.errors else empty)
        body = tag("tbody", {}, "\n", joined(rows, "\n"), "\n")
        table = tag("table", {}, "\n", tag("caption", {"id": caption}, self._caption), "\n", head, "\n", body, "\n")
        scrolls: dict[str, AttributeValue] = {"class": "scrolls", "tabindex": 0, "role": "region"}
        parts = [
            self._form.summary,
            self._labelled("form", {"method": "get", "role": "search", "class": "filters"}, self._filters()),
            self._labelled("div", scrolls, [table]),
            self._labelled("nav", {"class": "pages"}, self._links()),
        ]
        return tag("div", {"class": "table", "id": self.id}, "\n", joined(filter(None, parts), "\n"), "\n")

    __str__ = __html__

    def _labelled(self, name: str, values: Mapping[str, AttributeValue], parts: Sequence[object]) -> Markup:
        """Return an element with the table's name, or nothing if it would be empty."""
        labelled = {**values, "aria-labelledby": f"{self.id}-caption"}
        return tag(name, labelled, "\n", joined(parts, "\n"), "\n") if parts else Markup()

    def _said(self, code: str, **values: object) -> str:
        return self._form._said(f"table.{code}", **values)

    def _link_to(self, text: object, attributes: Mapping[str, AttributeValue], **changes: object) -> Markup:
        """Return a link to this page with changed parameters."""
        names = self._parameters.names
        url = self._request.url.with_query({names[name]: value for name, value in changes.items()})
        return tag("a", {**attributes, "href": url.target}, text)

    def _header(self, key: str) -> Markup:
        label = str(self._by_key[key].label) if key in self._by_key else in_words(key)
        own: dict[str, AttributeValue] = {"scope": "col", "class": self._kind(key)}
        if key not in self._sortable:
            return tag("th", own, label)
        is_up, is_down = self._sort == key, self._sort == f"-{key}"
        own["aria-sort"] = "ascending" if is_up else "descending" if is_down else None
        arrow = tag("span", {"aria-hidden": "true"}, " ▲" if is_up else " ▼") if is_up or is_down else ""
        return tag("th", own, self._link_to(joined([label, arrow]), {}, sort=f"-{key}" if is_up else key, page=None))

    def _kind(self, key: str) -> str | None:
        """Return the class of a column's cells: that of numbers or of dates, which should not be broken into lines."""
        column = self._by_key.get(key)
        if column is None or column.choices is not None or key in self._cells:
            return None
        return next(
            (name for name, kinds in _KINDS.items() if all(isinstance(kind, kinds) for kind in column.kinds)), None
        )

    def _row(self, row: R) -> Markup:
        """Return a row, whose first cell is its header and may be a link."""
        first, *others = self._keys
        content = self._content(row, first)
        if self._link is not None:
            content = tag("a", {"href": self._link(row)}, content)
        cells = [tag("td", {"class": self._kind(key)}, self._content(row, key)) for key in others]
        return tag("tr", {}, tag("th", {"scope": "row", "class": self._kind(first)}, content), *cells)

    def _content(self, row: R, key: str) -> Markup:
        """Return a cell's content. Text is isolated, so that the direction of its letters changes nothing around it."""
        if key in self._cells:
            return as_html(self._cells[key](row))
        value, labels = member_of(row, key), self._by_key[key].choices or {}
        if isinstance(value, bool):
            return as_html(self._form._said("yes" if value else "no"))
        texts = [value.isoformat(" ")] if isinstance(value, datetime) else TypeDescription.texts_of(value)
        text = ", ".join([str(labels.get(each, each)) for each in texts])
        return tag("bdi", {"dir": "ltr" if self._kind(key) else None}, text) if text else Markup()

    def _filters(self) -> list[Markup]:
        """Return the inputs of the filters, and hidden ones for the order and what others read from the query."""
        if not self._parameters.filters:
            return []
        own = {name for field, name in self._parameters.names.items() if field != "sort"}
        kept = [(name, text) for name, text in self._request.args.items() if name not in own]
        hidden = [tag("input", {"type": "hidden", "name": name, "value": text}) for name, text in kept]
        button = tag("button", {"type": "submit"}, self._said("filter"))
        return [*hidden, *map(self._filter, self._parameters.filters), button]

    def _filter(self, parameter: Parameter) -> Markup:
        field = self._form.fields[parameter.field]
        label = self._said(parameter.suffix, label=field.text) if parameter.suffix else field.text
        parts = [tag("label", {"for": field.id}, label), field.input, field.error]
        return tag("div", {"class": "field"}, "\n", joined(filter(None, parts), "\n"), "\n")

    def _links(self) -> list[Markup]:
        """Return the links to the pages before and after this one, and to the CSV file."""
        page, links = self._page, []
        if page > 1:
            links.append(self._link_to(self._said("previous"), {"rel": "prev"}, page=page - 1 if self._body else None))
        if page > 1 or self._has_next:
            links.append(tag("span", {}, self._said("page", page=page)))
        if self._has_next:
            links.append(self._link_to(self._said("next"), {"rel": "next"}, page=page + 1))
        if self._csv and not self._form.errors:
            links.append(self._link_to(self._said("csv"), {"download": self._csv}, format="csv", page=None))
        return links


def _plain(value: object) -> str:
    """Return a value as a field of CSV. A ``'`` keeps spreadsheets from running text as a formula."""
    text = ", ".join(TypeDescription.texts_of(value))
    return text if isinstance(value, _AS_WRITTEN) else _before_formulas.sub("'", text)
