"""Plain Python of the kind that requests are answered by, to which counts of instructions are related.

How many instructions the same Python takes depends on how the interpreter was compiled. What is counted here takes
more or fewer for the same reasons, so the ratio says what was done, wherever it is measured.
"""

from collections.abc import Coroutine, Generator

REFERENCE = "reference"

FIELDS = {f"HTTP_X_FIELD_{number}": f"value {number}; q=0.{number}" for number in range(10)}


class Message:
    """An object with slots, as heads, requests and responses are."""

    __slots__ = ("fields", "length", "name", "texts")

    def __init__(self, name: str, fields: dict[str, str]) -> None:
        self.name = name
        self.fields = fields
        self.length: str
        self.texts: list[tuple[str, str]] = []

    def read(self) -> str:
        try:
            return self.length
        except AttributeError:
            self.length = str(sum(len(text) for _, text in self.texts))
        return self.length


def size(name: str, value: str) -> int:
    """A small function, of which there are many calls."""
    return len(name) + len(value)


def values(message: Message) -> Generator[tuple[str, str]]:
    """As middleware and streams are written."""
    total = 0
    for name, value in message.fields.items():
        total += size(name, value)
        if total < size(name, "") or name.endswith(("_1", "_3", "_5")):
            continue
        yield name.lower().replace("_", "-").removeprefix("http-"), value.partition(";")[0].strip()


async def answer(message: Message) -> bytes:
    """As handlers are."""
    message.texts.extend(values(message))
    found = dict(message.texts)
    return f"{message.name}: {len(found)} of {message.read()}, {message.read()}".encode()


def awaited(coroutine: Coroutine[None, None, bytes]) -> bytes:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return bytes(stop.value)
    raise RuntimeError("nothing here waits")


def plain_python(times: int) -> None:
    for number in range(times):
        answered = awaited(answer(Message("/hello", {**FIELDS, "HTTP_X_NUMBER": str(number)})))
        if not answered.startswith(b"/hello: 8 of"):
            raise RuntimeError(answered)
