"""Plans from numbers, few switches first, and the smallest plan that still fails."""

import random
from collections.abc import Callable, Collection, Sequence

from antiphon.testing.races.running import Outcome
from antiphon.testing.races.scheduler import Fault, Plan, Switch

SHRINKING = 60
"""The maximum number of runs that shrink a plan."""


def plan_of(seed: int, baseline: Outcome, faults: Collection[str]) -> Plan:
    """Return the plan of a seed, for an application that has the choices of ``baseline`` in its default order.

    Seed 0 is the default order. Odd seeds switch once, before each line in turn and then at each turn of a loop; even
    ones switch up to four times. A fourth of the switches stall. With ``faults``, two of three plans have a fault.
    """
    if seed == 0:
        return Plan()
    source = random.Random(f"races {seed}")
    order = [*_shuffled(baseline.lines), *_shuffled(baseline.turns)]
    if not order:
        chosen = []
    elif seed % 2:
        chosen = [order[seed // 2 % len(order)]]
    else:
        kinds = [kind for kind in (baseline.lines, baseline.lines, baseline.turns) if kind]
        chosen = sorted(source.choice(source.choice(kinds)) for _ in range(source.choice((1, 2, 2, 3, 4))))
    switches = tuple(Switch(each, source.randrange(6), source.random() < 0.25) for each in chosen)
    if not faults or source.random() < 1 / 3:
        return Plan(switches)
    fault = Fault(1 + source.randrange(baseline.points), source.choice(sorted(faults)), source.randrange(6))
    return Plan(switches if source.random() < 0.5 else (), (fault,))  # most faults need no switch


def _shuffled(points: Sequence[int]) -> list[int]:
    return random.Random("order").sample(points, len(points))


def shrink(failed: Outcome, run: Callable[[Plan], Outcome]) -> Outcome:
    """Leave out every fault and switch without which a run still fails, and let none stall in vain."""
    left = SHRINKING
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for candidate in _smaller(failed.applied):
            left -= 1
            if left >= 0 and (smaller := run(candidate)).failure is not None:
                failed, is_smaller = smaller, True
                break
    return failed


def _smaller(plan: Plan) -> list[Plan]:
    switches, faults = plan
    found = [Plan(switches, ())] if faults else []
    found += [Plan(switches[:at] + switches[at + 1 :], faults) for at in range(len(switches))]
    for at, switch in enumerate(switches):
        if switch.stalls:
            found.append(Plan((*switches[:at], switch._replace(stalls=False), *switches[at + 1 :]), faults))
    return found
