from antiphon.testing.races.running import Sent
from antiphon.testing.races.world import RaceFound, World, races, request

__all__ = ["RaceFound", "Sent", "World", "races", "request"]
