"""Actions: the work of directives, which runs once and in order when the configuration is committed."""

import sys
from collections.abc import Callable
from functools import wraps
from linecache import getline
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.exceptions import (
    ConfigurationConflictError,
    ConfigurationError,
    ConfigurationExecutionError,
)
from antiphon.dialects.pyramid.interfaces import IActionInfo
from antiphon.dialects.pyramid.registry import undefer
from antiphon.dialects.pyramid.util import is_nonstr_iter

Action = dict[str, Any]


@implementer(IActionInfo)
class ActionInfo:
    """The location of a configuration statement: its file, line number, function and source line."""

    def __init__(self, file: str, line: int, function: str, src: str) -> None:
        self.file, self.line, self.function, self.src = file, line, function, src

    def __str__(self) -> str:
        source = "\n".join(f"    {line}" for line in self.src.split("\n"))
        return f"Line {self.line} of file {self.file}:\n{source}"


def caller_info(depth: int) -> ActionInfo:
    """Return the location of the caller that is ``depth`` calls up."""
    try:
        frame = sys._getframe(depth + 1)  # noqa: SLF001 - there is no public API
    except ValueError:
        return ActionInfo("", 0, "", "")
    code, line = frame.f_code, frame.f_lineno
    return ActionInfo(code.co_filename, line, code.co_name, getline(code.co_filename, line, frame.f_globals).strip())


