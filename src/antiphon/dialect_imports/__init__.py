"""Installation of dialects in this process: imports of the packages that they replace find the dialects' modules.

The entry point `werkzeug = "antiphon.dialects.werkzeug"` replaces `werkzeug` with that package. A dialect can replace
further packages with dotted entry points: `kay.werkzeug` names the package with which the `kay` dialect replaces
`werkzeug`. Modules that this package lacks come from the `werkzeug` dialect.

A distribution has the name of the replaced package, unless the stand-in sets another name, `__distribution__ =
"web.py"`, or an entry point in the `antiphon.dialect_distributions` group does: `PyYAML = "yaml"`.
"""

import ast
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.abc import Loader
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder, EntryPoint, entry_points
from os import PathLike
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

GROUP = "antiphon.dialects"
DISTRIBUTIONS = "antiphon.dialect_distributions"


class UnknownDialect(LookupError):
    """No installed dialect has this name."""


class StandIn(NamedTuple):
    """A package that replaces another one."""

    dialect: str
    replaced: str
    """The top-level module that is replaced."""
    package: str
    """The dotted name of the package that replaces it."""
    provider: str
    """The name of the distribution that contains the package."""
    distribution: str
    """The name of the distribution that is replaced."""

    def lacks(self, module: str) -> str:
        """Return the error message for a module that the dialect lacks, preferably the package's own advice."""
        if advice := _advice(module):
            return advice
        own = self.package.startswith(f"{GROUP}.")
        page = f"docs/reference/dialects/{self.dialect}.md" if own else f"the documentation of {self.provider}"
        return f"{self.provider}'s {self.dialect} dialect has no module {module}: see {page}"


def _advice(module: str) -> str:
    """Return a package's advice about a module that it lacks on purpose; empty if it gives none."""
    parent, _, name = module.rpartition(".")
    package = sys.modules.get(parent)
    find = vars(package).get("__getattr__") if package is not None else None
    try:
        if find is not None:
            find(name)
    except (AttributeError, ImportError) as error:
        if not re.fullmatch(rf"module '[\w.]+' has no attribute {name!r}", str(error)):
            return str(error)
    return ""


def known_dialects() -> list[str]:
    """Return the names of the installed dialects, sorted."""
    return sorted({_dialect(entry) for entry in entry_points(group=GROUP)})


def stand_ins(dialect: str) -> list[StandIn]:
    """Return a dialect's stand-ins in search order. Raises `UnknownDialect`."""
    entries = entry_points(group=GROUP)
    own = [_stand_in(entry) for entry in entries if _dialect(entry) == dialect]
    if not own:
        known = ", ".join(known_dialects()) or "none"
        raise UnknownDialect(f"There is no dialect {dialect!r}. Known dialects: {known}.")
    replaced = {stand_in.replaced for stand_in in own} - {dialect}
    return own + [_stand_in(entry) for entry in entries if entry.name in replaced]


def _dialect(entry: EntryPoint) -> str:
    return entry.name.partition(".")[0]


def _stand_in(entry: EntryPoint) -> StandIn:
    dialect, _, replaced = entry.name.partition(".")
    replaced = replaced or dialect
    provider = entry.dist.name if entry.dist else "antiphon"
    declared = entry.dist.entry_points.select(group=DISTRIBUTIONS, value=replaced) if entry.dist else ()
    distribution = next((each.name for each in declared), None) or _distribution_in(entry.module) or replaced
    return StandIn(dialect, replaced, entry.module, provider, distribution)


@lru_cache(maxsize=64)
def _distribution_in(package: str) -> str | None:
    """Return the `__distribution__` of a package, read from its source, so that nothing needs to be imported.

    Raises `UnknownDialect` if it is not a str literal.
    """
    source = None if package.startswith(f"{GROUP}.") else _source_of(package)
    for each in ast.parse(source.read_bytes()).body if source else ():
        if isinstance(each, ast.Assign) and [ast.unparse(target) for target in each.targets] == ["__distribution__"]:
            if not isinstance(each.value, ast.Constant) or not isinstance(each.value.value, str):
                raise UnknownDialect(f'{package} must have its name as a str: __distribution__ = "web.py"')
            return each.value.value
    return None


