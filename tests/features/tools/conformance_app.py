"""An application with the tools, prompts and resources that the protocol's conformance suite asks for by name."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta

from antiphon import App, Request, Response, abort
from antiphon.features import Channel, Field, MemoryStore, OpenAPI, Runs, Tool, ToolCall, Tools

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
WAV = b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=")

app = App(
    trusted_hosts=["localhost", "127.0.0.1", "testserver"],
    secret_keys=["of conformance, not secret"],
    store=MemoryStore(),
)
api = OpenAPI("Conformance", prefix="/api")
app.use(api)
changes = Channel("changes")
app.use(changes)
resources = {
    "test://static-text": "static_text",
    "test://static-binary": "static_binary",
    "test://template/{id}/data": "template",
}
runs = Runs()
app.use(runs)
tools = Tools(api, resources=resources, changes=changes, tasks=runs)
app.use(tools)


def in_parts(*parts: Response) -> Response:
    return Response.multipart(parts)


EMBEDDED = Response.text("An embedded resource.", headers={"content-location": "test://embedded-resource"})
GIVEN = {
    "test_simple_text": Response.text("This is a simple text response for testing."),
    "test_image_content": Response(PNG, content_type="image/png"),
    "test_audio_content": Response(WAV, content_type="audio/wav"),
    "test_embedded_resource": in_parts(EMBEDDED),
    "test_multiple_content_types": in_parts(
        Response.text("Several"), Response(PNG, content_type="image/png"), EMBEDDED
    ),
}
for name, given in GIVEN.items():
    app.get(f"/api/{name}", name=name, tool=True, gives=bytes)(lambda request, given=given: given)


@app.get("/api/error", tool=Tool("test_error_handling"))
def error_handling(request: Request) -> str:
    """Fail."""
    abort(409, "This tool intentionally returns an error for testing")


@app.post("/api/progress", tool=Tool("test_tool_with_progress"))
async def tool_with_progress(request: Request) -> str:
    """Count to a hundred."""
    for done in (0, 50, 100):
        ToolCall.of(request).progress(done, 100)
        await asyncio.sleep(0.01)
    return "Counted."


@app.post("/api/logging", tool=Tool("test_tool_with_logging"))
async def tool_with_logging(request: Request) -> str:
    """Log three messages."""
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        ToolCall.of(request).log("info", text)
        await asyncio.sleep(0.01)
    return "Logged."


@app.post("/api/reconnection", tool=Tool("test_reconnection"))
async def reconnection(request: Request) -> Response:
    """Hand the call over to a run, whose stream can be resumed."""

    async def source() -> AsyncIterator[str]:
        await asyncio.sleep(0.1)
        yield "Reconnected."

    return ToolCall.of(request).follow(await runs.astart(source()))


# Questions


@dataclass
class Name:
    name: str


@dataclass
class Colour:
    color: str


@dataclass
class Context:
    context: str


@dataclass
class Okay:
    ok: bool


@dataclass
class Person:
    username: Annotated[str, Field(help="User's response")]
    email: Annotated[str, Field(help="User's email address", widget="email")]


@dataclass
class Defaults:
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


THREE = Literal["option1", "option2", "option3"]
TITLES = {"value1": "First Option", "value2": "Second Option", "value3": "Third Option"}


@dataclass
class Choices:
    untitledSingle: THREE
    titledSingle: Annotated[str, Field(choices=TITLES)]
    legacyEnum: Annotated[
        Literal["opt1", "opt2", "opt3"],
        Meta(extra_json_schema={"enumNames": ["Option One", "Option Two", "Option Three"]}),
    ]
    untitledMulti: list[THREE]
    titledMulti: Annotated[list[str], Field(choices=TITLES, widget="select")]


def asks(name: str, reply: Callable[[ToolCall], Any]) -> None:
    """Register a tool that replies with what has been answered."""

    @app.post(f"/api/{name}", name=name, tool=True)
    def asking(request: Request) -> str:
        """Ask for something."""
        return f"state-ok: {reply(ToolCall.of(request))}"


def ask_two(call: ToolCall) -> list[Any]:
    return [
        call.ask("Step 1: What is your name?", Name, name="step1"),
        call.ask("Step 2: What is your favorite color?", Colour, name="step2"),
    ]


def ask_all(call: ToolCall) -> list[Any]:
    return call.together(
        partial(call.ask, "What is your name?", Name, name="user_name"),
        partial(call.sample, "Generate a greeting", max_tokens=50, name="greeting"),
        partial(call.roots, name="client_roots"),
    )


def ask_who_can(call: ToolCall) -> list[Any]:
    able = [("elicitation", lambda: call.ask("Who?", Name)), ("sampling", lambda: call.sample("Who?"))]
    return call.together(*[ask for capability, ask in able if call.can(capability)])


PREFIX = "test_input_required_result"
asks(f"{PREFIX}_elicitation", lambda call: call.ask("What is your name?", Name, name="user_name"))
asks(f"{PREFIX}_sampling", lambda call: call.sample("What is the capital of France?", name="capital_question"))
asks(f"{PREFIX}_list_roots", lambda call: call.roots(name="client_roots"))
asks(f"{PREFIX}_request_state", lambda call: call.ask("Please confirm", Okay, name="confirm"))
asks(f"{PREFIX}_tampered_state", lambda call: call.ask("Please confirm", Okay, name="confirm"))
asks(f"{PREFIX}_multi_round", ask_two)
asks(f"{PREFIX}_multiple_inputs", ask_all)
asks(f"{PREFIX}_capabilities", ask_who_can)
asks("test_missing_capability", lambda call: call.sample("What is missing?"))
asks("test_streaming_elicitation", lambda call: call.ask("What is your name?", Name))
asks("test_elicitation_sep1034_defaults", lambda call: call.ask("Who are you?", Defaults))
asks("test_elicitation_sep1330_enums", lambda call: call.ask("What do you choose?", Choices))
asks("test_logging_tool", lambda call: call.log("info", "Nobody has asked for this."))


@dataclass
class Message:
    message: str = "Who are you?"


@app.post("/api/elicitation", tool=Tool("test_elicitation"))
def elicitation(request: Request) -> str:
    """Ask who it is."""
    return f"User response: {ToolCall.of(request).ask(request.json_as(Message).message, Person)}"


@dataclass
class Prompt:
    prompt: str


@app.post("/api/sampling", tool=Tool("test_sampling"))
def sampling(request: Request) -> str:
    """Ask the client's model."""
    return f"LLM response: {ToolCall.of(request).sample(request.json_as(Prompt).prompt, max_tokens=100)}"