def action_method(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Return a directive whose actions record where it was called or, if another directive called it, where that one
    was.
    """

    @wraps(wrapped)
    def wrapper(self: Any, *args: Any, **kw: Any) -> Any:
        if self._ainfo is None:
            self._ainfo = []
        info = kw.pop("_info", None)
        backframes = kw.pop("_backframes", 0)
        if is_nonstr_iter(info) and len(info) == 4:
            info = ActionInfo(*info)
        self._ainfo.append(caller_info(1 + backframes) if info is None else info)
        try:
            return wrapped(self, *args, **kw)
        finally:
            self._ainfo.pop()

    wrapper.__docobj__ = wrapped  # type: ignore[attr-defined]  # for documentation tools
    return wrapper


class ActionConfiguratorMixin:
    """A mixin that collects actions until they are committed. With autocommit, it runs them immediately."""

    registry: Any
    autocommit: bool
    introspection: bool
    introspector: Any
    includepath: tuple[Any, ...]
    info: Any
    begin: Callable[..., Any]
    end: Callable[..., Any]
    _ainfo: list[Any] | None

    @property
    def action_info(self) -> Any:
        """The place where the outermost directive was called."""
        if self._ainfo:
            return self._ainfo[0]
        return self.info or ActionInfo("", 0, "", "")

    def action(
        self,
        discriminator: Any,
        callable: Callable[..., Any] | None = None,  # noqa: A002 - Pyramid's name
        args: Any = (),
        kw: dict[str, Any] | None = None,
        order: int = 0,
        introspectables: Any = (),
        **extra: Any,
    ) -> None:
        """Record a function to call on commit or, with autocommit, call it immediately.

        If several actions have the same ``discriminator``, the including program's action is used. If no program
        includes the others, the commit fails. ``order`` is the phase.
        """
        keywords = {} if kw is None else kw
        info = self.action_info if self._ainfo or self.info else caller_info(1)
        if not self.introspection:
            introspectables = ()
        if self.autocommit:
            self._do_now(discriminator, callable, args, keywords, introspectables, info)
            return
        self.action_state.action(
            discriminator=discriminator,
            callable=callable,
            args=args,
            kw=keywords,
            order=order,
            info=info,
            includepath=self.includepath,
            introspectables=introspectables,
            **extra,
        )

    def _do_now(self, discriminator: Any, callable: Any, args: Any, kw: Any, introspectables: Any, info: Any) -> None:  # noqa: A002
        undefer(discriminator)
        self.begin()
        try:
            if callable is not None:
                callable(*args, **kw)
            for introspectable in introspectables:
                introspectable.register(self.introspector, info)
        finally:
            self.end()

    @property
    def action_state(self) -> "ActionState":
        state: ActionState | None = getattr(self.registry, "action_state", None)
        if state is None:
            state = self.registry.action_state = ActionState()
        return state

    @action_state.setter
    def action_state(self, state: "ActionState") -> None:
        self.registry.action_state = state

    _ctx = action_state

    def commit(self) -> None:
        """Run all pending actions. Raises ConfigurationConflictError, or ConfigurationExecutionError if one fails.

        Later actions can replace those that have run.
        """
        self.begin()
        try:
            self.action_state.execute_actions(introspector=self.introspector)
        finally:
            self.end()
        self.action_state = ActionState()


class ActionState:
    """Pending actions, and the files that were included for them."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self._seen_files: set[Any] = set()

    def processSpec(self, spec: Any) -> bool:  # noqa: N802 - Pyramid's name
        """Record that ``spec`` is included. Return True if it was not included before."""
        if spec in self._seen_files:
            return False
        self._seen_files.add(spec)
        return True

    def action(
        self,
        discriminator: Any,
        callable: Callable[..., Any] | None = None,  # noqa: A002 - Pyramid's name
        args: Any = (),
        kw: dict[str, Any] | None = None,
        order: int = 0,
        includepath: tuple[Any, ...] = (),
        info: Any = None,
        introspectables: Any = (),
        **extra: Any,
    ) -> None:
        action = expand_action_tuple(discriminator, callable, args, kw, includepath, info, order, introspectables)
        self.actions.append({**extra, **action})

    def execute_actions(self, clear: bool = True, introspector: Any = None) -> None:
        """Run all pending actions in order, including those that they add."""
        kept = self.actions
        resolver = _Resolver()
        try:
            taken = 0
            while True:
                if taken < len(self.actions):
                    resolver.add(normalize_actions(self.actions[taken:]))
                    taken = len(self.actions)
                action = resolver.next()
                if action is None:
                    break
                _execute(action, introspector)
        finally:
            if clear:
                self.actions = []
            else:
                self.actions = kept


def _execute(action: Action, introspector: Any) -> None:
    function = action["callable"]
    if function is not None:
        try:
            function(*action["args"], **action["kw"])
        except Exception as error:
            raise ConfigurationExecutionError(type(error), error, action["info"]) from error
    if introspector is not None:
        for introspectable in action["introspectables"]:
            introspectable.register(introspector, action["info"])


class _Resolver:
    """A queue of actions, sorted by order and then as added.

    In a conflict, the action with the shortest include path wins.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Action]] = []
        self._ready: list[Action] = []
        self._order: int | None = None
        self._count = 0
        self._done: dict[Any, Action] = {}

    def add(self, actions: list[Action]) -> None:
        """Add actions. Raises ConfigurationError for an action with a lower order than those that have already run."""
        for action in actions:
            if self._order is not None and action["order"] < self._order:
                raise ConfigurationError(
                    f"Actions were added to order={action['order']} after execution had moved on to"
                    f" order={self._order}. Conflicting actions: {action['info']}"
                )
            self._waiting.append((self._count, action))
            self._count += 1
        self._waiting.sort(key=lambda counted: (counted[1]["order"], counted[0]))
        self._resolve()

    def next(self) -> Action | None:
        """Return the next action; None after the last one."""
        if not self._ready:
            self._resolve()
        if not self._ready:
            return None
        action = self._ready.pop(0)
        self._waiting = [counted for counted in self._waiting if counted[1] is not action]
        self._order = action["order"]
        return action

    def _resolve(self) -> None:
        """Determine which actions to run for the lowest pending order."""
        if not self._waiting:
            self._ready = []
            return
        lowest = self._waiting[0][1]["order"]
        group = [action for _, action in self._waiting if action["order"] == lowest]
        chosen = _unique(group, self._done)
        dropped = {id(action) for action in group} - {id(action) for action in chosen}
        self._waiting = [counted for counted in self._waiting if id(counted[1]) not in dropped]
        self._ready = chosen


def _unique(actions: list[Action], done: dict[Any, Action]) -> list[Action]:
    """Return the actions to run, one for each discriminator. Raises ConfigurationConflictError."""
    equal: dict[Any, list[Action]] = {}
    for action in actions:
        action["discriminator"] = discriminator = undefer(action["discriminator"])
        if discriminator is not None:
            equal.setdefault(discriminator, []).append(action)
    conflicts: dict[Any, list[Any]] = {}
    for discriminator, same in equal.items():
        winner = done.get(discriminator)
        if winner is None:
            winner = min(same, key=lambda action: len(action["includepath"]))
        path = winner["includepath"]
        rivals = [
            action
            for action in same
            if action is not winner
            and (action["includepath"][: len(path)] != path or len(action["includepath"]) == len(path))
        ]
        if rivals:
            conflicts[discriminator] = [winner["info"], *[action["info"] for action in rivals]]
        done[discriminator] = winner
    if conflicts:
        raise ConfigurationConflictError(conflicts)
    return [action for action in actions if action["discriminator"] is None or done[action["discriminator"]] is action]


def resolveConflicts(actions: Any, state: Any = None) -> Any:  # noqa: ARG001, N802 - Pyramid's name
    """Yield actions (dictionaries or tuples) in order, without those that others override.

    Raises ConfigurationConflictError.
    """
    resolver = _Resolver()
    resolver.add(normalize_actions(actions))
    while (action := resolver.next()) is not None:
        yield action


def normalize_actions(actions: Any) -> list[Action]:
    """Convert actions (dictionaries or tuples) to dictionaries."""
    return [action if isinstance(action, dict) else expand_action_tuple(*action) for action in actions]


def expand_action_tuple(
    discriminator: Any,
    callable: Any = None,  # noqa: A002 - Pyramid's name
    args: Any = (),
    kw: Any = None,
    includepath: Any = (),
    info: Any = None,
    order: int = 0,
    introspectables: Any = (),
) -> Action:
    return {
        "discriminator": discriminator,
        "callable": callable,
        "args": args,
        "kw": {} if kw is None else kw,
        "includepath": includepath,
        "info": info,
        "order": order,
        "introspectables": introspectables,
    }
