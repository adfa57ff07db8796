"""Tables: what is shown of objects, what query parameters may ask for, and what of it is sent as CSV."""

import asyncio
import csv
import enum
import io
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypedDict

import pytest
from msgspec import Struct

from antiphon import App, Request, Upload
from antiphon.features import Field, Languages, Table, TableQuery
from antiphon.testing import Client
from antiphon.types import Markup
from tests.features.forms.markup import parsed
from tests.helpers.rows import rows
from tests.helpers.served.table_pages import LAMPS, app

client = Client(app)
WIDE_SIGNS = "\uff1d\uff0b\uff0d\uff20"
WRONG = [
    ("page=0", "Page: This must be at least 1."),
    ("page=-1", "Page: This must be at least 1."),
    ("page=x", "Page: Please enter a whole number."),
    ("page=1.5", "Page: Please enter a whole number."),
    ("page=10001", "Page: This must be at most 10000."),
    ("page=99999999999999999999", "Page: This must be at most 10000."),
    ("sort=nam", "Sort: Please choose one of the options."),
    ("sort=--name", "Sort: Please choose one of the options."),
    ("sort=name,price", "Sort: Please choose one of the options."),
    ("sort=name%3B%20drop%20table%20lamps", "Sort: Please choose one of the options."),
    ("sort=number", "Sort: Please choose one of the options."),
    ("sort=%3Cscript%3E", "Sort: Please choose one of the options."),
    ("format=xml", "Format: Please choose one of the options."),
    ("format=csv&page=0", "Page: This must be at least 1."),
    ("price.from=x", "Price: Please enter a number."),
    ("price.to=1e999", "Price: This must be at most 1000000000000000000."),
    ("price.from=NaN", "Price: Please enter a number."),
    ("day.from=2030-13-01", "Delivered: Please enter a date, such as 2030-12-31."),
    ("state=odd", "State: Please choose one of the options."),
    ("is_led=perhaps", "Is led: Please choose one of the options."),
    ("name=a%00b", "Name: This must be a single line of text."),
    (f"name={'x' * 201}", "Name: This is too long: it may have 200 characters."),
]
IGNORED = [
    "", "page=", "sort=", "name=", "price.from=&price.to=", "number=8", "unknown=1", "page=x&page=1", "&&&",
    "=", "%",
]  # fmt: skip


@rows("query, error", WRONG)
@pytest.mark.parametrize("path", ["/lamps", "/fetched"])
def test_a_wrong_query_is_an_error_and_no_rows(path, query, error):
    response = client.get(f"{path}?{query}")
    assert (response.status, "<script>" in response.text) == (422, False)
    assert error in parsed(response.text).all("div")[1].text
    assert "<tbody>\n\n</tbody>" in response.text


@rows(
    "query, status",
    [("watts.from=2147483647", 200), ("watts.from=2147483648", 422), ("watts.to=-2147483649", 422), ("page=2", 404)],
)
def test_integers_are_those_of_all_databases(query, status):
    made = Table(type(LAMPS[0]), Request.blank(f"/?{query}"), LAMPS[:2], caption="x", filters=["watts"])
    assert made.status == status


@rows("query", IGNORED)
def test_empty_parameters_and_those_of_others_change_nothing(query):
    response = client.get(f"/lamps?{query}")
    assert (response.status, names(response.text)) == (200, [lamp.name for lamp in LAMPS[:20]])


def names(html: str) -> list[str]:
    return [unescape(re.sub("<.*?>", "", each)) for each in re.findall('<th scope="row".*?</th>', html)]


