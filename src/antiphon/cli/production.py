"""Faults of an application's settings that show only in production: with strangers, proxies and several workers.

`antiphon run` warns of those that lose data. With `--production` it refuses to start with any, and `antiphon doctor
MODULE:APP` prints them.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from antiphon.cli.errors import BadCommand
from antiphon.cli.workers.options import ServerOptions
from antiphon.http.limits import NO_BOUND


def check_production(app: object, name: str, options: ServerOptions, is_at_unix_socket: bool) -> None:
    """Raise BadCommand with all faults for production."""
    from antiphon.serialization.signing import SecretKeys

    faults = [*faults_of(app, name, options, SecretKeys.in_use()), *unknown_callers(app, is_at_unix_socket)]
    if faults:
        raise BadCommand("\n- ".join([f"{name} is not ready for --production:", *faults]))


def faults_of(app: object, name: str, options: ServerOptions, keys: Iterable[bytes]) -> Iterator[str]:
    """Yield the faults of a program, its secret keys and its server's options, each with what to write instead."""
    from antiphon.app.application import App
    from antiphon.serialization.signing import SecretKeys

    if options.debug:
        yield "Debug mode shows the code and its values to everyone: leave out --debug and ANTIPHON_DEBUG."
    if not (app.declares_hosts if isinstance(app, App) else options.guards.trusted_hosts):
        fix = 'App(trusted_hosts=["shop.example.com"])' if isinstance(app, App) else "--trusted-hosts shop.example.com"
        yield f"Links, redirects and caches take any host that a client sends: {fix}."
    for limit, bound in app.limits.given.items() if isinstance(app, App) else ():
        if bound == NO_BOUND or (limit in ("rate", "timeout") and not bound):
            yield f"App(limits=Limits({limit}=...)) is no limit: leave it out, and raise it on the routes that need it."
    if isinstance(config := getattr(app, "config", None), Mapping) and config.get("SESSION_COOKIE_HTTPONLY") is False:
        yield "Scripts in a page can read the session's cookie: leave out SESSION_COOKIE_HTTPONLY=False."
    if any(map(is_example, keys)):
        yield f"A secret key is an example or can be guessed: {SecretKeys.MAKE_ONE} makes one."
    try:
        yield from separate_memories(app, name, options.workers) if options.workers > 1 else ()
    except BadCommand as error:
        yield error.message


def connections_of(app: object) -> str:
    """Return how many connections to PostgreSQL a worker's features may open, or "" for none."""
    found = {id(each): each for each in _opened_in(app)}.values()
    numbers = [(name, number) for each in found for name, number in each.items()]
    most = sum(number for _, number in numbers)
    if not numbers:
        return ""
    told = f"{most} connection{'s' * (most != 1)} to PostgreSQL ({', '.join([f'{name} {n}' for name, n in numbers])})"
    return (
        f"Each worker may open {told}, besides those for followed topics and of your own code. Two workers may open"
        f" {2 * most}, and {3 * most} while they are replaced. The server accepts 100, unless its max_connections is"
        " higher."
    )


def _opened_in(app: object) -> Iterator[dict[str, int]]:
    """Yield the numbers of connections that the stores and features of an App may open, by their names."""
    from antiphon.app.application import App

    if isinstance(app, App):
        for each in [*[store for _, store, _ in _stores_in_use(app)], *app._registry.features]:
            yield getattr(each, "_postgres_connections", {})
        for mount in app.mounts:
            yield from _opened_in(mount.application)


_find_words = re.compile(
    rb"(?i) |(?<![a-z0-9])key(?![a-z0-9])|secret|password|example|insecure|change|0123456789"
).search
_DISTINCT = 8
_SHOWN_IN_DOCS = b"r0cJHR1b0sNBvGm6YpZ2jv0kXGWwGqXl1uTjWpdnzPk"


def is_example(key: bytes) -> bool:
    """Return True for a secret key that consists of words or of few characters, or that the documentation shows."""
    return bool(_find_words(key)) or len({*key}) < _DISTINCT or key == _SHOWN_IN_DOCS


def unknown_callers(app: object, is_at_unix_socket: bool) -> list[str]:
    """Return a warning if rate limits can't tell callers apart because these have no addresses."""
    if not is_at_unix_socket or "antiphon.features.rate_limits" not in sys.modules:
        return []
    from antiphon.app.application import App

    if not isinstance(app, App) or None in app.trusted_proxies:
        return []
    warning = (
        "Callers have no addresses on this unix socket, so a RateLimit counts all of them as one: use"
        ' App(trusted_proxies=["unix"]) to trust the proxy that connects to it, or RateLimit(..., by=...).'
    )
    return [warning]


_IN_MEMORY = {
    "RateLimit": "each of the {} workers counts separately. To count together, they need App(store={}).",
    "Tools": "only one of {} workers can ask clients of revisions before 2026-07-28. So that all can: App(store={}).",
}
_SHARED = 'SQLiteStore("var/store.sqlite")'


def separate_memories(app: object, name: str, workers: int) -> list[str]:
    """Return warnings about features of an App that keep their state in each worker's memory.

    Raises BadCommand if a store is a MemoryStore, because most requests would miss what another worker has stored.
    """
    memory = sys.modules.get("antiphon.features.stores.memory")
    in_use = [*_stores_in_use(app)]
    wrong = [(feature, of_app) for feature, store, of_app in in_use if memory and isinstance(store, memory.MemoryStore)]
    if wrong:
        features = [*dict.fromkeys(feature for feature, _ in wrong if feature)]
        of_app = any(of_app for _, of_app in wrong)
        lost = f"what {' and '.join(features)} keep{'s' * (len(features) == 1)} there" if features else "its entries"
        raise BadCommand(
            f"{name} can't be served by {workers} workers, because its MemoryStore is separate in each of them: {lost}"
            f" would be missing from most requests. Write {'App' if of_app else features[0]}(store={_SHARED}), or use a"
            " PostgresStore or ValkeyStore for several machines. One worker (--workers 1) can keep the MemoryStore."
        )
    kept = dict.fromkeys(feature for feature, store, _ in in_use if store is None)
    return [f"{feature} has no store: {_IN_MEMORY[feature].format(workers, _SHARED)}" for feature in kept]


def _stores_in_use(app: object) -> Iterator[tuple[str, object, bool]]:
    """Yield the stores of an App and the Apps mounted in it: the feature, or "", the store, and True if it is the
    App's.
    """
    from antiphon.app.application import App

    if isinstance(app, App):
        for feature, store in sorted(app._stores_in_use, key=lambda used: used[0]):
            yield feature, store, store is app.store and store is not None
        if app.store is not None:
            yield "", app.store, True
        for mount in app.mounts:
            yield from _stores_in_use(mount.application)
