"""An application with the tools, prompts and resources that the protocol's conformance suite asks for by name."""

from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from antiphon import App, Request, Response, abort
from antiphon.features import OpenAPI, Tool, Tools

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
WAV = b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=")

app = App(trusted_hosts=["localhost", "127.0.0.1"], secret_keys=["of conformance, not secret"])
api = OpenAPI("Conformance", prefix="/api")
app.use(api)
tools = Tools(api, resources=["static_text", "static_binary", "template"])
app.use(tools)


@app.get("/api/text", tool=Tool("test_simple_text"))
def simple_text(request: Request) -> str:
    """Answer with text."""
    return "This is a simple text response for testing."


@app.get("/api/image", tool=Tool("test_image_content"))
def image_content(request: Request) -> Response:
    """Answer with an image."""
    return Response(PNG, content_type="image/png")


@app.get("/api/audio", tool=Tool("test_audio_content"))
def audio_content(request: Request) -> Response:
    """Answer with a sound."""
    return Response(WAV, content_type="audio/wav")


@app.get("/api/error", tool=Tool("test_error_handling"))
def error_handling(request: Request) -> str:
    """Fail."""
    abort(409, "This tool intentionally returns an error for testing")


@app.get("/api/progress", tool=Tool("test_tool_with_progress"))
async def tool_with_progress(request: Request) -> AsyncIterator[int]:
    """Count."""
    for number in (0, 50, 100):
        yield number


@dataclass
class Address:
    street: str = ""
    city: str = ""


@dataclass
class Person:
    name: str = ""
    address: Address = field(default_factory=Address)


@app.post("/api/schema", tool=Tool("json_schema_2020_12_tool"))
def schema(request: Request) -> Person:
    """Repeat a person."""
    return request.json_as(Person)


for name in ("test_input_required_result_tampered_state", "test_missing_capability"):

    @app.delete(f"/api/{name}", name=name, tool=Tool(confirm="Delete it?"))
    def confirmed(request: Request) -> str:
        """Delete after a confirmation."""
        return "Deleted."


for name in ("test_logging_tool", "test_streaming_elicitation", "test_input_required_result_capabilities"):

    @app.post(f"/api/{name}", name=name, tool=True)
    def written(request: Request) -> str:
        """Write something."""
        return "Written."


@tools.prompt
def test_simple_prompt() -> str:
    """Return a prompt without arguments."""
    return "This is a simple prompt for testing."


@tools.prompt
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Return a prompt with arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


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
