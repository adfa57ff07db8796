"""JSON Schema of Pydantic models, made by Pydantic. Only imported if an application has a model."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

_Schema: TypeAlias = dict[str, Any]
_PREFIX = "pydantic."
"""The prefix of the names of components, which separates them from those of other types."""


class _WithoutFieldTitles(GenerateJsonSchema):
    """JSON Schema without field titles that only repeat the name of the field."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - Pydantic's name
        return False


class ModelSchemas(NamedTuple):
    """The schemas of types by their keys, the components that they refer to, and why some types have no schema."""

    schemas: dict[Any, _Schema]
    components: dict[str, _Schema]
    refused: dict[Any, str]


def schemas_of_models(kinds: Mapping[Any, Any], is_input: bool, reference: str) -> ModelSchemas:
    """Return the schemas of types with models, for requests or for responses.

    ``reference`` stands before the name of a component.
    """
    mode: JsonSchemaMode = "validation" if is_input else "serialization"
    template, refused = f"{reference}{_PREFIX}{{model}}", dict[Any, str]()
    adapters: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = []
    for key, kind in kinds.items():
        adapter = TypeAdapter(kind)
        try:
            adapter.json_schema(mode=mode)
        except PydanticUserError as error:
            refused[key] = str(error).partition("\n")[0]
        else:
            adapters.append((key, mode, adapter))
    made, common = TypeAdapter.json_schemas(adapters, ref_template=template, schema_generator=_WithoutFieldTitles)
    components = {f"{_PREFIX}{name}": each for name, each in common.get("$defs", {}).items()}
    return ModelSchemas({key: schema for (key, _), schema in made.items()}, components, refused)