def _source_of(package: str) -> Path | None:
    """Return the file of a package or module, found without importing the packages around it; None if unknown."""
    top, *below = package.split(".")
    spec = _found(top)
    if spec is None or not below:
        origin = spec.origin if spec is not None else None
        return Path(origin) if origin is not None and origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *below)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    return None


class StandInDistribution(Distribution):
    """The metadata of a package that is replaced. Its version is the `__version__` of the stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    @property
    def name(self) -> str:
        """The name of the replaced distribution. Reading it imports nothing, since tools read all such names."""
        return self._stand_in.distribution

    def read_text(self, filename: str) -> str | None:
        """Return the text of METADATA or top_level.txt; None for other files."""
        match filename:
            case "METADATA":
                return _METADATA.format(**self._stand_in._asdict(), version=self._version())
            case "top_level.txt":
                return f"{self._stand_in.replaced}\n"
            case _:
                return None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Return the path that a file would have beside the package. The distribution itself contains no files."""
        file = importlib.import_module(self._stand_in.package).__file__ or ""
        return Path(file).parent.parent / path

    def _version(self) -> str:
        version = getattr(importlib.import_module(self._stand_in.package), "__version__", None)
        return str(version or importlib.metadata.version(self._stand_in.provider))


def normalized(name: str) -> str:
    """Return the normalized name of a distribution (PyPA's name normalization), for comparing names."""
    return re.sub(r"[-_.]+", "-", name).lower()


_METADATA = """\
Metadata-Version: 2.1
Name: {distribution}
Version: {version}
Summary: {provider}'s {dialect} dialect
Requires-Dist: {provider}
"""


_EVERYTHING = DistributionFinder.Context()


