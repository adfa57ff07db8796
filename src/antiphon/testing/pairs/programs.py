"""A program: an application in parts, of which each can be left out, and the requests that it gets."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple


class Sign(NamedTuple):
    """One sign of who sends a request: a cookie that a login gives, a token, a key, a signature."""

    name: str
    kind: str
    """The kind of identity, under which the program's ``who`` shows it: "user", "visitor", "signer"."""
    value: str
    known_to: frozenset[str]
    """The names of the features that know this sign."""
    gives: frozenset[str] = frozenset()
    """What the sign proves, such as "user" or "scope pay", which options of routes require."""
    fields: tuple[tuple[str, str], ...] = ()
    cookie: str = ""
    """The cookie that the caller has from the beginning, as "name=value"."""
    begins: tuple[tuple[str, str], ...] = ()
    """Method and path of the requests with which the sign begins, such as a login."""
    is_bad: bool = False
    """True for credentials that are not valid: nobody is known by the others beside them."""
    key: bytes = b""
    """The secret with which the caller signs its requests."""


class Caller(NamedTuple):
    """A caller with any number of signs."""

    signs: tuple[Sign, ...]

    @property
    def name(self) -> str:
        """The names of the signs."""
        return " + ".join([each.name for each in self.signs]) or "anonymous"

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The header fields that the caller sends with each request."""
        return tuple([field for each in self.signs for field in each.fields])

    @property
    def signer(self) -> Sign | None:
        """The sign with which the caller signs its requests."""
        return next((each for each in self.signs if each.key), None)


class Option(NamedTuple):
    """An option of a route, by which it uses a feature."""

    source: str
    """The option in a route's decorator, such as "idempotent=True"."""
    kinds: frozenset[str]
    """The kinds of routes that may have it. "page", "conditional", "typed", "stream", "redirect" and "varied" read;
    "effect", "form" and "varied write" write; "tool", "task" and "socket" are what they say.
    """
    requires: frozenset[str] = frozenset()
    """What callers must prove; all others are refused."""
    once: bool = False
    """True if writes with the same Idempotency-Key are carried out once."""
    in_view: str = ""
    """The option of ``view``; without it, the option isn't used there."""
    rate: float = 0.4
    """The part of the fitting routes that have it."""
    refuses: frozenset[str] = frozenset()
    """The names of the features whose options it can't be beside on one route."""


class Feature(NamedTuple):
    """A feature as its page declares it: how an application uses it, what it needs and what it adds.

    ``source`` is the line that uses it in ``app``. A feature of another package is found by an entry point of the
    group ``antiphon.pairs``, which refers to one ``Feature`` or to a tuple of them.
    """

    name: str
    source: str
    lines: str = ""
    """Lines of the module that it needs, such as imports."""
    needs: tuple[str, ...] = ()
    """The features that an application must use before, by their names or by ``one_of``."""
    one_of: str = ""
    """The name that features share of which an application can use only one."""
    packages: tuple[str, ...] = ()
    """Packages without which the feature can't be used."""
    places: frozenset[str] = frozenset({"app"})
    """Where it can be used: "app", "blueprint", "mounted"."""
    options: tuple[Option, ...] = ()
    identities: Mapping[str, str] = {}
    """Expressions for the caller's identities by kind: {"user": "request.user"}."""
    in_views: bool = False
    """True if views in other frameworks can read these identities, too."""
    signs: tuple[Sign, ...] = ()
    routes: tuple["Route", ...] = ()
    """Routes that use the feature itself, such as a login, or that show what it keeps."""
    writes_send: tuple[tuple[str, str], ...] = ()
    """Header fields of each write. A value "$/path" stands for the text of the caller's last response there."""
    statuses: frozenset[int] = frozenset()
    """Statuses that its page says it adds to responses."""
    parameters: frozenset[str] = frozenset()
    """Header fields that its page says requests to it have, and that the document may describe."""
    pages: tuple[str, ...] = ()
    """Bodies of handlers that use the feature. SHOWN stands for what they must show."""
    kinds: frozenset[str] = frozenset()
    """Kinds of routes that need it."""
    shows: str = ""
    """An expression for what the feature keeps of requests for others to see. It must contain no credentials."""


