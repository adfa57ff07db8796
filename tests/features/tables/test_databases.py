"""Tables of a database's rows: only those of one page are fetched, by SQLAlchemy and by Django."""

import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Literal

import pytest

from antiphon import App, Request
from antiphon.features import Table, TableQuery
from antiphon.testing import Client
from tests.features.tables.test_table import names
from tests.helpers.django_settings import OPTIONS, without_settings
from tests.helpers.rows import rows

pytestmark = pytest.mark.processes


@dataclass
class Item:
    name: str
    price: Decimal
    state: Literal["new", "sold"]
    day: date | None
    number: int


ITEMS = [
    Item(f"{'100% a_b' if n % 2 else 'tea'} {n % 7}", Decimal(f"{n % 10}.50"), "sold" if n % 3 else "new", None, n)
    for n in range(1, 61)
]
ITEMS[3].day = date(2030, 1, 2)
QUERIES = [
    "", "sort=price", "sort=-price", "sort=name&page=2", "sort=-number&page=6", "name=100%25", "name=A_B+3", "name=%5C",
    "name='%3B--", "price.from=3&price.to=4.5&sort=number", "state=new&sort=-price", "day.from=2030-01-02",
    "number.to=5", "number.from=2147483647", "number.to=-2147483648", "number.from=9223372036854775807",
    "price.from=1e17", "day.to=2030-01-01",
]  # fmt: skip


def table_of(request, found, **options):
    filters = ["name", "price", "state", "day", "number"]
    return Table(Item, request, found, caption="Items", filters=filters, size=10, sort="number", csv="x.csv", **options)


SELECTED = """
SELECT lamps.id, lamps.name, lamps.price FROM lamps
WHERE (lower(lamps.name) LIKE '%' || lower('50/%') || '%' ESCAPE '/') AND lamps.price >= 5 AND lamps.price <= 9
AND lamps.id = 7 ORDER BY lamps.price DESC, lamps.id LIMIT 11 OFFSET 20
"""


def test_a_query_is_a_select_of_sqlalchemy():
    sql = pytest.importorskip("sqlalchemy")
    columns = [sql.Column("id", sql.Integer, primary_key=True), sql.Column("name", sql.String)]
    lamps = sql.Table("lamps", sql.MetaData(), *columns, sql.Column("price", sql.Integer))
    query = TableQuery(
        ("-price",), (("name", "icontains", "50%"), ("price", "gte", 5), ("price", "lte", 9), ("id", "exact", 7)),
        20, 11, ("id", "name", "price"),
    )  # fmt: skip
    made = query.select(sql.select(lamps).order_by(lamps.c.name))
    assert str(made.compile(compile_kwargs={"literal_binds": True})).split() == SELECTED.split()
    with pytest.raises(TypeError, match="select 'price' too, or leave it out of sortable and filters"):
        query.select(sql.select(lamps.c.id, lamps.c.name))


def check_queries(fetch):
    """Compare the tables of a function that fetches rows with those of the same rows in memory."""
    for query in QUERIES:
        request = Request.blank(f"/?{query}")
        expected = table_of(request, ITEMS)
        assert (query, str(table_of(request, fetch))) == (query, str(expected))