class StandInFinder(DistributionFinder):
    """Finds the modules and distributions of stand-ins. Other modules are left to other finders."""

    def __init__(self) -> None:
        self.stand_ins: dict[str, list[StandIn]] = {}
        """Stand-ins by the top-level module that they replace. A module comes from the first stand-in that has it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return a spec for a dialect's module. Raises ModuleNotFoundError if no stand-in has the module."""
        top, dot, rest = fullname.partition(".")
        stand_ins = self.stand_ins.get(top, [])
        for stand_in in stand_ins:
            own = _found(f"{stand_in.package}{dot}{rest}")
            if own is not None:
                is_package = own.submodule_search_locations is not None
                return ModuleSpec(fullname, _SameModule(own.name, self), origin=own.origin, is_package=is_package)
        if stand_ins:
            raise ModuleNotFoundError(stand_ins[-1].lacks(fullname), name=fullname)
        return self._own_spec(fullname, path) if self._replaced(fullname) else None

    def _own_spec(self, own: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Return a spec for a dialect's module under its own name, after which it is imported as the replaced one."""
        spec = PathFinder.find_spec(own, path)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self.import_replaced(own)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _replaced(self, own: str) -> str:
        """Return the name of the module that a dialect's module replaces; empty if it replaces none."""
        every = [each for chain in self.stand_ins.values() for each in chain if _is_in(own, each.package)]
        nearest = max(every, key=lambda each: len(each.package), default=None)
        return "" if nearest is None else nearest.replaced + own.removeprefix(nearest.package)

    def import_replaced(self, own: str) -> None:
        """Import a dialect's module as the one that it replaces, so that the import hooks for that name are called.

        Dialects import their modules by their own names. Until the package around it has been imported as the
        replaced one, nothing happens.
        """
        name = self._replaced(own)
        parent, _, child = name.rpartition(".")
        if name in sys.modules or own in _BEING_NAMED or (parent and parent not in sys.modules):
            return
        spec = self.find_spec(name)
        if spec is not None and isinstance(spec.loader, _SameModule) and spec.loader.own == own:
            around = vars(sys.modules[parent]) if parent else {}
            kept = around.get(child)
            importlib.import_module(name)
            if kept is not None:  # perhaps a class with the module's name, as web.py's `application`
                around[child] = kept

    def find_distributions(self, context: DistributionFinder.Context = _EVERYTHING) -> Iterable[Distribution]:
        """Yield the distribution that `context` names, perhaps by its `__package__`, or all whose modules are imported.

        Others aren't listed: to a tool that lists what is installed, the originals aren't there.
        """
        for first, *_ in self.stand_ins.values():
            names = map(normalized, (first.distribution, first.package))
            if first.replaced in sys.modules if context.name is None else normalized(context.name) in names:
                yield StandInDistribution(first)


def _is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _found(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(f"{error.name}."):
            return None
        raise


_BEING_NAMED: set[str] = set()
"""The dialects' modules that are being imported as the ones that they replace."""


class _SameModule(Loader):
    """Returns the module that has a different name, unchanged, importing it first if necessary."""

    def __init__(self, own: str, finder: StandInFinder) -> None:
        self.own = own
        self._finder = finder
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol's
        _BEING_NAMED.add(self.own)
        try:
            module = importlib.import_module(self.own)
        finally:
            _BEING_NAMED.discard(self.own)
        self._spec = module.__spec__
        return module

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002 - the protocol's
        """Return the module's code, for `python -m`; None if it has none."""
        spec = _found(self.own)
        get_code = getattr(spec and spec.loader, "get_code", None)
        return None if get_code is None else get_code(self.own)

    def exec_module(self, module: ModuleType) -> None:
        replaced = module.__spec__.name if module.__spec__ is not None else self.own
        module.__spec__ = self._spec  # the import system has replaced it with the spec of the other name
        module.__name__ = replaced  # import hooks of monitoring tools (wrapt, Datadog) go by the name of the module
        for value in vars(module).values():  # programs report and pickle exceptions by the originals' names
            if isinstance(value, type) and issubclass(value, BaseException) and _is_in(value.__module__, self.own):
                value.__module__ = replaced
        for other in list(sys.modules):  # the modules in it were imported first, by their own names
            if other.rpartition(".")[0] == self.own:
                self._finder.import_replaced(other)


class TooLate(RuntimeError):
    """The original package has already been imported."""


def install(*dialects: str) -> None:
    """Make imports find these dialects, even if the originals are installed, too.

    If two dialects replace the same package, a module comes from the first dialect that has it. Dialects that are
    already installed are unaffected. Raises `UnknownDialect` or `TooLate`, without installing anything.
    """
    together = {replaced: list(chain) for replaced, chain in _FINDER.stand_ins.items()}
    for stand_in in [stand_in for dialect in dialects for stand_in in stand_ins(dialect)]:
        chain = together.setdefault(stand_in.replaced, [])
        if stand_in not in chain:
            chain.append(stand_in)
    _refuse_originals(together)
    _FINDER.stand_ins = together
    if _FINDER in sys.meta_path:  # pytest's import hook may have been put before it
        sys.meta_path.remove(_FINDER)
    sys.meta_path.insert(_first_standard_finder(), _FINDER)


def check_imports() -> None:
    """Raise `TooLate` if a module of an original has been imported in spite of its installed dialect."""
    _refuse_originals(_FINDER.stand_ins)


_FINDER = StandInFinder()


def _first_standard_finder() -> int:
    """Return the position of the first finder of the standard library in `sys.meta_path`, or of pytest's import hook.

    These find files themselves. What stands before them are other import hooks, which look for the module with the
    finders behind them, and change it.
    """
    standard = (BuiltinImporter, FrozenImporter, PathFinder)
    finders = enumerate(sys.meta_path)
    return next((at for at, each in finders if each in standard or type(each).__module__.startswith("_pytest.")), 0)


def _refuse_originals(stand_ins: dict[str, list[StandIn]]) -> None:
    for name in sorted(each for each, module in sys.modules.items() if module is not None):
        module, top = sys.modules[name], name.partition(".")[0]
        own = getattr(getattr(module, "__spec__", None), "name", name)
        if top in stand_ins and not any(_is_in(own, each.package) for each in stand_ins[top]):
            place = getattr(module, "__file__", None) or "no file"
            raise TooLate(
                f"{name} was imported from the original, {place}, before its dialect was installed. Install the dialect"
                " earlier: docs/how-to/run-on-a-dialect.md shows how Python does that as it starts."
            )
