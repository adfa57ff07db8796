"""Keywords of functions under the names that WebOb's pages use for them."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def also_called(word: str, parameter: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function be called with a parameter under another word, too. Raises TypeError for a call with both."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if word in kwargs:
                if parameter in kwargs:
                    raise TypeError(f"{function.__name__}() takes {parameter}= or {word}=, not both")
                kwargs[parameter] = kwargs.pop(word)
            return function(*args, **kwargs)

        return call

    return decorate