def models():
    sqlalchemy = pytest.importorskip("sqlalchemy")
    orm = pytest.importorskip("sqlalchemy.orm")

    class Base(orm.DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = "items"
        number: orm.Mapped[int] = orm.mapped_column("its_number", primary_key=True)
        name: orm.Mapped[str]
        price: orm.Mapped[Decimal] = orm.mapped_column(sqlalchemy.Numeric(8, 2))
        state: orm.Mapped[str]
        day: orm.Mapped[date | None]
        note: orm.Mapped[str] = orm.mapped_column(default="")

    return sqlalchemy, orm, Base, Row


@contextmanager
def filled(url):
    sqlalchemy, orm, base, row = models()
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    base.metadata.create_all(engine)
    try:
        with orm.Session(engine) as session:
            session.add_all([row(**vars(item)) for item in ITEMS])
            session.commit()
            yield session, sqlalchemy.select, row
    finally:
        base.metadata.drop_all(engine)
        engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_select_of_sqlalchemy_has_the_rows_of_the_page(kind, tmp_path, request):
    url = f"sqlite:///{tmp_path}/items.db" if kind == "sqlite" else request.getfixturevalue("postgres")
    with filled(url) as (session, select, row):
        check_queries(lambda query: session.scalars(query.select(select(row).order_by(row.note))))
        columns = [row.name, row.price, row.state, row.day, row.number]
        check_queries(lambda query: session.execute(query.select(select(*columns).where(row.number < 100))))
        table = row.__table__
        columns = [table.c.name, table.c.price, table.c.state, table.c.day, table.c.its_number.label("number")]
        check_queries(lambda query: session.execute(query.select(select(*columns))))
        alias = pytest.importorskip("sqlalchemy.orm").aliased(row)
        check_queries(lambda query: session.scalars(query.select(select(alias))))
        with pytest.raises(TypeError, match="select 'price' too, or leave it out of sortable and filters"):
            table_of(Request.blank("/"), lambda query: session.execute(query.select(select(row.name))))


def test_rows_are_read_before_the_session_is_closed(tmp_path):
    app = App()
    with filled(f"sqlite:///{tmp_path}/items.db") as (session, select, row):

        @app.get("/")
        def index(request: Request):
            table = table_of(request, lambda query: session.scalars(query.select(select(row))))
            session.rollback()  # which expires all objects
            session.expunge_all()
            return table, table.status

        assert names(Client(app).get("/?sort=-number").text)[0] == ITEMS[-1].name


def test_a_million_rows_are_not_loaded(tmp_path):
    sqlalchemy, orm, base, row = models()
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/items.db")
    base.metadata.create_all(engine)
    insert = """with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)
        insert into items select i, 'Lamp ' || i, i % 100, 'new', null, '' from n"""
    fetched = 0
    with orm.Session(engine) as session:
        session.execute(sqlalchemy.text(insert))

        def fetch(query: TableQuery):
            nonlocal fetched
            for each in session.execute(query.select(sqlalchemy.select(row)), execution_options={"yield_per": 500}):
                fetched += 1
                yield each[0]

        tracemalloc.start()
        try:
            html = str(table_of(Request.blank("/?page=3&sort=-number"), fetch))
            assert (names(html)[0], fetched) == ("Lamp 999980", 11)
            first = [*islice(table_of(Request.blank("/?format=csv"), fetch).csv().body, 3)]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    engine.dispose()
    assert peak < 5_000_000
    assert (len(first), fetched < 20_000) == (3, True)


@rows("query", ["format=csv&sort=-number", "format=csv&name=tea"])
def test_csv_has_all_rows_of_a_select(query, tmp_path):
    app = App()
    with filled(f"sqlite:///{tmp_path}/items.db") as (session, select, row):
        app.get("/memory")(lambda request: table_of(request, ITEMS).csv())
        app.get("/select")(
            lambda request: table_of(request, lambda query: session.scalars(query.select(select(row)))).csv()
        )
        client = Client(app)
        assert client.get(f"/select?{query}").text == client.get(f"/memory?{query}").text


def test_lookups_of_django(tmp_path):
    django = pytest.importorskip("django")
    with without_settings():
        from django.conf import settings

        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "items.db"}
        settings.configure(**OPTIONS, DATABASES={"default": database})
        django.setup(set_prefix=False)
        from django.db import connections, models

        class Stored(models.Model):
            number = models.IntegerField(primary_key=True)
            name = models.CharField(max_length=20)
            price = models.DecimalField(max_digits=8, decimal_places=2)
            state = models.CharField(max_length=4)
            day = models.DateField(null=True)

            class Meta:
                app_label = "items"

        with connections["default"].schema_editor() as editor:
            editor.create_model(Stored)
        Stored.objects.bulk_create([Stored(**vars(item)) for item in ITEMS])
        check_queries(lambda query: Stored.objects.filter(**query.lookups).order_by(*query.order, "pk")[query.slice])
        connections.close_all()