# Schemas and headers


@dataclass
class address:
    street: str = ""
    city: str = ""


Address = address
PHONE, EMAIL = {"required": ["phone"]}, {"required": ["email"]}


@dataclass
class Contact:
    name: str = ""
    address: Address = field(default_factory=Address)
    contactMethod: Literal["phone", "email"] = "phone"
    phone: str = ""
    email: str = ""


CONDITIONS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "allOf": [{"anyOf": [PHONE, EMAIL]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": PHONE,
    "else": EMAIL,
}
Reachable = Annotated[Contact, Meta(extra_json_schema=CONDITIONS)]


@app.post("/api/schema", tool=Tool("json_schema_2020_12_tool"))
def schema(request: Request) -> str:
    """Greet a person."""
    return request.json_as(Reachable).name


@app.get("/api/regions/<region>", tool=Tool("test_custom_header", headers={"region": "Region"}))
def custom_header(request: Request, region: str) -> str:
    """Name a region."""
    return region


# Changes


for kind in ("tool", "prompt"):

    @app.post(f"/api/change/{kind}", name=f"test_trigger_{kind}_change", tool=True, defaults={"kind": kind})
    async def change(request: Request, kind: str) -> str:
        """Tell of a changed list."""
        await changes.asend(f"{kind}s")
        return "Told."


# Prompts and resources


@tools.prompt
def test_simple_prompt() -> str:
    """Return a prompt without arguments."""
    return "This is a simple prompt for testing."


@tools.prompt
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Return a prompt with arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@tools.completion("test_prompt_with_arguments", "arg1")
def complete(value: str) -> list[str]:
    return [each for each in ("testing", "tests", "paris") if each.startswith(value)]


@tools.prompt
def test_prompt_with_embedded_resource(resourceUri: str) -> list[Any]:
    """Return a prompt with a resource."""
    resource = Response.text("Embedded resource content for testing.", headers={"content-location": resourceUri})
    return [resource, "Please process the embedded resource above."]


@tools.prompt
def test_prompt_with_image() -> list[Any]:
    """Return a prompt with an image."""
    return [Response(PNG, content_type="image/png"), "Please analyze the image above."]


@tools.prompt
def test_input_required_result_prompt(call: ToolCall) -> str:
    """Ask for the context of a prompt."""
    return f"{call.ask('What context should the prompt use?', Context, name='user_context')}"


@app.get("/static-text")
def static_text(request: Request) -> str:
    """A text."""
    return "This is the content of the static text resource."


@app.get("/static-binary")
def static_binary(request: Request) -> Response:
    """An image."""
    return Response(PNG, content_type="image/png")


@app.get("/template/<id>/data")
def template(request: Request, id: str) -> dict[str, str]:
    """A text for each id."""
    return {"id": id, "data": f"Data for ID: {id}"}
