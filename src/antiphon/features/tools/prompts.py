"""Prompts: functions whose text a person can send to a model, with arguments."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

from antiphon.explanations import explained
from antiphon.features.tools.protocol import INVALID_PARAMS, ProtocolError
from antiphon.handler.contract import describe

PromptFunction: TypeAlias = Callable[..., str | Awaitable[str]]


class Prompt(NamedTuple):
    """A prompt: its function, and what clients see of it."""

    name: str
    description: str
    arguments: dict[str, bool]
    """The names of the arguments, with True for one that is required."""
    function: PromptFunction

    def as_json(self) -> dict[str, Any]:
        """Return the prompt as clients see it."""
        arguments = [{"name": name, "required": required} for name, required in self.arguments.items()]
        return {"name": self.name, "description": self.description, "arguments": arguments}

    async def get(self, given: object) -> dict[str, Any]:
        """Return the messages of a prompt. Raises ProtocolError for arguments that it does not take."""
        values = given if isinstance(given, dict) else {}
        missing = [name for name, required in self.arguments.items() if required and name not in values]
        wrong = [name for name in values if name not in self.arguments or not isinstance(values[name], str)]
        if missing or wrong or not isinstance(given, dict):
            names = ", ".join(str(name)[:80] for name in (missing or wrong))
            what = "is missing" if missing else "is not text, or not an argument"
            raise ProtocolError(INVALID_PARAMS, f"Prompt {self.name}: {names or 'arguments'} {what}")
        made = self.function(**values)
        text = await made if inspect.isawaitable(made) else made
        if not isinstance(text, str):
            raise explained("bad-tool", TypeError(f"{describe(self.function)} must return text, not {text!r}"))
        message = {"role": "user", "content": {"type": "text", "text": text}}
        return {"description": self.description, "messages": [message]}


def prompt_of(function: PromptFunction) -> Prompt:
    """Return the prompt of a function. Raises TypeError for arguments that can't be given by name as text."""
    parameters = inspect.signature(function).parameters
    for each in parameters.values():
        if each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) or each.annotation not in (
            str, "str", inspect.Parameter.empty,
        ):  # fmt: skip
            raise explained(
                "bad-tool", TypeError(f"{describe(function)} is a prompt: its arguments must be str, not {each}")
            )
    name = function.__name__
    required = {each: value.default is value.empty for each, value in parameters.items()}
    return Prompt(name, inspect.getdoc(function) or name, required, function)