CHOSEN: list[tuple[str, Any, Any, bool]] = [
    ("sort=name", lambda lamp: True, lambda lamp: lamp.name.casefold(), False),
    ("sort=-name", lambda lamp: True, lambda lamp: lamp.name.casefold(), True),
    ("sort=price", lambda lamp: True, lambda lamp: lamp.price, False),
    ("sort=day", lambda lamp: True, lambda lamp: (lamp.day is None, lamp.day or date.max), False),
    ("sort=-day", lambda lamp: True, lambda lamp: (lamp.day is None, lamp.day or date.max), True),
    ("name=DESK", lambda lamp: "Desk" in lamp.name, None, False),
    ("name=%3Cb%3E", lambda lamp: "<b>" in lamp.name, None, False),
    ("state=sold", lambda lamp: lamp.state == "sold", None, False),
    ("is_led=true", lambda lamp: lamp.is_led, None, False),
    ("is_led=false", lambda lamp: not lamp.is_led, None, False),
    ("price.from=50&price.to=60.5", lambda lamp: 50 <= lamp.price <= Decimal("60.5"), None, False),
    ("day.from=2030-02-03", lambda lamp: lamp.day is not None and lamp.day >= date(2030, 2, 3), None, False),
    ("day.to=2030-02-03", lambda lamp: lamp.day is not None and lamp.day <= date(2030, 2, 3), None, False),
    ("state=new&sort=-watts", lambda lamp: lamp.state == "new", lambda lamp: lamp.watts, True),
    ("name=nothing", lambda lamp: False, None, False),
]  # fmt: skip


@pytest.mark.axes("path")
@rows("query, is_chosen, key, is_descending", CHOSEN)
@pytest.mark.parametrize("path", ["/lamps", "/fetched"])
def test_rows_are_filtered_and_sorted_and_all_of_them_are_in_the_csv(path, query, is_chosen, key, is_descending):
    wanted = [lamp for lamp in LAMPS if is_chosen(lamp)]
    if key:
        wanted.sort(key=key, reverse=is_descending)
    response = client.get(f"{path}?{query}")
    assert (response.status, names(response.text)) == (200, [lamp.name for lamp in wanted[:20]])
    assert ("There is nothing to show." in response.text) == (not wanted)
    download = client.get(f"{path}?{query}&page=3&format=csv")
    assert download.headers["content-disposition"] == "attachment; filename=lamps.csv"
    read = list(csv.DictReader(download.text.removeprefix("\ufeff").splitlines()))
    assert [row["name"].removeprefix("'") for row in read] == [lamp.name for lamp in wanted]


def test_links_lead_through_the_pages_and_keep_what_was_chosen():
    url, seen = "/lamps?name=desk&sort=-price&lang=de", []
    while url:
        page = parsed(client.get(url).text)
        seen += [each.text for each in page.all("th") if each.get("scope") == "row"]
        links = {each.get("rel"): each.get("href") for each in page.all("a")}
        url = links.get("next")
        assert all("name=desk" in link and "lang=de" in link for link in links.values() if "?" in link)
    desks = [lamp for lamp in LAMPS if "Desk" in lamp.name]
    assert seen == [lamp.name for lamp in sorted(desks, key=lambda lamp: lamp.price, reverse=True)]
    late = client.get("/lamps?page=99&name=desk")
    assert (late.status, 'rel="prev" href="/lamps?name=desk"' in late.text) == (404, True)


WHOLE = """\
<div class="table" id="lamp-table">
<form method="get" role="search" class="filters" aria-labelledby="lamp-table-caption">
<input type="hidden" name="sort" value="-watts">
<input type="hidden" name="lang" value="de">
<div class="field">
<label for="lamp-table-filter_0_from">Watts, from</label>
<input type="number" id="lamp-table-filter_0_from" name="watts.from">
</div>
<div class="field">
<label for="lamp-table-filter_0_to">Watts, to</label>
<input type="number" id="lamp-table-filter_0_to" name="watts.to">
</div>
<div class="field">
<label for="lamp-table-filter_1">Is led</label>
<select id="lamp-table-filter_1" name="is_led">
<option value=""></option>
<option value="true">Yes</option>
<option value="false">No</option>
</select>
</div>
<button type="submit">Filter</button>
</form>
<div class="scrolls" tabindex="0" role="region" aria-labelledby="lamp-table-caption">
<table>
<caption id="lamp-table-caption">Lamps</caption>
<thead><tr><th scope="col">Name</th>\
<th scope="col" class="number" aria-sort="descending">\
<a href="/lamps?sort=watts&amp;lang=de">\
Watts<span aria-hidden="true"> ▼</span></a></th>\
<th scope="col" class="date">Day</th><th scope="col">Is led</th></tr></thead>
<tbody>
<tr><th scope="row"><a href="/Wall"><bdi>Wall</bdi></a></th>\
<td class="number"><bdi dir="ltr">6</bdi></td>\
<td class="date"><bdi dir="ltr">2030-01-04</bdi></td><td>Yes</td></tr>
</tbody>
</table>
</div>
<nav class="pages" aria-labelledby="lamp-table-caption">
<a rel="prev" href="/lamps?sort=-watts&amp;page=1&amp;lang=de">Previous page</a>
<span>Page 2</span>
<a rel="next" href="/lamps?sort=-watts&amp;page=3&amp;lang=de">Next page</a>
<a download="lamps.csv" href="/lamps?sort=-watts&amp;lang=de&amp;format=csv">Download as CSV</a>
</nav>
</div>"""


