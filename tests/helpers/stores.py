"""The stores that several processes share, by where they are: the path of a file, or the URL of a server."""

from antiphon.features import PostgresStore, SQLiteStore, ValkeyStore

SHARED = ("sqlite", "postgres", "valkey")


def class_at(where):
    scheme = where.partition("://")[0]
    return SQLiteStore if scheme == where else PostgresStore if scheme == "postgresql" else ValkeyStore


def store_at(where, **options):
    """Open the store there. ``options`` are those of stores on servers."""
    kind = class_at(where)
    return kind(where, timeout=30) if kind is SQLiteStore else kind(where, **options)


def place_of(kind, request, folder):
    """Return where an empty store of this kind is."""
    match kind:
        case "sqlite":
            return str(folder / "store.db")
        case "postgres":
            return request.getfixturevalue("postgres_server").lend(request)
    return request.getfixturevalue("valkey").emptied()
