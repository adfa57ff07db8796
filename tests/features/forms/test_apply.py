"""A form that shows an object and writes the submitted values back: to dataclasses, Structs, mappings and models."""

import datetime
import enum
from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from msgspec import Struct

from antiphon import App, Request, Upload
from antiphon.features import Field, Form
from antiphon.testing import Client
from tests.features.forms.test_form import made, post, sent
from tests.helpers.django_settings import OPTIONS, without_settings
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class State(enum.Enum):
    OPEN = "open"
    DONE = "done"


@dataclass
class Edit:
    """The form of all tests: its order has more members than it shows."""

    name: str
    price: Decimal = Decimal(0)
    day: datetime.datetime | None = None
    state: State = State.OPEN
    tags: Annotated[list[Literal["new", "old"]], Field(widget="checkbox")] = field(default_factory=list)
    is_paid: bool = False


NOON = datetime.datetime(2030, 1, 2, 12, 0, 0, 123456)
VALUES: dict[str, Any] = {
    "id": 7, "name": "tea", "price": Decimal("2.50"), "day": NOON, "state": State.OPEN, "tags": ["new"],
    "is_paid": True, "owner": "ada",
}  # fmt: skip
SENT = {
    "name": "tea", "price": "2.5", "day": "2030-01-02T12:00:00.123", "state": "open", "tags": "new", "is_paid": "on",
}  # fmt: skip


@dataclass
class Order:
    id: int
    name: str
    price: Decimal
    day: datetime.datetime | None
    state: State
    tags: list[str]
    is_paid: bool
    owner: str


class OrderStruct(Struct):
    id: int
    name: str
    price: Decimal
    day: datetime.datetime | None
    state: State
    tags: list[str]
    is_paid: bool
    owner: str


MAKERS = {"dataclass": Order, "Struct": OrderStruct, "dict": dict, "namespace": SimpleNamespace}


def members(target: Any) -> dict[str, Any]:
    return {key: target[key] if isinstance(target, dict) else getattr(target, key) for key in VALUES}


CHANGES = [
    ({}, {}), ({"name": "oats"}, {"name": "oats"}), ({"price": "2.500"}, {}), ({"price": "3"}, {"price": Decimal(3)}),
    ({"day": ""}, {"day": None}), ({"day": "2030-01-02T12:00"}, {"day": NOON.replace(microsecond=0)}),
    ({"state": "done"}, {"state": State.DONE}), ({"tags": None}, {"tags": []}),
    ({"is_paid": None}, {"is_paid": False}), ({"price": None, "day": None, "state": None}, {}),
    ({"id": "8", "owner": "eve"}, {}), ({"name": "oats", "is_paid": None}, {"name": "oats", "is_paid": False}),
]  # fmt: skip


@rows("change, expected", CHANGES)
@pytest.mark.parametrize("kind", MAKERS)
def test_only_what_was_sent_and_differs_is_written(kind, change, expected):
    target = MAKERS[kind](**VALUES)
    pairs = {key: text for key, text in {**SENT, **change}.items() if text is not None}
    form = Form(Edit, post(pairs), initial=target)
    assert form.validate(), form.errors
    assert sorted(form.apply(target)) == sorted(expected)
    assert members(target) == {**VALUES, **expected}


def test_a_member_that_is_shown_the_same_is_left_alone():
    target = SimpleNamespace(name="tea", price=2.5, day=None, state="open", tags=("new",), is_paid=1)
    before = dict(vars(target))
    form = Form(made(str, ""), post({"f": ""}))
    assert form.validate()
    assert form.apply(holder := SimpleNamespace(f=None)) == []
    form = Form(Edit, post({**SENT, "day": ""}), initial=target)
    assert form.validate()
    assert (form.apply(target), vars(target), holder.f) == ([], before, None)