class TestMarkup:
    def test_is_that_of_a_form_a_table_and_links(self):
        @dataclass
        class Lamp:
            name: str
            watts: int
            day: date
            is_led: bool = True

        lamps = [Lamp("Desk", 5, date(2030, 1, 2)), Lamp("Floor", 7, date(2030, 1, 3), False)]
        lamps.append(Lamp("Wall", 6, date(2030, 1, 4)))
        made = Table(
            Lamp, Request.blank("/lamps?sort=-watts&page=2&lang=de"), lamps, caption="Lamps", size=1, csv="lamps.csv",
            filters=["watts", "is_led"], sortable=["watts"], link=lambda lamp: f"/{lamp.name}",
        )  # fmt: skip
        assert (str(made), made.status) == (WHOLE, 200)

    def test_says_what_is_sorted_and_links_to_the_other_order(self):
        page = parsed(client.get("/lamps?sort=price&page=2").text)
        by_text = {each.text.strip(" ▲"): each for each in page.all("th") if each.get("scope") == "col"}
        assert by_text["Price"].get("aria-sort") == "ascending"
        assert {each.get("aria-sort") for name, each in by_text.items() if name != "Price"} == {None}
        assert {each.text: each.get("href") for each in page.all("a") if "sort" in (each.get("href") or "")}[
            "Price ▲"
        ] == ("/lamps?sort=-price")

    def test_escapes_everything_but_cells_that_are_html(self):
        @dataclass
        class Item:
            name: Annotated[str, Field(label="<i>")]

        evil = "\"'><script>&"
        request = Request.blank("/?x=%22%3E%3Cscript%3E&name=%3Cscript%3E")
        cells = {"more": lambda item: item.name, "html": lambda item: Markup("<b>")}
        link, filters = (lambda item: f"/{item.name}"), ["name"]
        table = Table(
            Item, request, [Item(evil)], caption=evil, csv=evil, cells=cells, link=link, filters=filters, size=1
        )
        html = str(table).replace("<b>", "")
        assert ("<script" in html, "<i>" in html, html.count("&lt;script")) == (False, False, 7)

    def test_shows_values_as_people_write_them(self):
        class Size(enum.Enum):
            SMALL = 1

        class Item(Struct):
            size: Size
            tags: list[Literal["a", "b"]]
            is_new: bool | None
            seen: datetime | None
            secret: Annotated[str, Field(widget="password")] = ""
            version: Annotated[int, Field(widget="hidden")] = 0
            file: Upload | None = None

        shown = str(
            Table(Item, Request.blank("/"), [Item(Size.SMALL, ["a", "b"], None, datetime(2030, 1, 2, 3))], caption="x")
        )
        cells = [each.text for each in parsed(shown).all("td")]
        assert (names(shown), cells) == (["Small"], ["a, b", "", "2030-01-02 03:00:00"])

    def test_is_in_the_language_of_the_request(self, tmp_path):
        (tmp_path / "de.json").write_text('{"form.table.next": "Weiter", "form.table.from": "{label} ab"}')
        german = App()
        german.use(Languages(tmp_path, default="en"))
        german.get("/")(lambda request: Table(type(LAMPS[0]), request, LAMPS, caption="x", filters=["price"], size=5))
        shown = Client(german).get("/", headers={"accept-language": "de"}).text
        assert (">Weiter</a>" in shown, ">Price ab</label>" in shown) == (True, True)
        table = Table(type(LAMPS[0]), Request.blank("/"), LAMPS, caption="x", size=5, messages={"table.next": "Plus"})
        assert ">Plus</a>" in str(table)

    def test_of_two_tables_has_different_ids_and_parameters(self):
        request = Request.blank("/?a-sort=name&b-sort=-price&b-page=2")
        one, two = (
            Table(type(LAMPS[0]), request, LAMPS, caption="x", prefix=each, filters=["name"]) for each in ("a-", "b-")
        )
        assert (one.query.order, two.query.order, two.query.offset) == (("name",), ("-price",), 25)
        ids = [each.get("id") for each in parsed(f"{one}{two}").all() if each.get("id")]
        assert len(ids) == len({*ids})
        assert '<input type="hidden" name="b-sort" value="-price">' in str(one)


