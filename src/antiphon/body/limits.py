"""How much of a request is accepted. Every bound has a default; what is not said is inherited."""

from functools import partial

DEFAULTS: dict[str, int] = {"body": 16 << 20, "fields": 1000, "headers": 64 << 10, "query": 64 << 10}


class Limits:
    """Upper bounds of a request.

    - ``body``: bytes of the body (413); 16 MiB.
    - ``fields``: fields of a form (413) or of the query (414); 1000.
    - ``headers``: bytes of the header section, where the server does not bound it (431); 64 KiB.
    - ``query``: bytes of the query string (414); 64 KiB.

    A bound that is not given is inherited: a route's from its app, an app's from these defaults. Raises ValueError for
    a negative bound, or one that is no int.
    """

    __slots__ = ("body", "fields", "given", "headers", "query")

    body: int
    fields: int
    headers: int
    query: int
    given: dict[str, int]

    def __init__(
        self,
        *,
        body: int | None = None,
        fields: int | None = None,
        headers: int | None = None,
        query: int | None = None,
    ) -> None:
        bounds = {"body": body, "fields": fields, "headers": headers, "query": query}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        object.__setattr__(self, "given", given)
        for name, bound in (DEFAULTS | given).items():
            if not isinstance(bound, int) or bound < 0:
                raise ValueError(f"the limit {name!r} is a number of 0 or more, not {bound!r}")
            object.__setattr__(self, name, bound)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"limits don't change, so {name} can't be set; make others: Limits({name}=...)")

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Limits, **self.given), ()

    def within(self, outer: "Limits") -> "Limits":
        """These limits, with what they don't say taken from ``outer``."""
        return Limits(**(outer.given | self.given)) if outer.given else self

    def __eq__(self, other: object) -> bool:
        return DEFAULTS | self.given == DEFAULTS | other.given if isinstance(other, Limits) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.body, self.fields, self.headers, self.query))

    def __repr__(self) -> str:
        return f"Limits({', '.join(f'{name}={bound}' for name, bound in self.given.items())})"