class Route(NamedTuple):
    """A route of a program. ``target`` is the variable to which it is added, ``prefix`` the path of that."""

    name: str
    kind: str
    method: str
    pattern: str
    body: str
    """The lines of the handler."""
    target: str = "app"
    prefix: str = ""
    is_async: bool = False
    options: tuple[tuple[str, Option], ...] = ()
    """The options, each with the name of its feature."""
    parameter: str = ""
    shows: bool = True
    """True if its responses show the caller and the request's note."""
    is_cut: bool = False
    """True if its responses fail before their body is complete."""
    is_late: bool = False
    """True if it reads the request once its response has begun, which all may share: this may be refused."""

    @property
    def requires(self) -> frozenset[str]:
        """What callers must prove."""
        return frozenset().union(*[each.requires for _, each in self.options])

    @property
    def is_once(self) -> bool:
        """True if writes with the same Idempotency-Key are carried out once."""
        return any(each.once for _, each in self.options)


class Group(NamedTuple):
    """What routes are added to: a blueprint, a mounted application, an application of another framework."""

    name: str
    kind: str
    begins: str
    """The lines that make it."""
    ends: str
    """The lines that add it to the application."""


class Sent(NamedTuple):
    """A request of a program. ``body`` is sent in chunks if it is a tuple."""

    caller: Caller
    method: str
    target: str
    route: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes | tuple[bytes, ...] | None = None
    note: str = ""
    """The text that the request bears and that its response should show."""
    write: str = ""
    """The write that the request asks for; the requests with the same one are repeats of the first."""
    is_broken: bool = False
    """True for a request that no application may accept."""
    omits: str = ""
    """The parameter or field that the request leaves out, or "body"."""
    beside: Caller | None = None
    """The caller who has sent this request, or its Idempotency-Key, before."""
    like: str = ""
    """The way in which this repeats the request before it: "HEAD", "chunks", "gzip", "condition".

    The client of a request that is like "left" goes away before its end. A step of a served program has no route;
    "killed" is a request that kills its worker, and "after kill" repeats it. The others are those of ``going_on``.
    """

    @property
    def credentials(self) -> tuple[tuple[str, str], ...]:
        """The header fields of the caller. What is sent for a credential of a user has no other."""
        begins = any((self.method, self.target) in each.begins for each in self.caller.signs)
        return Caller(tuple([each for each in self.caller.signs if not begins or each.kind != "user"])).fields


class Around(NamedTuple):
    """A hook, a middleware or an error handler that changes nothing that rules look at."""

    name: str
    source: str
    target: str = "app"


