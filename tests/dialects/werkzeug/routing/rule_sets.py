"""Random sets of rules, as plain values of which both libraries make their own; and what each of them does with one."""

import re

from hypothesis import strategies as st

TEXTS = ("a", "b", "ab", "1", "a-1", "x.y", "ä", "c d")
CONVERTERS = (
    "", "", "string:", "string(length=2):", "string(minlength=2, maxlength=3):", "int:", "int:", "int(fixed_digits=2):",
    "int(min=1, max=12):", "int(signed=True):", "float:", "float(signed=True):", "any(a, b, 'c d'):", "uuid:", "path:",
    "letters:", "grouped:", "slashed:",
)  # fmt: skip


@st.composite
def rule_texts(draw, most=4):
    names = iter("klmnopqrtuvwxyz")

    def chunk():
        if draw(st.booleans()):
            return draw(st.sampled_from(TEXTS))
        return f"<{draw(st.sampled_from(CONVERTERS))}{next(names)}>"

    lengths = draw(st.lists(st.sampled_from((1, 1, 1, 2, 3)), max_size=most))
    segments = ["".join(chunk() for _ in range(length)) for length in lengths]
    slash = draw(st.sampled_from(("", "/", "/", "//")))
    return f"/{'/'.join(segments)}{slash if segments else ''}"


METHODS = st.none() | st.lists(st.sampled_from(("GET", "POST", "get", "OPTIONS")), min_size=1, max_size=2)


@st.composite
def rules(draw, domains=("",)):
    options = {"endpoint": draw(st.sampled_from("uvwxyz"))}
    maybe = {
        "methods": METHODS,
        "strict_slashes": st.booleans(),
        "merge_slashes": st.booleans(),
        "build_only": st.sampled_from((False, False, True)),
        "alias": st.sampled_from((False, False, True)),
        "redirect_to": st.sampled_from((None, None, "/moved", "moved/<k>")),
        "defaults": st.dictionaries(st.sampled_from("klm"), st.sampled_from((1, "a")), min_size=1, max_size=2),
    }
    for name in draw(st.sets(st.sampled_from(sorted(maybe)), max_size=2)):
        options[name] = draw(maybe[name])
    if domains != ("",):
        options["subdomain"] = draw(st.sampled_from(domains))
    if draw(st.integers(0, 5)) == 0:
        options["websocket"] = True
        options.pop("methods", None)
    return draw(rule_texts()), options


def maps(**options):
    map_options = st.fixed_dictionaries(
        {},
        optional={
            "strict_slashes": st.booleans(),
            "merge_slashes": st.booleans(),
            "redirect_defaults": st.booleans(),
            "sort_parameters": st.booleans(),
        },
    )
    return st.tuples(st.lists(rules(**options), min_size=1, max_size=6), map_options)


SEGMENTS = st.sampled_from((*TEXTS, "", "12", "02", "-3", "1.5", "-1.5", "aa", "abc", "c", "a1-2b", "٣", "a\nb", "\nb",
                            "12345678-1234-1234-1234-123456789abc"))  # fmt: skip
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda segments: "/" + "/".join(segments))


@st.composite
def paths_for(draw, rule_set):
    """A path that may be meant for one of the rules: texts for its variables, and a slash more or less."""
    text, _ = draw(st.sampled_from(rule_set[0]))
    path = re.sub("<[^>]*>", lambda _: draw(SEGMENTS | SEGMENTS.map(lambda segment: f"{segment}/x/a")), text)
    return draw(st.sampled_from((path, path, f"{path}/", path.rstrip("/"), path.replace("/", "//", 2))))


def make(library, rules, options):
    """A map of a library. The converters are the same, but derive from its own."""

    class Letters(library.BaseConverter):
        regex = "[a-z]+"
        weight = 80

    class Grouped(library.BaseConverter):
        regex = r"(\w)([.]?)(\w*)"

        def to_python(self, value):
            if value == "ab":
                raise library.ValidationError
            return f"<{value}>"

    class Slashed(library.BaseConverter):
        regex = "[ab]+/[a-z]+"

    converters = {"letters": Letters, "grouped": Grouped, "slashed": Slashed}
    return library.Map([library.Rule(text, **kinds) for text, kinds in rules], converters=converters, **options)


def outcome(act):
    try:
        return act()
    except Exception as error:
        methods = getattr(error, "valid_methods", None)
        return type(error).__name__, getattr(error, "new_url", None), methods and sorted(methods)
