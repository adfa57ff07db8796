"""What a benchmark tells of the Python that it runs on."""

from benchmarks.interpreter import is_debian_s_own, kind, told_by, warnings
from tests.helpers.rows import rows


@rows(
    "variables, told",
    ({"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}, ["PGO", "LTO"]),
    ({"CONFIG_ARGS": "'--with-lto=thin'"}, ["LTO"]),
    ({"PY_CORE_CFLAGS": "-O3 -fprofile-use -fprofile-correction -flto"}, ["PGO", "LTO"]),
    ({"PY_CFLAGS_NODIST": "-O3 -fprofile-instr-use=code.profclangd"}, ["PGO"]),
    ({"CONFIG_ARGS": "'--prefix=/opt'", "CFLAGS": "-O3 -Wall"}, []),
    ({}, []),
)
def test_a_build_tells_its_optimisations(variables, told):
    assert list(told_by(variables)) == told


@rows(
    "base_prefix, release, is_own",
    ("/usr", {"ID": "debian"}, True),
    ("/usr", {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, True),
    ("/usr/local", {"ID": "debian"}, False),
    ("/usr", {"ID": "arch"}, False),
    ("/usr", {}, False),
)
def test_the_system_s_own_python_of_debian_is_known_by_its_place(base_prefix, release, is_own):
    assert is_debian_s_own(base_prefix, release) is is_own


def test_a_build_without_pgo_is_warned_of():
    assert any("without PGO" in line for line in warnings(["LTO"]))
    assert not any("without PGO" in line for line in warnings(["PGO"]))


def test_the_interpreter_is_named_with_its_version_and_compiler():
    assert kind().startswith(("CPython 3.", "PyPy 3."))
