from antiphon.testing.races.running import Sent
from antiphon.testing.races.world import RaceFound, World, delete, get, patch, post, put, races

__all__ = ["RaceFound", "Sent", "World", "delete", "get", "patch", "post", "put", "races"]
