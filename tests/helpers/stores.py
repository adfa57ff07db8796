"""The stores that several processes share, by where they are: the path of a file, or the URL of a server."""

from antiphon.features import PostgresStore, SQLiteStore, ValkeyStore

SHARED = ("sqlite", "postgres", "valkey")


def store_at(where, **options):
    """Open the store there. ``options`` are those of stores on servers."""
    if "://" not in str(where):
        return SQLiteStore(where, timeout=30)
    return (PostgresStore if where.startswith("postgres") else ValkeyStore)(where, **options)


def place_of(kind, request, folder):
    """Return where a store of this kind is: nothing is in it, unless it is Valkey's, which tests share."""
    match kind:
        case "sqlite":
            return str(folder / "store.db")
        case "postgres":
            return request.getfixturevalue("postgres_server").database()
    return request.getfixturevalue("valkey").url