FORMULAS = [
    *(("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\tx", "'\tx"), ("a=1", "a=1"), ("", "")),
    *((f"{sign}1", f"'{sign}1") for sign in WIDE_SIGNS),
    *(("x;=1", "x;'=1"), ('x;"=1"', 'x;\'"=1"'), ("x\t\uff1d1", "x\t'\uff1d1"), ("x\n=1", "x\n'=1")),
    ("x; y-1", "x; y-1"),
]


@pytest.fixture(scope="module")
def formulas():
    @dataclass
    class Item:
        text: str
        name: str
        number: int

    made, items = App(), [Item(text, text, -1) for text, _ in FORMULAS]
    made.get("/")(lambda request: Table(Item, request, items, caption="x", csv="x").csv())
    return Client(made).get("/").text.removeprefix("\ufeff")


class TestCSV:
    @pytest.mark.parametrize("delimiter", [",", ";"])
    def test_is_read_back_by_values_as(self, delimiter):
        @dataclass
        class Item:
            name: str
            price: Decimal
            day: date | None
            is_new: bool
            degrees: float

        items = [
            Item('a "b",\nc', Decimal("1.50"), None, True, -1.5),
            Item("ü", Decimal(0), date(2030, 1, 2), False, 0.1),
        ]
        loads = App()
        made = lambda request: Table(Item, request, items, caption="x", csv="x.csv")  # noqa: E731
        loads.get("/")(lambda request: made(request).csv(delimiter=delimiter))
        loads.post("/")(lambda request: {"same": list(request.values_as(Item, delimiter=delimiter)) == items})
        both = Client(loads)
        sent = both.get("/?format=csv").body
        assert both.post("/", body=sent, headers={"content-type": "text/csv"}).json == {"same": True}

    def test_of_a_path_of_its_own_has_all_rows_or_none(self):
        made = App()
        made.get("/x.csv")(lambda request: Table(type(LAMPS[0]), request, LAMPS, caption="x", filters=["price"]).csv())
        assert len(Client(made).get("/x.csv?page=2").text.splitlines()) == len(LAMPS) + 1
        wrong = Client(made).get("/x.csv?price.from=x")
        assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/price.from")

    def test_has_a_sign_before_each_formula(self, formulas):
        header, *found = csv.reader(io.StringIO(formulas, newline=""))
        assert header == ["text", "name", "number"]
        assert found == [[expected, expected, "-1"] for _, expected in FORMULAS]

    @rows("separator", ",;\t")
    def test_has_no_formulas_for_programs_with_another_separator(self, formulas, separator):
        found = csv.reader(io.StringIO(formulas, newline=""), delimiter=separator)
        cells = [cell.lstrip('"') for row in found for cell in row if cell.strip('"') != "-1"]
        assert len(cells) > len(FORMULAS)
        assert [cell for cell in cells if cell.startswith((*"=+-@\t", *WIDE_SIGNS))] == []

    def test_of_many_rows_is_sent_in_pieces(self):
        rows = [SimpleNamespace(name=f"{number} {'x' * 50}") for number in range(3000)]

        @dataclass
        class Item:
            name: str

        response = Table(Item, Request.blank("/"), rows, caption="x").csv()
        pieces = list(response.body)
        assert (len(pieces), max(map(len, pieces)) < 70_000) == (3, True)
        found = csv.reader(io.StringIO("".join(map(str, pieces)).removeprefix("\ufeff")))
        assert [row for (row,) in found] == ["name", *[row.name for row in rows]]
        assert str(response.content_disposition) == "attachment; filename=table.csv"


