"""Parameters of commands: a certificate and its key, and lists of paths."""

import os
import ssl
from importlib import import_module
from typing import Any

import click

from antiphon.dialects.werkzeug.utils import import_string


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # of newer versions of click
    """The path of a certificate, the word ``adhoc``, or the dotted name of an ``ssl.SSLContext``."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the value names. Raises BadParameter."""
        try:
            return self.path_type(value, param, ctx)
        except click.BadParameter:
            text = click.STRING(value, param, ctx).lower()
            if text == "adhoc":
                if not _has_cryptography():
                    words = "An ad-hoc certificate needs the cryptography package."
                    raise click.BadParameter(words, ctx, param) from None
                return text
            found = import_string(text, silent=True)
            if isinstance(found, ssl.SSLContext):
                return found
            raise


def _has_cryptography() -> bool:
    try:
        import_module("cryptography")
    except ImportError:
        return False
    return True


def validate_key(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return the key of a certificate, and have ``cert`` be the pair of both. Raises BadParameter."""
    certificate = ctx.params.get("cert")
    has_key = certificate == "adhoc" or isinstance(certificate, ssl.SSLContext)
    if value is None:
        if certificate and not has_key:
            raise click.BadParameter('Required when using "--cert".', ctx, param)
        return value
    if has_key:
        kind = "adhoc" if certificate == "adhoc" else "an SSLContext object"
        shown = f'"{kind}"' if certificate == "adhoc" else kind
        raise click.BadParameter(f'When "--cert" is {shown}, "--key" is not used.', ctx, param)
    if not certificate:
        raise click.BadParameter('"--cert" must also be specified.', ctx, param)
    ctx.params["cert"] = certificate, value
    return value


class SeparatedPathType(click.Path):
    """Paths, separated as the system separates those of PATH."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of the paths. Raises BadParameter."""
        convert = super().convert
        return [convert(each, param, ctx) for each in os.fspath(value).split(os.pathsep) if each]
