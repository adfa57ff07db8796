"""A bank's ledger: accounts, transfers, holds, API keys with scopes, and money that is never a float."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID, uuid4

from msgspec import Meta, Struct

from antiphon import App, Blueprint, Request, Response, abort, decimal_meta
from antiphon.features import APIKey, IdempotentWrites, MemoryStore, OpenAPI, RateLimit, Users, scopes_required
from antiphon.http import Conflict, Link

Money = Annotated[Decimal, decimal_meta(gt=0, le=10**9, places=2, json="string")]
Balance = Annotated[Decimal, decimal_meta(ge=-(10**12), le=10**12, places=2, json="string")]
Instant = Annotated[datetime, Meta(tz=True)]
Currency = Literal["EUR", "CHF"]
Name = Annotated[str, Meta(min_length=1, max_length=70, pattern=r"^[^\x00-\x1f]+$")]
Scope = Literal["accounts", "transfers", "keys"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class AccountToOpen(Struct):
    name: Name
    currency: Currency = "EUR"
    overdraft: Annotated[Decimal, decimal_meta(ge=0, le=10**6, places=2, json="string")] = Decimal(0)


class Account(AccountToOpen, kw_only=True):
    id: UUID
    opened: Instant
    balance: Balance = Decimal(0)
    held: Balance = Decimal(0)


class TransferOrder(Struct):
    source: UUID
    target: UUID
    amount: Money
    reference: Annotated[str, Meta(max_length=140)] | None = None


class Transfer(TransferOrder, kw_only=True):
    id: UUID
    booked: Instant


class HoldOrder(Struct):
    amount: Money


class Hold(HoldOrder, kw_only=True):
    id: UUID
    account: UUID
    state: Literal["open", "captured"] = "open"


class Entry(Struct):
    number: int
    amount: Balance
    transfer: UUID


class Page(Struct):
    after: Annotated[int, Meta(ge=0, le=2**53 - 1, description="The last entry of the page before.")] = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class KeyOrder(Struct):
    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=3)]


class Ledger:
    """Everything that the bank knows."""

    def __init__(self) -> None:
        self.accounts: dict[UUID, Account] = {}
        self.transfers: dict[UUID, Transfer] = {}
        self.holds: dict[UUID, Hold] = {}
        self.entries: dict[UUID, list[Entry]] = defaultdict(list)

    def account(self, id: UUID) -> Account:
        return self.accounts.get(id) or abort(404, "There is no such account.")

    def entries_after(self, id: UUID, number: int) -> list[Entry]:
        return [each for each in self.entries[id] if each.number > number]

    def check(self, account: Account, amount: Decimal) -> None:
        available: Decimal = account.balance + account.overdraft - account.held
        if available < amount:
            members = {"available": available, "currency": account.currency}
            abort(409, "The account lacks money.", type="/problems/lacks-money", members=members)

    def book(self, order: TransferOrder) -> Transfer:
        source, target = self.account(order.source), self.account(order.target)
        self.check(source, order.amount)
        made = Transfer(
            *(getattr(order, each) for each in order.__struct_fields__), id=uuid4(), booked=datetime.now(UTC)
        )
        for account, amount in ((source, -order.amount), (target, order.amount)):
            account.balance += amount
            self.entries[account.id].append(Entry(len(self.transfers) + 1, amount, made.id))
        self.transfers[made.id] = made
        return made


ledger = Ledger()
api = Blueprint("bank", prefix="/v1")
reads, writes, manages = map(scopes_required, SCOPES)
limited = RateLimit("1000000/minute")


@api.post("/accounts", before=[writes, limited], idempotent=True)
def open_account(request: Request) -> tuple[Account, Literal[201], dict[str, str]]:
    """Open an account."""
    new = request.json_as(AccountToOpen)
    account = Account(new.name, new.currency, new.overdraft, id=uuid4(), opened=datetime.now(UTC))
    ledger.accounts[account.id] = account
    return account, 201, {"location": request.url_for(".show_account", id=account.id)}


@api.get("/accounts", before=reads)
def accounts(request: Request) -> list[Account]:
    """List the accounts."""
    return [*ledger.accounts.values()]


@api.get("/accounts/<uuid:id>", before=reads)
def show_account(request: Request, id: UUID) -> Response:
    """Show an account."""
    account = ledger.account(id)
    response = Response.json(account)
    response.etag = f"{account.balance}-{account.held}"
    return response.make_conditional(request, ranges=False)


@api.delete("/accounts/<uuid:id>", before=writes)
def close_account(request: Request, id: UUID) -> None:
    """Close an account that has no money and no holds."""
    account = ledger.account(id)
    if account.balance or account.held:
        raise Conflict("The account has money.")
    del ledger.accounts[id]


@api.get("/accounts/<uuid:id>/entries", before=reads)
def entries(request: Request, id: UUID) -> Response:
    """List the entries of an account, a page at a time."""
    ledger.account(id)
    page = request.args_as(Page)
    found = ledger.entries_after(id, page.after)
    response = Response.json(found[: page.limit])
    response.headers["x-total"] = str(len(found))
    if len(found) > page.limit:
        response.links = [Link(request.url.with_query(after=found[page.limit - 1].number), rel="next")]
    return response


@api.post("/transfers", before=[writes, limited], idempotent=True)
def transfer(request: Request) -> tuple[Transfer, Literal[201], dict[str, str]]:
    """Move money from one account to another."""
    made = ledger.book(request.json_as(TransferOrder))
    return made, 201, {"location": request.url_for(".show_transfer", id=made.id)}


@api.get("/transfers/<uuid:id>", before=reads)
def show_transfer(request: Request, id: UUID) -> Transfer:
    """Show a transfer."""
    return ledger.transfers.get(id) or abort(404, "There is no such transfer.")


@api.post("/accounts/<uuid:id>/holds", before=writes, idempotent=True)
def hold(request: Request, id: UUID) -> tuple[Hold, Literal[201]]:
    """Hold money of an account back for a later payment."""
    account = ledger.account(id)
    wanted = request.json_as(HoldOrder)
    ledger.check(account, wanted.amount)
    account.held += wanted.amount
    made = ledger.holds[key] = Hold(wanted.amount, id=(key := uuid4()), account=id)
    return made, 201


@api.post("/holds/<uuid:id>/capture", before=writes, idempotent=True)
def capture(request: Request, id: UUID) -> Hold:
    """Pay the money that was held back."""
    held = ledger.holds.get(id) or abort(404, "There is no such hold.")
    if held.state != "open":
        raise Conflict("The hold is not open.")
    held.state, account = "captured", ledger.account(held.account)
    account.held, account.balance = account.held - held.amount, account.balance - held.amount
    return held


def make_app() -> App:
    """Return the bank, with a ledger of its own. ``POST /first-key`` makes a key for its customer."""
    ledger.__init__()  # type: ignore[misc]
    app = App(store=MemoryStore())
    keys = APIKey({"7": "Ada"}.get)
    app.use(Users(keys))
    app.use(IdempotentWrites())
    app.use(OpenAPI("Bank", version="1", prefix="/v1"))
    app.register(api)

    @app.post("/v1/keys", before=manages)
    def create_key(request: Request) -> tuple[dict[str, str], Literal[201]]:
        """Create an API key, which is shown once."""
        new = request.json_as(KeyOrder)
        return {"key": keys.create("7", name=new.name, scopes=new.scopes)}, 201

    app.post("/first-key", name="first_key")(lambda request: keys.create("7", scopes=SCOPES))
    return app