def test_disabled_passwords_and_files_are_not_written():
    @dataclass
    class Account:
        name: str
        role: Annotated[str, Field(attributes={"disabled": True})]
        is_admin: Annotated[bool, Field(attributes={"disabled": "disabled"})]
        password: Annotated[str, Field(widget="password")] = ""
        picture: Upload | None = None

    ada = SimpleNamespace(name="Ada", role="guest", is_admin=True, password="hash", picture="ada.png")
    forged = {"name": "Eve", "role": "owner", "password": "", "picture": "eve.png"}
    form = Form(Account, post(forged), initial=ada)
    assert form.validate()
    assert (form.data.role, form.data.is_admin) == ("guest", True)
    assert form.apply(ada) == ["name"]
    assert vars(ada) == {"name": "Eve", "role": "guest", "is_admin": True, "password": "hash", "picture": "ada.png"}


class TestErrors:
    @rows("pairs, why", [({"name": "", "price": "x"}, r"it has errors \(name, price\)")])
    def test_an_invalid_form_is_not_applied(self, pairs, why):
        form = sent(Edit, pairs)
        with pytest.raises(RuntimeError, match=f"{why}; write `if form.validate"):
            form.apply(Order(**VALUES))

    def test_neither_is_one_that_was_not_validated_or_whose_check_failed(self):
        for form in (Form(Edit, Request.blank("/")), Form(Edit, post(SENT))):
            with pytest.raises(RuntimeError, match="it was not validated"):
                form.apply(Order(**VALUES))
        form = sent(Edit, SENT)
        form.add_error(None, "Taken.")
        with pytest.raises(RuntimeError, match="the whole form"):
            form.apply(Order(**VALUES))

    def test_a_member_that_the_object_lacks_is_named(self):
        target = SimpleNamespace(name="tea", price=1)
        with pytest.raises(
            TypeError, match=r"SimpleNamespace lacks the member 'day': add it to .*, or leave it out of .*Edit"
        ):
            sent(Edit, {**SENT, "name": "oats"}).apply(target)
        assert vars(target) == {"name": "tea", "price": 1}

    def test_an_object_that_refuses_a_value_keeps_all_of_them(self):
        class Strict(SimpleNamespace):
            price = property(lambda self: Decimal(1))

        class Picky(SimpleNamespace):
            def __setattr__(self, key, value):
                if value == Decimal(9):
                    raise ValueError("too dear")
                super().__setattr__(key, value)

        rest = {key: VALUES[key] for key in ("name", "day", "state", "tags", "is_paid")}
        form = sent(Edit, {**SENT, "name": "oats", "price": "9"})
        strict, picky = Strict(**rest), Picky(**rest, price=1)
        with pytest.raises(TypeError, match=r"Strict can't be written \('price': .*\): use form.data in its place"):
            form.apply(strict)
        with pytest.raises(ValueError, match="too dear"):
            form.apply(picky)
        assert (strict.name, picky.name) == ("tea", "tea")
        frozen = make_dataclass("Frozen", [("f", str)], frozen=True)("tea")
        with pytest.raises(TypeError, match="can't be written"):
            sent(made(str), {"f": "oats"}).apply(frozen)
        with pytest.raises(TypeError, match=r"lacks|can't be written"):
            sent(made(str), {"f": "oats"}).apply(MappingProxyType({"f": "tea"}))


FLOOR = {"name": "Floor", "price": "9.5", "state": "done", "day": ""}
DESK = {"name": "Desk", "price": "9.5", "state": "open", "day": "2030-01-02", "is_sold": "true"}


def lamp_form(state: Any) -> Any:
    hidden = Annotated[int, Field(widget="hidden")]
    fields = {"name": str, "price": Decimal, "state": state, "version": hidden, "day": datetime.date | None}
    return make_dataclass("LampForm", [*fields.items(), ("is_sold", bool, False)])


