"""Twenty planted races: found within 300 seeds, replayed from their numbers; their right twins raise no alarm."""

import os
import subprocess
import sys

import pytest

from antiphon.testing.races import RaceFound, races
from tests.helpers.postgres import PostgresServer
from tests.helpers.rows import rows
from tests.helpers.system_programs import required_program
from tests.testing.races.planted import PLANTS

pytestmark = [pytest.mark.processes, pytest.mark.once]
_postgres_program = required_program("postgres-server", "postgres")


@pytest.fixture(scope="module")
def url_of(request, tmp_path_factory):
    """A function that returns the URL of a plant's database, or the beginning of its files' paths."""
    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        database, folder = server.database(), tmp_path_factory.mktemp("plants")
        yield lambda plant: database if "postgres" in plant.name else str(folder / plant.name)


def find(plant, url, seeds, *, is_right=False):
    """Explore a planted race and return what is found."""
    make_app = plant.make(is_right, url)
    try:
        with races(make_app, seeds=seeds, **plant.options) as world:
            plant.play(world, make_app.state)
    except RaceFound as found:
        return found
    return None


@pytest.fixture(scope="module")
def found(url_of):
    """The races that are found, by name."""
    return {plant.name: find(plant, url_of(plant), 300) for plant in PLANTS}


@rows("plant", PLANTS, ids=lambda plant: plant.name)
def test_planted_race_is_found(plant, found):
    assert found[plant.name] is not None
    assert f"again with seeds=[{found[plant.name].seed}]" in str(found[plant.name])


def test_numbers_bring_the_same_failures_back_in_another_process(found, url_of):
    program = (
        "import sys; from tests.testing.races.test_planted import PLANTS, find\n"
        "for plant, url, seed in zip(PLANTS, sys.argv[1::2], sys.argv[2::2]): print(find(plant, url, [int(seed)]))"
    )
    arguments = [word for plant in PLANTS for word in (url_of(plant), str(found[plant.name].seed))]
    told = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONHASHSEED": "4711"}, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert told.stdout.splitlines() == "\n".join(str(found[plant.name]) for plant in PLANTS).splitlines()


@rows("plant", PLANTS, ids=lambda plant: plant.name)
def test_right_twin_raises_no_alarm(plant, url_of):
    assert find(plant, url_of(plant), 12, is_right=True) is None
