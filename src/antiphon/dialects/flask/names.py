"""Names of blueprints in one another."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def parents_of(name: str) -> list[str]:
    """Return a blueprint's name, followed by those of the blueprints around it: `a.b`, `a`."""
    names = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        names.append(name)
    return names


@lru_cache(maxsize=4096)
def hooks_of(endpoint: str) -> tuple[str | None, ...]:
    """Return the keys of the hooks for an endpoint: None for the application, then blueprints from the outermost."""
    blueprint = endpoint.rpartition(".")[0]
    return (None, *reversed(parents_of(blueprint))) if blueprint else (None,)
