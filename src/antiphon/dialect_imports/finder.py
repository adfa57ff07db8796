"""The finder on `sys.meta_path` for which `werkzeug.wrappers` is the dialect's module, under both of its names."""

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from types import ModuleType

from antiphon.dialect_imports.distribution import StandInDistribution, normalized
from antiphon.dialect_imports.entries import StandIn

_EVERYTHING = DistributionFinder.Context()


class StandInFinder(DistributionFinder):
    """Finds the modules of the stand-ins that it has, and their distributions; leaves all else to others."""

    def __init__(self) -> None:
        self.stand_ins: dict[str, list[StandIn]] = {}
        """By the name of the top-level module that is replaced. A module comes from the first that has it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's, as the next
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """A spec that leads to a dialect's module. Raises ModuleNotFoundError if none has it."""
        top, dot, rest = fullname.partition(".")
        stand_ins = self.stand_ins.get(top, [])
        for stand_in in stand_ins:
            own = _found(f"{stand_in.package}{dot}{rest}")
            if own is not None:
                is_package = own.submodule_search_locations is not None
                return ModuleSpec(fullname, _SameModule(own.name), origin=own.origin, is_package=is_package)
        if stand_ins:
            raise ModuleNotFoundError(stand_ins[-1].lacks(fullname), name=fullname)
        return None

    def find_distributions(self, context: DistributionFinder.Context = _EVERYTHING) -> Iterable[Distribution]:
        """The distributions that are replaced, or the one of them that `context` names."""
        for replaced, (first, *_) in self.stand_ins.items():
            if context.name is None or normalized(context.name) == normalized(replaced):
                yield StandInDistribution(first)


def _found(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(f"{error.name}."):
            return None
        raise


class _SameModule(Loader):
    """Gives the module of another name, imported if it has not been, and leaves it as it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol's
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put that of the other name here