class TestQuery:
    def test_is_the_arguments_of_djangos_filter(self):
        query = TableQuery(("-price",), (("name", "icontains", "50%"), ("price", "gte", 5)), 20, 11)
        assert query.lookups == {"name__icontains": "50%", "price__gte": 5}
        assert (query.slice, replace(query, limit=None).slice) == (slice(20, 31), slice(20, None))


class TestRowsOf:
    def test_mappings_and_times_of_any_zone(self):
        class Event(TypedDict):
            at: datetime

        noon = datetime(2030, 1, 2, 12)
        events = [{"at": noon}, {"at": noon.replace(tzinfo=UTC)}, {"at": None}, {"at": datetime(2030, 1, 3)}]
        table = Table(
            Event, Request.blank("/?at.from=2030-01-02&at.to=2030-01-02"), events, caption="x", filters=["at"]
        )
        assert len(names(str(table))) == 2

    def test_a_function_that_is_async(self):
        async def shown():
            async def fetch(query: TableQuery):
                return query.rows_of([SimpleNamespace(name="tea"), SimpleNamespace(name="oats")])

            @dataclass
            class Item:
                name: str

            table = Table(Item, Request.blank("/?sort=name"), fetch, caption="x")
            with pytest.raises(RuntimeError, match=r"write `await table.aload\(\)`"):
                str(table)
            await table.aload()
            return names(str(table))

        assert asyncio.run(shown()) == ["oats", "tea"]

    def test_nothing_is_fetched_for_a_wrong_query(self):
        @dataclass
        class Item:
            name: str

        asked: list[TableQuery] = []
        for query in ("page=0", "sort=x", "format=csv&sort=x"):
            Table(Item, Request.blank(f"/?{query}"), lambda query: asked.append(query) or (), caption="x", csv="x")
        assert asked == []
        Table(Item, Request.blank("/?page=3&sort=-name"), lambda query: asked.append(query) or (), caption="x", size=10)
        assert [(each.order, each.offset, each.limit, each.slice) for each in asked] == [
            (("-name",), 20, 11, slice(20, 31))
        ]


class TestMistakes:
    @rows(
        "options",
        [{"columns": ["nam"]}, {"sort": "-nam"}, {"filters": ["nam"]}, {"sortable": ["nam"]}, {"filters": ["more"]}],
    )
    def test_a_column_that_the_class_lacks_is_named(self, options):
        @dataclass
        class Item:
            name: str
            tags: list[str] = field(default_factory=list)

        with pytest.raises(
            ValueError, match=r"the table of .*Item has no such column: '(nam|more)'; it has name, tags"
        ):
            Table(Item, Request.blank("/"), caption="x", cells={"more": str}, **options)
        with pytest.raises(ValueError, match=r"no such column: 'tags'.* lists can't be sorted or filtered"):
            Table(Item, Request.blank("/"), caption="x", filters=["tags"])

    def test_a_filter_that_would_be_the_page_is_refused(self):
        @dataclass
        class Item:
            page: str

        with pytest.raises(ValueError, match="can't be named sort, page or format"):
            Table(Item, Request.blank("/"), caption="x", filters=["page"])

    def test_csv_that_is_not_returned_says_what_to_write(self):
        table = Table(type(LAMPS[0]), Request.blank("/?format=csv"), LAMPS, caption="x", csv="x.csv")
        with pytest.raises(RuntimeError, match=r"`if table.is_csv: return table.csv\(\)`"):
            str(table)
