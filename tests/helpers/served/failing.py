"""An application that fails, for the error page in a browser."""

import asyncio

from antiphon import App, Request

app = App()
LONG = "a line that is far too long for a phone, and for most screens of desktops, too, as there is no end to it: " * 3


class Refused(Exception):
    """An error whose message is markup."""


@app.get("/markup")
def markup(request: Request):
    password = "opensesame"
    error = Refused(f"<script>document.title = 'run'</script><img src=x onerror=alert(1)> {password}")
    error.add_note("<b>A note</b> of two\nlines.")
    raise error


@app.get("/long/<int:number>")
async def long(request: Request, number: int):
    a_name_that_is_longer_than_the_columns_of_most_tables = {"key": LONG, "number": number}
    values = a_name_that_is_longer_than_the_columns_of_most_tables.values()
    return sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, *values, LONG["x"]])


@app.get("/deep")
def deep(request: Request):
    def down(depth: int) -> int:
        return down(depth + 1)

    return down(0)


async def fail(number: int):
    try:
        raise KeyError(number)
    except KeyError as error:
        raise ValueError(f"number {number}") from error


@app.get("/group")
async def group(request: Request):
    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(fail(number))
