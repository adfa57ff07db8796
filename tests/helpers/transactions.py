"""A shop whose handlers do with their transaction what the words of a request say, with each library."""

from contextlib import suppress
from inspect import isawaitable

from antiphon import App, abort
from tests.helpers.databases import DATABASE, LIBRARIES, LOSE, PAY, in_autocommit, rows_of

SENT = []
"""The jobs that were carried out in this process."""


def send(job):
    SENT.append(job)


class Undone(Exception):
    """Undoes a savepoint."""


class Shop:
    """An app with a handler for each kind of library, which does what the words of a request say."""

    def __init__(self, library, url, source, *features, **options):
        self.url, self.app, self.called = url, App(secret_keys=["k" * 32]), []
        self.app.provide(DATABASE, self.use(library, source))
        for feature in features:
            self.app.use(feature)
        self.feature = next(iter(features), None)

        def handle(request):
            self.paid, self.status = 0, 201
            for word in request.text.split():
                getattr(self, word)(request, request[DATABASE])
            return "Thank you.", self.status

        async def ahandle(request):
            self.paid, self.status = 0, 201
            for word in request.text.split():
                if isawaitable(doing := getattr(self, word)(request, request[DATABASE])):
                    await doing
            return "Thank you.", self.status

        self.app.post("/", **options)(handle)
        self.app.post("/async", **options)(ahandle)
        self.handle = ahandle if self.database.is_async else handle

    def use(self, library, source):
        self.database = LIBRARIES[library](self.url)
        if source == "autocommit":
            self.database = in_autocommit(library, self.url)
        return getattr(self.database, "source" if source == "source" else "closing")

    def pay(self, request, connection):
        self.paid += 1
        return self.database.execute(connection, PAY.format(item=self.paid))

    def after(self, request, connection):
        request.after_commit(self.called.append, self.paid)

    def commit(self, request, connection):
        return self.database.commit(connection)

    def rollback(self, request, connection):
        return self.database.roll_back(connection)

    def close(self, request, connection):
        return connection.close()

    def mark(self, request, connection):
        """Make a savepoint by hand."""
        return self.database.execute(connection, "savepoint one")

    def back(self, request, connection):
        return self.database.execute(connection, "rollback to savepoint one")

    def release(self, request, connection):
        return self.database.execute(connection, "release savepoint one")

    def fail(self, request, connection):
        raise ZeroDivisionError

    def refuse(self, request, connection):
        abort(402)

    def mistake(self, request, connection):
        """Carry out a statement that fails, and go on."""

        async def wait(doing):
            with suppress(Exception):
                await doing

        with suppress(Exception):
            if isawaitable(doing := self.database.execute(connection, "insert into nothing values (1)")):
                return wait(doing)
        return None

    def later(self, request, connection):
        self.status = 503

    def enqueue(self, request, connection):
        return self.feature.enqueue(send, self.job)

    def post(self, request, connection):
        """Enqueue a job, and leave it to others to write it."""
        self.feature.enqueue(send, self.job)

    def savepoint(self, request, connection):
        """Pay in a savepoint, which is undone."""
        block = self.database.savepoint(connection)

        async def pay():
            with suppress(Undone):
                async with block:
                    await self.pay(request, connection)
                    self.after(request, connection)
                    raise Undone

        if hasattr(block, "__aenter__"):
            return pay()
        with suppress(Undone), block:
            self.pay(request, connection)
            self.after(request, connection)
            raise Undone
        return None

    def lose(self, request, connection):
        """Lose the connection, as when the database restarts."""
        rows_of(self.url, LOSE)

    def send(self, client, words, **options):
        """Have a handler do something and return the status."""
        return client.post("/async" if self.database.is_async else "/", body=words.encode(), **options).status

    @property
    def payments(self):
        return [item for (item,) in rows_of(self.url, "select item from payments order by item")]

    def clear(self):
        rows_of(self.url, "delete from payments")
        self.called.clear()