def check_edits(wanted, edit):
    """Edit a lamp over HTTP. ``edit`` calls a function with the lamp and saves the members that it returns."""
    app = App()

    def show(request, lamp):
        form = Form(wanted, request, initial=lamp)
        if form.validate() and form.data.version != lamp.version:
            form.add_error(None, "Somebody else has changed this lamp.", code="conflict")
        changed = form.apply(lamp) if form.is_bound and form.is_valid else []
        return ((form, form.status) if not form.is_bound or form.errors else {"changed": changed}), changed

    app.route("/", ["GET", "POST"])(lambda request: edit(lambda lamp: show(request, lamp)))
    client = Client(app)
    shown = client.get("/").text
    for part in (
        'value="Desk"',
        'value="9.50"',
        'value="open" selected',
        'value="2030-01-02"',
        "checked",
        'name="version" value="1"',
    ):
        assert part in shown, part
    assert client.post("/", form={**DESK, "version": "1"}).json == {"changed": []}
    assert client.post("/", form={**FLOOR, "version": "1", "price": "dear"}).status == 422
    forged = {**FLOOR, "version": "1", "owner": "eve", "id": "2"}
    assert client.post("/", form=forged).json == {"changed": ["name", "state", "day", "is_sold"]}
    late = client.post("/", form={**DESK, "version": "1"})
    assert (late.status, "Somebody else" in late.text) == (422, True)


class TestModels:
    """Rows of real tables, edited by a form over HTTP."""

    def test_of_sqlalchemy(self, tmp_path):
        sqlalchemy = pytest.importorskip("sqlalchemy")
        orm = pytest.importorskip("sqlalchemy.orm")

        class Base(orm.DeclarativeBase):
            pass

        class Lamp(Base):
            __tablename__ = "lamps"
            id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
            name: orm.Mapped[str]
            price: orm.Mapped[Decimal] = orm.mapped_column(sqlalchemy.Numeric(8, 2))
            state: orm.Mapped[State]
            day: orm.Mapped[datetime.date | None]
            is_sold: orm.Mapped[bool]
            version: orm.Mapped[int] = orm.mapped_column(default=1)
            owner: orm.Mapped[str]
            __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

        def edit(change):
            with orm.Session(engine) as session, session.begin():
                return change(session.get(Lamp, 1))[0]

        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/lamps.db")
        Base.metadata.create_all(engine)
        with orm.Session(engine) as session, session.begin():
            day = datetime.date(2030, 1, 2)
            session.add(Lamp(name="Desk", price=Decimal("9.50"), state=State.OPEN, day=day, is_sold=True, owner="ada"))
        check_edits(lamp_form(State), edit)
        with orm.Session(engine) as session:
            lamp = session.get(Lamp, 1)
            assert (lamp.name, lamp.price, lamp.state, lamp.day) == ("Floor", Decimal("9.50"), State.DONE, None)
            assert (lamp.is_sold, lamp.owner, lamp.version) == (False, "ada", 2)
        engine.dispose()

    def test_of_django(self, tmp_path):
        django = pytest.importorskip("django")
        with without_settings():
            from django.conf import settings

            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "lamps.db"}
            settings.configure(**OPTIONS, DATABASES={"default": database})
            django.setup(set_prefix=False)
            from django.db import connections, models

            class Lamp(models.Model):
                name = models.CharField(max_length=20)
                price = models.DecimalField(max_digits=8, decimal_places=2)
                state = models.CharField(max_length=4)
                day = models.DateField(null=True)
                is_sold = models.BooleanField()
                version = models.IntegerField(default=1)
                owner = models.CharField(max_length=9)

                class Meta:
                    app_label = "shop"

            def edit(change):
                lamp = Lamp.objects.get(id=1)
                result, changed = change(lamp)
                if changed:
                    lamp.version += 1
                    lamp.save(update_fields=[*changed, "version"])
                connections.close_all()
                return result

            with connections["default"].schema_editor() as editor:
                editor.create_model(Lamp)
            Lamp.objects.create(name="Desk", price="9.50", state="open", day="2030-01-02", is_sold=True, owner="ada")
            check_edits(lamp_form(Literal["open", "done"]), edit)
            lamp = Lamp.objects.get(id=1)
            connections.close_all()
            assert (lamp.name, lamp.price, lamp.state, lamp.day) == ("Floor", Decimal("9.50"), "done", None)
            assert (lamp.is_sold, lamp.owner, lamp.version) == (False, "ada", 2)