class Program(NamedTuple):
    """An application and the requests that it gets, in this order."""

    seed: int
    features: tuple[tuple[str, Feature], ...]
    """The features, each with the variable in which it is used."""
    around: tuple[Around, ...]
    groups: tuple[Group, ...]
    routes: tuple[Route, ...]
    sent: tuple[Sent, ...]
    store: str = "MemoryStore()"

    @property
    def names(self) -> frozenset[str]:
        """The names of the features."""
        return frozenset([each.name for _, each in self.features])

    def group(self, name: str) -> Group | None:
        """Return the group with a name; None for the application itself."""
        return next((each for each in self.groups if each.name == name), None)

    def known_at(self, target: str) -> list[Feature]:
        """Return the features that find out who the caller is for the routes of a target."""
        group = self.group(target)
        if group is not None and group.kind == "mounted":
            return [each for name, each in self.features if name == target]
        features = [each for name, each in self.features if name == "app"]
        return features if group is None or group.kind == "blueprint" else [each for each in features if each.in_views]

    def who(self, caller: Caller, route: Route) -> dict[str, str | None]:
        """Return what the application should know of a caller at a route."""
        features = self.known_at(route.target)
        known: dict[str, str | None] = {kind: None for each in features for kind in each.identities}
        if "signer" in route.requires:
            known["signer"] = None
        names = {each.name for each in features} | {"Signatures"}
        for sign in caller.signs:
            if sign.known_to & names and sign.kind in known:
                known[sign.kind] = sign.value
        if any(each.is_bad and each.known_to & names for each in caller.signs) and "user" in known:
            known["user"] = None
        return known

    def gives(self, caller: Caller) -> frozenset[str]:
        """Return what a caller proves to the application. Credentials in a field prove no more beside a session."""
        known = [each for each in caller.signs if each.known_to & self.names]
        less = [one.gives - other.gives for one in known for other in known if other.fields and one.kind == other.kind]
        return frozenset().union(*[each.gives for each in known]).difference(*less)

    def route(self, sent: Sent) -> Route | None:
        """Return the route of a request."""
        return next((each for each in self.routes if each.name == sent.route), None)

    def expects(self, sent: Sent, route: Route) -> Literal["accepted", "refused", "any"]:
        """Return the expected outcome of a request.

        Nobody loses a key to a caller who is told apart before the handler. Other callers may be refused.
        """
        if route.kind in ("varied", "varied write", "foreign"):
            return "any"
        if sent.is_broken or not route.requires <= self.gives(sent.caller):
            return "refused"
        if sent.like == "owned":
            return "refused"
        if sent.like in ("condition", "hostile"):
            return "any"
        if sent.beside is None:
            return "accepted"
        mine, given = self._proven(sent.caller, route), self._proven(sent.beside, route)
        return "accepted" if any(given.get(kind) != value for kind, value in mine.items() if kind in given) else "any"

    def are_apart(self, owner: Caller, other: Caller, route: Route) -> bool:
        """Return True if the users or signers of two callers differ, or else their sessions."""
        mine, theirs = self.who(owner, route), self.who(other, route)
        kinds = [each for each in ("user", "signer") if mine.get(each) is not None] or ["visitor"]
        return any(mine.get(each) is not None and mine[each] != theirs.get(each) for each in kinds)

    def _proven(self, caller: Caller, route: Route) -> dict[str, str | None]:
        who = self.who(caller, route)
        return {kind: who[kind] for kind in ("user", "signer") if kind in route.requires and who.get(kind) is not None}

    @property
    def source(self) -> str:
        """The application's source."""
        from antiphon.testing.pairs.rendering import source_of

        return source_of(self)

    def without_feature(self, name: str) -> "Program":
        """Return the program without a feature, those that need it, and the options of routes that use them."""
        gone = {name}
        while more := {each.name for _, each in self.features if gone & {*each.needs}} - gone:
            gone |= more
        features = tuple([(target, each) for target, each in self.features if each.name not in gone])
        own = {route.name for _, each in self.features if each.name in gone for route in each.routes}
        kept = [each for each in self.routes if each.name not in own]
        routes = [each._replace(options=tuple([one for one in each.options if one[0] not in gone])) for each in kept]
        return self._with_routes(tuple(routes))._replace(features=features)

    def without_route(self, name: str) -> "Program":
        """Return the program without a route and the requests to it."""
        return self._with_routes(tuple([each for each in self.routes if each.name != name]))

    def without_group(self, name: str) -> "Program":
        """Return the program without a group and its routes."""
        gone = [each.name for each in self.routes if each.target == name]
        program = self._replace(
            groups=tuple([each for each in self.groups if each.name != name]),
            features=tuple([each for each in self.features if each[0] != name]),
            around=tuple([each for each in self.around if each.target != name]),
        )
        for each in gone:
            program = program.without_route(each)
        return program

    def without_around(self, name: str) -> "Program":
        """Return the program without a hook."""
        return self._replace(around=tuple([each for each in self.around if each.name != name]))

    def _with_routes(self, routes: tuple[Route, ...]) -> "Program":
        known = {each.name for each in routes}
        return self._replace(
            routes=routes, sent=tuple([each for each in self.sent if each.route in known or not each.route])
        )


def words_of(source: str) -> frozenset[str]:
    """Return the names in a source."""
    return frozenset(re.findall(r"\b[A-Za-z_]\w*", source))
