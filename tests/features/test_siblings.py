"""Features stand apart: each can be taken out, and breaks nothing but what is built on it. The core knows none."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache

import pytest

from tests.helpers.taken_out import BUILT_ON, FEATURES, PARTS, ROOMS, modules_of, room_of

pytestmark = pytest.mark.once

PACKAGE = FEATURES.parent
STUB = ast.parse((FEATURES / "__init__.pyi").read_text())
PUBLIC = {name.name: node.module for node in STUB.body if isinstance(node, ast.ImportFrom) for name in node.names}


def imported(tree):
    """Yield the modules and names that a file imports, and True for type checkers alone."""
    for_types = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for each in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                yield node.module or "", each.name, id(node) in for_types


@cache
def imports():
    """Return the rooms that each room imports, and the private names that it imports for type checkers."""
    taken, private = defaultdict(set), set()
    for room in ROOMS:
        for file in modules_of(room):
            for module, name, is_for_types in imported(ast.parse(file.read_text())):
                is_public = PUBLIC.get(name) == module or module == "antiphon.features"
                place = PUBLIC.get(name, module) if module == "antiphon.features" else module
                if not place.startswith("antiphon.features.") or (other := room_of(place)) == room:
                    continue
                if not is_for_types:
                    taken[room].add(other)
                elif not is_public and other not in PARTS and other not in BUILT_ON.get(room, ()):
                    private.add((room, module, name))
    return taken, private


def test_a_feature_imports_parts_and_what_it_is_built_on():
    taken, private = imports()
    found = {room: others - PARTS.keys() for room, others in taken.items() if room not in PARTS}
    assert {room: others for room, others in found.items() if others} == BUILT_ON
    assert private == set()


def test_a_part_imports_no_feature():
    taken, _ = imports()
    assert {room: taken[room] for room in PARTS} == PARTS


def test_none_is_built_on_itself_by_others():
    left, order = {**BUILT_ON, **PARTS}, []
    while ready := [room for room in left if not left[room] & left.keys()]:
        order += ready
        left = {room: others for room, others in left.items() if room not in ready}
    assert left == {}


def test_the_core_names_no_feature():
    around = {"cli", "dialects", "explanations", "features", "testing"}
    files = [file for file in PACKAGE.rglob("*.py") if around.isdisjoint(file.relative_to(PACKAGE).parts)]
    named = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in files
        for name in re.findall(r"[\"' ](?:antiphon\.)?features\.(\w+)", file.read_text())
        if name in ROOMS
    ]
    assert named == []


@pytest.mark.processes
def test_each_can_be_taken_out():
    command = [sys.executable, "-m", "tests.helpers.taken_out"]
    done = subprocess.run(command, cwd=FEATURES.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
