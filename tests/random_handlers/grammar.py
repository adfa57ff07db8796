"""The parts of which random handlers are made, as text with holes.

A part is the text of a statement or an expression. ``---`` separates what stands at the level of the module from it.
Each hole is filled at random:

- ``$c`` a condition, which a request chooses; ``$v`` a scalar, ``$V`` any value, ``$D`` a dict, ``$L`` a list, ``$t``
  text, ``$k`` a key, ``$O`` an object of a type
- ``$w`` and ``$W`` a scalar and a dict that need no request, for the level of the module
- ``$S`` a status, ``$E`` the status of an error, ``$H`` headers, ``$X`` an expression that raises
- ``$d``, ``$l``, ``$x`` a variable that holds a dict, a list of dicts, any value
- ``$1`` to ``$9`` a new name; ``$B`` statements; ``$A`` a statement that ends the handler with an error; ``$R`` a return
"""

CONDITIONS = """
request.args.get("$Q") == "a"
"$Q" in request.args
request.args.get("$Q", "b") != "b"
request.headers.get("x-$Q") == "a"
"x-$Q" in request.headers
"X-$Q" in request.headers
request.headers.get("X-$Q") == "a"
request.cookies.get("$Q") == "a"
"$Q" in request.cookies
flag(request, "$Q")
request.args.get("$Q", type=bool)
bool(request.args.getall("$Q"))
not request.args.get("$Q")
len(request.args.get("$Q", "")) > 0
dict(request.args).get("$Q") == "a"
{**request.args}.get("$Q") == "a"
"$Q" in [*request.args]
"$Q" in request.args.keys()
any(each == "$Q" for each in request.args)
getattr(request, "args").get("$Q") == "a"
(lambda given: given.args.get("$Q"))(request) == "a"
functools.partial(request.args.get, "$Q")() == "a"
[*map(request.args.get, ["$Q"])][0] == "a"
request.query_string == b"$Q=a"
request.url.query == "$Q=a"
operator.attrgetter("args")(request).get("$Q") == "a"
"$Q=a" in str(request.url)
current_request().args.get("$Q") == "a"
request.copy().args.get("$Q") == "a"
(known := request.args.get("$Q")) is not None and known == "a"
"b" > request.args.get("$Q", "b") > ""
request.args["$Q"] == "a"
request.headers["x-$Q"] == "a"
request.cookies["$Q"] == "a"
int(request.args.getone("$Q")) > 1
next((True for name, value in request.args.items() if name == "$Q" and value == "a"), False)
f"{request.args.get('$Q')}" == "a"
{"a": True}.get(request.args.get("$Q"), False)
$c and $c
$c or $c
not ($c)
(lambda: $c)()
all([$c, True])
same($c)
bool($c)
[$c][0]
Box(request).kept.args.get("$Q") == "a"
Proxy(request).args.get("$Q") == "a"
Box(request.args).kept.get("$Q") == "a"
{"r": request}["r"].args.get("$Q") == "a"
[request][0].headers.get("x-$Q") == "a"
request.args_as(Query).q == "a"
ETag("a") in request.if_match
bool(request.if_none_match)
"if-match" in request.headers
request.headers.get("if-none-match") == "a"
request.user is not None
"authorization" in request.headers
request.args.get("$Q") in ("a", "b")
request.args.get("$Q") is not None
(request.args.get("$Q") or "b") == "a"
request.args.get("$Q", default="b") == "a"
request.args.get("$Q", "").startswith("a")
request.args.get(key="$Q") == "a"
request.args.get(("$Q")) == "a"
request.args.get("q" + "$Q"[1:]) == "a"
request.args.__contains__("$Q")
operator.contains(request.args, "$Q")
MultiDict_(request.args).get("$Q") == "a"
(request.args or {}).get("$Q") == "a"
(args := request.args).get("$Q") == "a"
[args.get("$Q") for args in [request.args]] == ["a"]
vars(request).get("x") or request.args.get("$Q") == "a"
Request.args.__get__(request).get("$Q") == "a" if hasattr(Request.args, "__get__") else $c
sorted(request.args) == ["$Q"]
"$Q" in set(request.args)
copy.copy(request.args).get("$Q") == "a"
(lambda r=request: r.args.get("$Q"))() == "a"
all(request.args.get(each) for each in ["$Q"])
[each for each in ("$Q",) if each in request.args] != []
request.headers.get("x-$Q", "").upper() == "A"
request.headers.getall("x-$Q") != []
dict(request.headers).get("x-$Q") == "a"
any(name == "x-$Q" for name, value in request.headers.items())
request.cookies.get("$Q", "b") == "a"
dict(request.cookies).get("$Q") == "a"
"a" in request.cookies.values() or request.cookies.get("$Q") == "2"
request.args.getall("$Q") == ["a"]
list(request.args.values()) == ["a"] or request.args.get("$Q") == "2"
"$Q" not in request.args
len(request.args) > 1
bool(request.args)
"""

SCALARS = """
1
"s"
True
None
2.5
request.method
request.path
Size.SMALL
Decimal("1.5")
len("abc")
f"{1}-{2}"
1 if $c else "s"
None if $c else 2
$c
$c and "s"
[1, "s"][bool($c)]
{True: 1, False: "s"}[bool($c)]
int("7")
max(1, 2)
1 / 2
7 // 2
"%s" % 1
sum([1, 2])
Level.HIGH
Level.HIGH.name
Size.LARGE.value
STATUS
str(1)
round(1.5)
abs(-1.5)
1 + 1.5
True + True
"a" * 2
"a,b".split(",")
ord("a")
(lambda: $v)()
same($v)
next(iter([$v]))
[$v][0]
{"k": $v}["k"]
{"k": $v}.get("k")
{"k": $v}.get("other", $v)
($v, $v)[0]
($1 := $v)
Lamp(1, "a").id
Book("t").pages
Room("r").size
Room("r").price
getattr(Lamp(1, "a"), "name")
Box($v).kept
Proxy(Box($v)).kept
Box($v).strict
functools.reduce(lambda one, other: other, [$v, $v])
request.args.get("$Q")
request.args.get("$Q", 0)
request.args.get("$Q", 0, type=int)
request.headers.get("x-$Q")
request.headers.get("x-$Q", "none")
request.cookies.get("$Q", "none")
request.args.getall("$Q")
request.args["$Q"]
getattr(request.args, "get")("$Q")
read(lambda: $v)
read(int, "3")
(yielded := [$v]).pop()
"a" if not None else 1
Size("small")
datetime.date(2026, 1, 2)
uuid.UUID(int=1)
datetime.datetime(2026, 1, 2)
datetime.timedelta(seconds=1)
[each for each in (1, "s")][-1]
STATE.get("nothing")
Text("x")
int.__add__(1, 2)
operator.itemgetter(0)([$v])
copy.copy($v)
typing.cast(int, $v)
(0, "s")[1]
"abc"[1]
"abc".find("b")
b"abc".decode()
divmod(7, 2)[0]
type(1).__name__
min([3, 1])
isinstance(1, int) and "yes"
1 or "s"
0 or "s"
not 1
-1
~1
1 < 2 < 3
[] or None
{} and 1
"a" in "abc"
status_of("a")
needs($v)
"""

KEYS = ["a", "b", "c", "name"]

DICTS = """
{"$k": $V}

{"$k": $v, "$k": $v}

dict($k=$v)

dict({"$k": $v}, $k=$V)

{**$D, "$k": $v}

{"$k": $v, **$D}

$D | {"$k": $v}

$D | $D

dict([("$k", $v)])

dict(zip(("a", "b"), ($v, $v)))

{each: $v for each in ("a", "b")}

{f"k{each}": each for each in range(2)}

{str($v): 1}

{"$k" if $c else "$k": $v}

dict.fromkeys(["a", "$k"], $v)

$D.copy()

copy.deepcopy($D)

same($D)

fill($D)

fill($D, "$k", $v)

dataclasses.asdict(Lamp(1, "a"))

vars(Lamp(1, "a"))

Lamp(1, "a").__dict__

msgspec.to_builtins(Room("r"))

json.loads('{"a": 1}')

(lambda: $D)()

(lambda $1: $1)($D)

($1 := $D)

$D if $c else $D

$c and $D or $D

[$D, $D][bool($c)]

{True: $D, False: $D}[bool($c)]

next(iter([$D]))

max([$D], key=len)

functools.reduce(lambda one, other: one | other, [$D, $D])

collections.ChainMap({"$k": $v}, $D)

collections.OrderedDict($k=$v)

collections.defaultdict(int, $k=$v)

types.MappingProxyType({"$k": $v})

Box($D).put("$k", $v).kept

Box($D).kept

Box($D).strict

Box($D)["x"]

Proxy(Box($D)).kept

read(lambda: $D)

functools.partial(dict, $k=$v)()

functools.partial(fill, key="$k")($D)

functools.partial(fill, $D)(value=$v)

[$D for _ in "a"][0]

sorted([$D], key=len)[0]

{"in": $D}["in"]

$D.__or__({"$k": $v})

Entry(a=1)

Row(b="x")

Row(b="x", a=1)

{key: value for key, value in $D.items() if key != "$k"}

{key: str(value) for key, value in $D.items()}

{**{"$k": $v}}

{**dict(request.args), "$k": 1}

dict(request.args)

dict(request.cookies)

{"$k": {"$k": $v}}

{"$k": [$V]}

copy.copy({"$k": $v})

reversed([$D]).__next__()

[*map(fill, [$D])][0]

[*filter(None, [$D])][0]

dict(**{"$k": $v})

{1: $v}

{Size.SMALL: $v}

STATE or $D

globals().get("nothing", $D)

(lambda **named: named)($k=$v)

(lambda *values: values[0])($D)

operator.or_($D, $D)

type("$k", (dict,), {})($k=$v)

[($1 := $D), $1.update($k=$v)][0]

contextlib.nullcontext($D).enter_result

needs($D)

def $1(kind=None):
    return $W
---
$1()

def $1(kind):
    if kind:
        return $W
    return $W
---
$1($c)

def $1():
    yield $W
---
next($1())

$1 = $W
---
$1

$1 = $W
$1["$k"] = $w
---
$1

class $1(dict):
    def __init__(self):
        super().__init__($k=$w)
---
$1()

class $1(dict):
    def __missing__(self, key):
        return $W
---
$1()["x"]

class $1:
    def __call__(self, value):
        return {"$k": value}
---
$1()($v)

class $1:
    made = $W
---
$1.made

class $1:
    @staticmethod
    def make():
        return $W
    other = make
---
$1.other()

class $1:
    @classmethod
    def make(cls):
        return cls.inner()
    @staticmethod
    def inner():
        return $W
class $2($1):
    @staticmethod
    def inner():
        return $W
---
$2.make()

@functools.lru_cache
def $1():
    return $W
---
$1()

@functools.singledispatch
def $1(value):
    return $W
@$1.register
def _(value: int):
    return $W
---
$1($v)

@enveloped
def $1():
    return $W
---
$1()

def $1():
    return $W

def $2():
    return $W
$1 = $2
---
$1()

def $1(depth):
    return $W if depth == 0 else {"in": $1(depth - 1)}
---
$1(1)

def $1(target={}):
    target["$k"] = $w
    return target
---
$1()

def $1(*, key="a", **more):
    return {key: $w, **more}
---
$1($k=$v)

class $1(type):
    def __call__(cls, *arguments):
        return $W
class $2(metaclass=$1):
    pass
---
$2()

class $1:
    def __new__(cls):
        return $W
---
$1()

class $1:
    def __add__(self, other):
        return $W
    def __radd__(self, other):
        return $W
---
($1() + 1)

class $1:
    def __getattr__(self, name):
        return {name: $w}
---
$1().$k

class $1:
    def __get__(self, owner, kind):
        return $W
class $2:
    made = $1()
---
$2().made

class $1:
    def __init__(self):
        self.made = $W
        self.change()
    def change(self):
        self.made["$k"] = $w
---
$1().made

class $1(typing.NamedTuple):
    made: dict
---
$1($D).made

@dataclass
class $1:
    made: dict = field(default_factory=lambda: $W)
---
$1().made

def $1():
    return locals() or $W
---
$1()
"""

LISTS = """
[$D]

[$D, $D]

[$V]

[{"$k": $v}]

[*$L, $D]

$L + [$V]

[$D] * 2

[$D for _ in range(2)]

[{"$k": each} for each in (1, "s")]

[{"$k": each} for each in range(3) if each]

list($D)

list($D.values())

list($D.items())

sorted(["b", "a"])

list(map(lambda each: {"$k": each}, [1]))

list(range(2))

"a,b".split(",")

[$L, $L][bool($c)]

$L if $c else $L

$L or $L

[]

[] if $c else $L

$L[:1]

list(reversed($L))

same($L)

[Lamp(1, "a")]

[Lamp(1, "a"), Book("t")]

[Lamp(1, "a"), $D]

[Bright(1, "b")]

[Room("r", [Lamp(1, "a")])]

[Size.SMALL]

list({"$k": $v}.items())

[[1], ["s"]]

[each for each in [[1], "s"]]

[inner for outer in [[1], ["s"]] for inner in outer]

[*"ab"]

[*$D]

[None]

list(filter(None, [1, None]))

list(enumerate("ab"))

list(zip("ab", (1, 2)))

(lambda *values: list(values))($D, $V)

[$V, *[$D]]

functools.reduce(operator.add, [$L, $L])

list(itertools.chain($L, $L))

copy.copy($L)

[first([Lamp(1, "a")])]

def $1():
    yield $W
    yield $w
---
[*$1()]

def $1():
    found = []
    for each in (1, 2):
        found.append({"$k": each})
    return found
---
$1()

def $1():
    found = []
    put = found.append
    put($W)
    return found
---
$1()

$1 = []
$1.append($W)
---
$1
"""

OBJECTS = """
Lamp(1, "a")

Bright(1, "b")

Room("r", [Lamp(1, "a")])

Room("r", price=Decimal("1.50"))

Book("t")

Tagged("x")

Quiet("q")

made(Bright)

first([Bright(1, "b")])

same(Lamp(1, "a"))

same(Book("t"))

read(Lamp, 1, "a")

dataclasses.replace(Lamp(1, "a"), name="b")

Page([Lamp(1, "a")], 1)

Page([$D], 1)

Lamp(1, "a") if $c else Book("t")

Lamp(1, "a") if $c else $D

[Lamp(1, "a"), Book("t")][bool($c)]

copy.copy(Book("t"))

msgspec.convert({"title": "x"}, Book)

functools.partial(Lamp, 1)("x")

Box(Lamp(1, "a")).kept

(lambda kind: kind("x"))(Book)

{"a": Lamp, "b": Bright}[request.args.get("$Q", "a")](1, "x")

needs(Lamp(1, "a"))

globals()["Lamp"](1, "x")

getattr(sys.modules[__name__], "Lamp")(1, "x")

type(Lamp(1, "a"))(2, "b")

max([Lamp(1, "a"), Bright(2, "b")], key=lambda each: each.id)

@dataclass
class $1(Lamp):
    extra: str | None = None
---
$1(1, "a")

@dataclass
class $1:
    a: int = 1
    b: "Lamp | None" = None
    c: list[Size] = field(default_factory=lambda: [Size.LARGE])
---
$1()

class $1(msgspec.Struct, omit_defaults=$w is None):
    a: int = 1
    b: str | msgspec.UnsetType = msgspec.UNSET
---
$1()

class $1(msgspec.Struct, array_like=True):
    a: int = 1
    b: str = "x"
---
$1()

class $1(msgspec.Struct, rename="kebab", tag_field="kind", tag="one"):
    long_name: int = 1
---
$1()

@dataclass
class $1:
    a: int
    hidden: int = field(default=1, init=False)
    def __post_init__(self):
        self.a = str(self.a)
---
$1(1)
"""

TEXTS = """
"text"
f"{$v}"
str($v)
"a" + "b"
"a".upper()
"-".join(["a", "b"])
request.path
request.args.get("$Q", "x")
"%s" % $w
repr($D)
"a" if $c else "b"
json.dumps($D)
Text("x")
textwrap.dedent(" a")
string.Template("a").substitute()
same("x")
(lambda: "x")()
"""

STATEMENTS = """
$x = $V

$d = $D

$l = $L

$1 = $D

$1 = $2 = $D

$1 = $d

$1 = [$d]

$1 = {"held": $d}

$1, $2 = $D, $V

$1, *$2 = [$D, $V, $V]

[$1, $2] = [$D, $D]

($1, $2), $3 = ($D, $D), $V

pass

assert True

$d["$k"] = $V

$d["$k"] = $V

$d.update($k=$V)

$d.update({"$k": $V})

$d.update($D)

$d |= $D

$d = $d | $D

$d = {**$d, "$k": $v}

$d.setdefault("$k", $V)

$d.pop("$k", None)

$d.clear()

$d.popitem()

$d["$k"], $1 = $v, $v

$d["$k"], $d["$k"] = $v, $V

[$d["$k"], $1] = $v, $v

*$d["$k"], $1 = 1, 2

for $d["$k"] in (1, "s"): pass

[0 for $d["$k"] in (1, "s")]

[$d.update($k=each) for each in (1, "s")]

{$d.setdefault("$k", each) for each in (1, "s")}

any($d.update($k=each) for each in (1, "s"))

(lambda given: given.update($k=$v))($d)

fill($d)

fill($d, "$k", $V)

fill(target=$d, key="$k")

fill(*[$d, "$k"])

fill(**{"target": $d})

functools.partial(fill, $d)()

list(map(fill, [$d]))

list(map($d.__delitem__, list($d)[:1]))

operator.setitem($d, "$k", $V)

$d.__setitem__("$k", $V)

dict.update($d, $k=$V)

dict.__setitem__($d, "$k", $V)

$d.__init__($k=$v)

$d.__ior__({"$k": $v})

getattr($d, "update")($k=$v)

exec('$d["$k"] = 1')

eval('$d.update($k=1)')

vars(Box($d))["kept"]["$k"] = $v

Box($d).kept["$k"] = $v

Box().fill($d)

Box($d).put("$k", $v)

Box($d).put("$k", $v).put("$k", $v)

Box($d).fill($d)

STATE["now"] = $d; STATE["now"]["$k"] = $v; del STATE["now"]

globals()["LAST"] = $d; LAST["$k"] = $v

random.shuffle([$d])

heapq.heappush([], (1, id($d)))

bisect.insort([], 1)

sorted([$d], key=lambda each: each.update($k=1) or 0)

copy.copy($d)["$k"] = $v

$d.copy()["$k"] = $v

$1 = $d.copy(); $1["$k"] = $v

$1 = dict($d); $1["$k"] = $v

$1 = [$d, $d]; $1[0]["$k"] = $v

$1 = {"in": $d}; $1["in"]["$k"] = $v

$1 = ($d,); $1[0]["$k"] = $v

$1 = $d["$k"] = {}; $1["inner"] = $V

$d["$K"] = []; $d["$K"].append($V)

$d["$K"] = {}; $d["$K"]["$k"] = $V

$d["$K"] = {}; $d["$K"].update($k=$V)

$d.setdefault("$k", []).append($V)

$d.setdefault("$k", {})["$k"] = $V

$1 = $d.setdefault("$K", {}) or {}; $1["$K"] = $V

$d["$K"] = $d.get("$K", 0) or $v

$d["$K"] = $d.pop("$K", $v)

$d["$k"] = ($1 := $V)

($1 := $d)["$k"] = $v

$d["$k"] = len($d)

$d["$k"] = [*$d]

$d["self"] = [key for key in $d]

$d["$K"] = 1; $d["$K"] += 1.5

$d["$K"] = "s"; $d["$K"] *= 2

$d["$K"] = [1]; $d["$K"] += ["s"]

$d[$t] = $v

$d[request.args.get("$Q", "q")] = $v

$1 = "$k"; $d[$1] = $v

$1 = $d.__setitem__; $1("$k", $V)

$1 = $d.update; $1($k=$V)

$1 = functools.partial($d.__setitem__, "$k"); $1($V)

del $d["$k"]

$d["$K"] = 1; del $d["$K"]

$l.append($D)

$l.append($V)

$l.extend($L)

$l.insert(0, $V)

$l += $L

$l += ($v,)

$l[0] = $V

$l[0]["$k"] = $V

$l[-1]["$k"] = $V

$l[:] = $L

$l[1:] = [$V]

$l[len($l):] = $L

$l *= 2

$l.sort(key=str)

$l.reverse()

$l.pop(); $l.append($D)

$l.clear()

del $l[0]

del $l[:]

$1 = $l; $1.append($V)

$1 = $l.append; $1($V)

$1 = $l[0]; $1["$k"] = $V

$1, *$2 = $l; $1["$k"] = $V

[fill(each) for each in $l]

list(map(fill, $l))

list(map($l.append, ["s", 1]))

max($l, key=lambda each: 0)["$k"] = $v

next(iter($l))["$k"] = $V

collections.deque(map(fill, $l), 0)

$l = [{**each, "$k": $v} for each in $l]

$l = [each | {"$k": $v} for each in $l]

$l = [fill(each, "$k", $v) for each in $l]

$l = [dict(each, $k=$v) for each in $l]

$l = list(map(dict, $l))

$l = sorted($l, key=str)

$l = $l[::-1]

$l = [*filter(None, $l)]

$d["$k"] = $l

$d["$K"] = $l; $l.append($V)

$d["$K"] = $d.copy()

$x = $v; $x = $V

$x = ($x, $v)[bool($c)]

for $1 in $l: $1["$k"] = $V

for $1, $2 in zip($l, $l): $1["$k"] = $V

for $1, $2 in enumerate($l): $2["$k"] = $1

for $1 in range(len($l)): $l[$1]["$k"] = $V

for $1 in ($d, *$l): $1["$k"] = $V

for $1 in reversed($l): $1.update($k=$V)

for $1 in "ab": $d[$1] = $V

for $1 in ("a", "b"): $d.setdefault($1, $V)

for $1, $2 in list($d.items()): $d[$1] = str($2)

for $1 in list($d): $d["new_" + $1] = $d.pop($1)

for $1 in [1, "s"]: $x = $1

while len($l) < 3: $l.append($V)

while not $d.get("late"): $d["late"] = $v or 1

if $c: $d["$k"] = $V

if $c: del $d["$k"]

if $c: $d = $D

if $c: $x = $V

if $c: $l.append($V)

if $c: $A

if $c: $R

if not $d: $R

if isinstance($x, str): $R

if $x is None: $A

if $x: $R

if len($l) > 1: $R

if $d.get("$k"): $R

if $x == 1: $A

if (n := len($d)) > 1: $d["n"] = n

$c and $d.update($k=$V)

$c or $d.update($k=$V)

$d.update($k=$V) if $c else None

$c and abort($E)

$c or abort($E)

abort($E) if $c else None

abort(status_of("x") if $c else $E) if $c else None

needs(None if $c else 1)

Box(None if $c else 1).strict

Box(None if $c else 1).lazily

getattr(Box(None if $c else 1), "strict")

Box(1)["gone" if $c else "there"]

[abort($E) for _ in range(1 if $c else 0)]

{"a": lambda: abort($E)}.get("a" if $c else "b", bool)()

(abort if $c else id)(*[$E][:1])

functools.partial(abort, $E)() if $c else 0

getattr(antiphon, "abort")($E) if $c else 0

next(abort($E) for _ in "a") if $c else 0

sorted([1, 2], key=lambda each: abort($E) if $c else each)

print(file=io.StringIO(), end="" if not ($c) else abort($E))

hash(f"{abort($E) if $c else 1}")

request.precondition(etag="a")

request.precondition(etag="a", exists=bool($c))

$1 = request.precondition; $1(etag="a")

raise_it = NotFound("Gone."); $c and raise_(raise_it)

if $c:
    $B

if $c:
    $B
else:
    $B

if $c:
    $B
elif $c:
    $B
else:
    $B

if $c:
    $d["$k"] = $V
else:
    $d["$k"] = $V

for $1 in range(2):
    $B

for $1 in (1, 2):
    if $c:
        break
    $B
else:
    $B

for $1 in (1, 2):
    if $c:
        continue
    $B

for $1 in (1, 2):
    $R

for $1 in request.args:
    $d["$k"] = $V

for $1 in request.args:
    $R

while True:
    $B
    break

while $c:
    $B
    break
else:
    $B

$1 = 0
while $1 < 2:
    $1 += 1
    $d["$k"] = $V
    if $c:
        break

$1 = None
for $2 in (1, "s"):
    $d["last"] = $1
    $1 = $2

$1 = 1
for $2 in (1, 2, 3):
    $d["$k"] = $1
    $1 = $3 if $2 > 1 else "x"
    $3 = [$2]

try:
    $B
except KeyError:
    $B

try:
    $X
    $B
except $F:
    $B

try:
    $X
except $F:
    $R

try:
    $1 = 1
    $X
    $1 = "s"
except $F:
    pass
$d["$k"] = $1

$1 = None
try:
    $X
    $1 = $V
except $F:
    $d["why"] = "x"
$d["$k"] = $1

try:
    $B
    $X
except $F as error:
    $d["error"] = str(error)

try:
    $B
    $X
except ($F, $F) as error:
    abort($E)

try:
    $B
finally:
    $d["$k"] = $V

try:
    $R
finally:
    $d["$k"] = $V

try:
    if $c:
        $R
finally:
    if $c:
        $R

try:
    $X
except $F:
    $d["$k"] = $V
else:
    $d["$k"] = $V
finally:
    $d["$k"] = $V

try:
    $X
except Exception:
    raise $P from None

try:
    $A
except HTTPError as error:
    if $c:
        raise
    $d["status"] = error.status

try:
    $A
except HTTPError as error:
    return {"status": error.status}, error.status

try:
    $A
except HTTPError as error:
    return error.problem()

try:
    $A
except HTTPError as error:
    error.status = $E
    raise

try:
    $A
except BaseException:
    $R

try:
    try:
        $X
    finally:
        $B
except $F:
    $B

for $1 in (1, 2):
    try:
        if $c:
            continue
        $B
    finally:
        $d["$k"] = $V

try:
    raise ExceptionGroup("several", [$P])
except* $F:
    $d["$k"] = $V
except* HTTPError:
    $d["$k"] = $V

try:
    raise ExceptionGroup("several", [KeyError("a")])
except* KeyError as group:
    $d["$k"] = len(group.exceptions)

with contextlib.suppress(KeyError):
    $X
    $d["$k"] = $V

with contextlib.suppress($F, HTTPError):
    $B
    $A

with contextlib.suppress(Exception):
    $X
    $R

with mapped($E):
    $X

with mapped():
    $B
    $X

with checked($c):
    $B

with checked($c):
    $R

with added($d) as $1:
    $1["$k"] = $V
with Box($d) as $1:
    $B

with Swallow():
    $A

with Swallow():
    $B
    $X
    $R

with Swallow($c):
    $B

with Swallow() as $1, mapped():
    $X

with contextlib.ExitStack() as stack:
    stack.enter_context(mapped())
    $X

with contextlib.ExitStack() as stack:
    stack.callback($d.update, $k=1)
    $B

with contextlib.closing(io.StringIO()) as $d["file"]:
    pass

with contextlib.nullcontext($d) as $1:
    $1["$k"] = $V

with threading.Lock():
    $B

match request.args.get("$Q"):
    case "a":
        $B
    case None:
        $B
    case other:
        $B

match request.args.get("$Q"):
    case "a" | "b" as $1:
        $d["$k"] = $1
match dict(request.args):
    case {"$Q": "a"}:
        $B
    case {"$Q": $1, **rest}:
        $d["$k"] = $1
    case _:
        $B
match $d:
    case {"$k": $1}:
        $d["found"] = $1
    case {} as $1:
        $1["$k"] = $V

match $d:
    case {"$k": str()}:
        $R
    case {"$k": int()} if $c:
        $R

match $l:
    case [$1]:
        $d["one"] = $1
    case [$1, *$2]:
        $d["many"] = $2
    case _:
        $R

match $O:
    case Lamp(id=$1):
        $d["$k"] = $1
    case Book(title=$1):
        $d["$k"] = $1

match $x:
    case str() | int():
        $B
    case None:
        $A
    case _:
        $B

match $x, bool($c):
    case (None, True):
        $A
    case ($1, True):
        $d["$k"] = $1
    case _:
        pass

def $1():
    $d["$k"] = $V
$1()

def $1(given):
    given["$k"] = $V
$1($d)

def $1(given=$d):
    given["$k"] = $V
$1()

def $1():
    nonlocal $d
    $d = $D
$1()

def $1():
    nonlocal $x
    $x = $V
$1()

def $1():
    nonlocal $x
    $x = $V
[*map(lambda each: $1(), [1])]

def $1():
    return $D
$d = $1()

def $1():
    if $c:
        return $D
    return $D
$d["$k"] = $1()

def $1():
    abort($E)
$c and $1()

def $1(value):
    if value:
        abort($E)
$1($c)

def $1():
    yield $D
    $d["$k"] = $V
for $2 in $1():
    $2["$k"] = $V
    $d["in"] = $2

def $1():
    got = yield
    got["$k"] = 1
$2 = $1(); next($2); $2.send($d) if 0 else $2.close()

def $1():
    try:
        yield $d
    finally:
        $d["$k"] = $V
for $2 in $1():
    break

def $1(*args, **kwargs):
    for each in args:
        each.update(kwargs)
$1($d, $k=$V)

def $1(depth):
    $d["$k"] = depth
    if depth:
        $1(depth - 1)
$1(1)

@contextlib.contextmanager
def $1():
    $d["$k"] = $V
    yield
    $d["$k"] = $V
with $1():
    $B

@contextlib.contextmanager
def $1():
    try:
        yield
    except Exception:
        abort($E)
with $1():
    $X

@contextlib.contextmanager
def $1():
    try:
        yield
    except Exception:
        pass
with $1():
    $X
    $R

class $1:
    kept = $d
$1.kept["$k"] = $V

class $1:
    def __init__(self):
        self.kept = $d
    def __setattr__(self, name, value):
        $d[name] = value
$1().other = 1

class $1:
    def __getitem__(self, key):
        abort($E)
$c and $1()["x"]

class $1:
    def __contains__(self, key):
        abort($E)
$c and "x" in $1()

class $1:
    def __eq__(self, other):
        abort($E)
$c and $1() == 1

class $1:
    def __bool__(self):
        abort($E)
if $c and $1(): pass

class $1:
    def __iter__(self):
        abort($E)
if $c: [*$1()]

class $1:
    def __len__(self):
        abort($E)
if $c: len($1())

class $1:
    def __str__(self):
        abort($E)
if $c: f"{$1()}"

class $1:
    def __enter__(self):
        abort($E)
    def __exit__(self, *error):
        pass
if $c:
    with $1(): pass

class $1:
    def __init__(self):
        abort($E)
if $c: $1()

class $1:
    @property
    def part(self):
        abort($E)
if $c: $1().part

class $1:
    def __getattr__(self, name):
        abort($E)
if $c: $1().anything

class $1:
    def __call__(self):
        abort($E)
if $c: $1()()

class $1:
    def __add__(self, other):
        abort($E)
if $c: $1() + 1

class $1:
    def __iadd__(self, other):
        $d["$k"] = other
        return self
$2 = $1(); $2 += 1

class $1:
    def __setitem__(self, key, value):
        $d[key] = value
$1()["$k"] = $V

class $1:
    def __delitem__(self, key):
        abort($E)
if $c: del $1()["x"]

class $1:
    def __hash__(self):
        abort($E)
if $c: {$1()}

class $1:
    def __lt__(self, other):
        abort($E)
if $c: sorted([$1(), $1()])

class $1:
    def __index__(self):
        abort($E)
if $c: [0][$1()]

class $1:
    def __format__(self, how):
        abort($E)
if $c: f"{$1()}"

class $1:
    def __init_subclass__(cls):
        abort($E)
if $c:
    class $2($1): pass

class $1:
    def __set_name__(self, owner, name):
        abort($E)
if $c:
    class $2:
        made = $1()

class $1(str):
    pass
$d[$1("$k")] = $V

class $1(dict):
    def __setitem__(self, key, value):
        super().__setitem__("x_" + key, value)
$d = $1(); $d["$k"] = $V

class $1(list):
    def append(self, value):
        super().extend([value, $w])
$l = $1(); $l.append($D)

class $1(dict):
    def items(self):
        return []
$d = $1($k=$v)
import json as $1
$d = $1.loads('{"$k": 1}')
from copy import copy as $1
$2 = $1($d); $2["$k"] = $V

dict = same; $d = dict({"$k": $V})

len = lambda value: "s"; $d["n"] = len("a")

str = int; $d["n"] = str("1")

abort = lambda *given: None; abort(404)

global $1; $1 = $d; $1["$k"] = $V
def $1():
    return 1
---
global $1; $1 = lambda: "s"; $d["$k"] = $1()

$1 = None
def $2():
    $1["$k"] = 1
---
global $1; $1 = $d; $2()

def $1():
    raise $F("x")
---
$c and $1()

def $1(kind):
    raise kind($E)
---
$c and $1(HTTPError)

def $1(status=$E):
    abort(status)
---
$c and $1(*([409] if $c else []))

def $1(request):
    if request.args.get("$Q"):
        abort($E, "Not that.")
    return request.args.get("$Q", "x")
---
$d["$k"] = $1(request)

$1 = {"a": 404, "b": 409}
---
abort($1[request.args["$Q"]])

$1 = {"a": 404, "b": 409}
$1["c"] = 418
---
if request.args.get("$Q") in $1: abort($1[request.args["$Q"]])

class $1(HTTPError):
    status = $E
---
if $c: raise $1("x")

class $1(HTTPError):
    def __init__(self):
        super().__init__($E, "x")
---
if $c: raise $1

class $1(NotFound):
    status = $E
class $2($1):
    pass
---
if $c: raise $2

class $1:
    errors = {"a": NotFound, "b": Conflict}
---
if $c: raise $1.errors[request.args.get("$Q", "b")]

$1 = [NotFound, Conflict]
---
if $c: raise $1[bool($c)]("x")

$1 = Conflict
$1 = Gone
---
if $c: raise $1

def $1():
    try:
        yield
    except KeyError:
        abort($E)
$2 = contextlib.contextmanager($1)
---
with $2():
    $X

def $1(values):
    for each in values:
        each["$k"] = $w
---
$1($l)

def $1(values):
    values.append($W)
    return values
---
$l = $1($l)

def $1(values):
    return [dict(each, $k=$w) for each in values]
---
$l = $1($l)

def $1(values):
    for each in values:
        yield each | {"$k": $w}
---
$l = list($1($l))

async def $1():
    await asyncio.sleep(0)
    return $W
---
await: $d = await $1()

async def $1(target):
    target["$k"] = $w
---
await: await $1($d)

async def $1(target):
    target["$k"] = $w
---
await: await asyncio.gather($1($d))

async def $1(target):
    target["$k"] = $w
---
await: await asyncio.create_task($1($d))

async def $1(target):
    async with asyncio.TaskGroup() as group:
        group.create_task($2(target))
async def $2(target):
    target["$k"] = $w
---
await: await $1($d)

async def $1():
    yield $W
    yield $w
---
await: $l = [each async for each in $1()]

async def $1():
    abort($E)
---
await: $c and await $1()

async def $1():
    abort($E)
---
await: if $c: await asyncio.wait_for($1(), 1)

@contextlib.asynccontextmanager
async def $1():
    try:
        yield
    except Exception:
        abort($E)
---
await: async with $1(): $X

@contextlib.asynccontextmanager
async def $1(target):
    target["$k"] = $w
    yield target
---
await: async with $1($d) as $3: $3["$k"] = $V

async def $1():
    yield $W
---
await: async for $3 in $1(): $d.update($3)

$1 = lambda: $D
$1 = $2 = $1
$d = $1()

$1 = [lambda: each for each in (1, "s")][0]
$d["$k"] = $1()

$1 = [$2 := each for each in (1, "s")]
$d["$k"] = $2

for $1 in (1, "s"): pass
$d["$k"] = $1

$1 = 5
for $1 in $l: pass
$d["$k"] = $1

$1 = $2 = [1]
$1 += ["s"]
$d["$k"] = $2

$1 = $2 = [1]
$1 = $1 + ["s"]
$d["$k"] = $2

$d["$K"] = $d["other"] = []
$d["other"].append($V)

$1 = $d
del $1["a"]
$1["$k"] = $V

$1 = 1
del $1
try:
    $d["$k"] = $1
except NameError:
    $d["$k"] = "s"

$1 = Lamp(1, "a")
$1.name = 5
$d["$k"] = $1

$1 = Lamp(1, "a")
setattr($1, "name", None)
$d["$k"] = $1

$1 = Room("r")
$1.lamps.append({"$k": $v})
$d["$k"] = $1

$1 = Book("t")
if $c: $1.pages = "many"
$d["$k"] = $1

$1 = Lamp(1, "a")
vars($1)["name"] = 7
$d["$k"] = $1

$1 = vars(Lamp(1, "a"))
$1["$k"] = $V
$d.update($1)

$1 = dataclasses.asdict(Lamp(1, "a"))
$1["$k"] = $V
$d.update($1)

$d["$k"] = (1, "s")

$d["$k"] = (1, "s")[:1] + ($v,)

$d["$k"] = {1, 2}

$d["$k"] = frozenset("a")

$d["$k"] = collections.deque([1])

$d["$k"] = range(2)

$d["$k"] = b"x"

$d["$k"] = datetime.time(1)

$d["$k"] = float("nan")

$d["$k"] = 10**20

$d["$k"] = [*map(str, $l)]

$d["$k"] = list(itertools.accumulate([1, 2]))

$d["$k"] = list(itertools.zip_longest([1], [], fillvalue="s"))

$d["$k"] = [each for each, in zip("a")]

$d["$k"] = sorted([1, 2], reverse=True)[0]

$d["$k"] = max(1, 2.5)

$d["$k"] = min(["a", 1], key=str)

$d["$k"] = sum([[1], ["s"]], [])

$d["$k"] = sum([0.5, 1])

$d["$k"] = "{}".format($v)

$d["$k"] = "a" "b"

$d["$k"] = "abc"[::-1]

$d["$k"] = [1, "s"][-1]

$d["$k"] = [1, "s"][0:1]

$d["$k"] = {**$d}

$d["$k"] = dict(**$d, **{"z": 1})

$d["$k"] = [*$l, *$l]

$d["$k"] = $l and $l[0]

$d["$k"] = $d and 1

$d["$k"] = $x or $V

$d["$k"] = $x and $V

$d["$k"] = $x if $x else $V

$d["$k"] = $x is None

$d["$k"] = not $x

$d["$k"] = $x == 1 or $V

$d["$k"] = int(bool($c)) or None

$d["$k"] = 1 if isinstance($x, int) else "s"

$d["$k"] = [1, "s", None][int(bool($c))]

$d["$k"] = {0: 1, 1: "s"}[int(bool($c))]

$d["$k"] = 2 ** -1

$d["$k"] = 7 % 2.5

$d["$k"] = 1 << 2

$d["$k"] = True | False

$d["$k"] = "a" * True

$d["$k"] = [0] * 2

$d["$k"] = -True

$d["$k"] = +1.5

$d["$k"] = ~True

$d["$k"] = 3 // 2.0

$d["$k"] = divmod(3, 2)

$d["$k"] = round(2.5, 1)

$d["$k"] = round(2.5)

$d["$k"] = pow(2, -1)

$d["$k"] = abs(True)

$d["$k"] = complex(1).real

$d["$k"] = int.from_bytes(b"a")

$d["$k"] = "a".partition("b")

$d["$k"] = "a b".split()

$d["$k"] = "a".encode().hex()

$d["$k"] = "a".isdigit()

$d["$k"] = "a".count("a")

$d["$k"] = str.upper("a")

$d["$k"] = Decimal("1") + 1

$d["$k"] = Size("small")

$d["$k"] = Size["SMALL"]

$d["$k"] = list(Size)

$d["$k"] = [each.value for each in Size]

$d["$k"] = Level(1) + 1

$d["$k"] = request.url_for("h") if $c else None

$d["$k"] = request.host

$d["$k"] = request.content_type

$d["$k"] = request.content_length

$d["$k"] = request.args.get("$Q", type=int)

$d["$k"] = request.args.get("$Q", 1.5, type=float)

$d["$k"] = request.args.get("$Q", type=Size)

$d["$k"] = request.args.getall("$Q", type=int)

$d["$k"] = request.headers.getall("x-$Q")

$d["$k"] = list(request.args)

$d["$k"] = {**request.args}

$d["$k"] = len(request.args)

$d["$k"] = str(request.url)

$d["$k"] = request.endpoint

$d["$k"] = request.g

$d["$k"] = request.user

$d["$k"] = [$d.copy() for _ in "ab"]

$d = dict(sorted($d.items()))

$d = dict(reversed($d.items()))

$d = dict(filter(None, $d.items()))

$d = dict(map(lambda pair: (pair[0], 1), $d.items()))

$d = {value: key for key, value in $d.items() if isinstance(value, str)}

$d = {key.upper(): value for key, value in $d.items()}

$d = {key: value for key, value in $d.items() if value is not None}

$d = {key: $d[key] for key in ("a", "b") if key in $d}

$d = {key: $d.get(key) for key in ("a", "z")}

$d = {"all": [*$d.values()]}

$d = dict($d, $k=$V)

$d = collections.ChainMap($d).new_child({"$k": $V})

$d = dict(enumerate($l))

$d = {each: $d.get(each, $v) for each in "ab"}

$d = $d if $d else $D

$d = $d and $D

$d = copy.deepcopy($d); $d["$k"] = $V

$d = functools.reduce(lambda one, each: {**one, each: 1}, "ab", $d)

$d = functools.reduce(lambda one, each: one.update({each: 1}) or one, "ab", $d)

$d = json.loads(json.dumps({"$k": $v}))

$d = [*map(lambda each: {**each, "$k": 1}, [$d])].pop()

$d = next((each for each in [$d] if $c), $D)

$d = max([$d, {"$k": $V, "z": 1}], key=len)

$d = getattr(Box($d), "kept")

$d = (lambda *, it=$d: it)()

$d = (lambda given: (given.update($k=$V), given)[1])($d)

$d = [each for each in [$d]][0]

$d = operator.itemgetter(0)([$d])

$d = [$d, $D][-1 if $c else 0]

$d = {"one": $d, "two": $D}["two" if $c else "one"]

$d = type($d)($d, $k=$v)

$d = $d.__class__($d); $d["$k"] = $V

$d = vars(types.SimpleNamespace($k=$V))

$d = msgspec.structs.asdict(Book("t"))

$d = msgspec.to_builtins(Tagged("x"))

$d = msgspec.json.decode(b'{"a": 1}')

$d = msgspec.json.decode(b'{"a": 1}', type=dict[str, int])

$d = msgspec.convert({"a": 1}, Entry)

$d = typing.cast("dict[str, int]", {"$k": $V})

$d = same(lambda: $D)()

$d = Lamp.__call__ and $D

$d |= [("$k", $V)]

$d |= {} if $c else {"$k": $V}

$d["$k"]: int = $V

$1: "dict[str, int]" = $D; $d["$k"] = $1

$1: list[int] = $L; $d["$k"] = $1

$1: Lamp = $O; $d["$k"] = $1

$1: int
$1 = "s"
$d["$k"] = $1

request.after_request(lambda request, response: setattr(response, "status", $S))

@request.after_request
def $1(request, response):
    response.status = $S

@request.after_request
def $1(request, response):
    if $c:
        return Response("late", $S)

@request.after_request
def $1(request, response):
    if $c:
        abort($E)

request.after_response(lambda: None)

request.g.kept = $V; $d["$k"] = request.g.kept

request.g.kept = $d; request.g.kept["$k"] = $V

request[Dependency("x")] = 1

request.method = "GET"

for $1 in range(3):
    $d["$k"] = $V
    if $c:
        $d = $D
        continue
    $d["$k"] = $V

for $1 in (1, 2):
    for $2 in "ab":
        if $c:
            break
        $d[$2] = $V
    else:
        continue
    break
else:
    $d["else"] = $V

for $1 in ():
    $d["never"] = $V
else:
    $d["$k"] = $V

for $1 in $l:
    if $1:
        $d["$k"] = $1
        break
else:
    $R

while $l:
    $1 = $l.pop()
    $d["$k"] = $1

while ($1 := next(iter([]), None)) is not None:
    $d["never"] = $1

try:
    try:
        $X
    except $F:
        raise
    finally:
        $d["$k"] = $V
except Exception:
    $d["$k"] = $V

try:
    $X
except KeyError as $1:
    $d["$k"] = $1.args[0]
except Exception as $1:
    $d["$k"] = type($1).__name__

try:
    $X
except $F:
    try:
        $X
    except $F:
        $R
    $d["$k"] = $V

try:
    $B
except HTTPError as error:
    abort(error.status + 1 if error.status < 499 else 409)

try:
    $A
except NotFound:
    $d["$k"] = $V
except HTTPError:
    raise

try:
    raise Conflict("x") from KeyError("y")
except KeyError:
    $B
except Conflict as error:
    raise error.__cause__ and NotFound("x")

try:
    raise KeyError("x")
except KeyError as error:
    error.add_note("x")
    if $c:
        raise Conflict("x") from error

for $1 in (1, 2):
    try:
        $A
    except HTTPError:
        continue
    $d["never"] = 1

while True:
    try:
        $B
        break
    finally:
        break

def $1():
    try:
        return $D
    finally:
        return $D
$d = $1()

def $1():
    for each in (1, 2):
        try:
            return {"$k": each}
        finally:
            continue
    return $D
$d = $1()

def $1():
    got = yield from $2()
    $d["$k"] = got
def $2():
    yield 1
    return $V
list($1())

def $1(first, /, second=$v, *rest, third=None, **more):
    $d["$k"] = second
    $d["rest"] = rest
    $d.update(more)
$1(1, *["s"], third=$V, fourth=$V)

def $1(**named):
    return named
$d = $1(**$d, z=$V)

def $1(*values):
    return values
$d["$k"] = $1($V, *$l)

def $1(value=$v):
    return value
$1.__defaults__ = ($V,)
$d["$k"] = $1()

def $1():
    return $1.made
$1.made = $V
$d["$k"] = $1()

def $1():
    def inner():
        nonlocal $x
        $x = $V
    return inner
$1()()
$d["$k"] = $x

def $1():
    $d["$k"] = $x
$x = $V
$1()

def $1(then):
    return then({"$k": $V})
$d = $1(lambda made: {**made, "z": 1})

def $1(then):
    then()
$1(lambda: $d.update($k=$V))

def $1(then):
    try:
        then()
    except HTTPError:
        return $V
$d["$k"] = $1(lambda: abort($E))

def $1(n):
    return {"n": n, "in": $1(n - 1)} if n else None
$d = $1(2)

def $1(n):
    if n == 0:
        abort($E)
    $1(n - 1)
$c and $1(1)

def $1(value):
    match value:
        case int():
            return {"int": value}
        case str():
            return {"str": value}
    return {"none": None}
$d = $1($x)

class $1(int):
    pass
$d["$k"] = $1(1)

class $1:
    a: int = 1
    def __init__(self): self.a = "s"
$d["$k"] = $1().a

class $1:
    made = 1
$1.made = $V
$d["$k"] = $1.made

class $1:
    __slots__ = ("made",)
$2 = $1()
$2.made = $V
$d["$k"] = $2.made

class $1:
    def __getattribute__(self, name):
        return $V
$d["$k"] = $1().anything

class $1:
    @property
    def made(self):
        return self.__dict__.get("kept", 1)
    @made.setter
    def made(self, value):
        self.__dict__["kept"] = [value]
$2 = $1()
$2.made = "s"
$d["$k"] = $2.made

class $1:
    def make(self):
        return 1
class $2($1):
    def make(self):
        return [super().make(), "s"]
$d["$k"] = $2().make()

class $1:
    def make(self):
        return self.inner()
    def inner(self):
        return 1
class $2:
    def inner(self):
        return "s"
class $3($2, $1):
    pass
$d["$k"] = $3().make()

class $1:
    kinds = {}
    def __init_subclass__(cls):
        $1.kinds[cls.__name__] = cls
class $2($1):
    made = $V
$d["$k"] = [each.made for each in $1.kinds.values()]

class $1:
    def __enter__(self): return $d
    def __exit__(self, kind, error, trace): return kind is KeyError
with $1() as $2:
    $2["$k"] = $V
    $X

class $1:
    def __enter__(self): return self
    def __exit__(self, *error): abort($E)
with $1():
    $B

class $1:
    def __iter__(self):
        yield from ("a", 1)
$d["$k"] = [*$1()]

class $1:
    def __eq__(self, other): return True
if $1() == 1: $R

class $1:
    def __bool__(self): return False
$d["$k"] = $1() and 1 or "s"

class $1:
    def __len__(self): return 0
if $1(): $R
else: $d["$k"] = $V

class $1:
    def __hash__(self): return 1
    def __eq__(self, other): return other == "a"
$d["$k"] = {"a": 1}.get($1())

class $1(Exception):
    def __init__(self):
        abort($E)
if $c: raise $1

class $1(Exception):
    pass
try:
    raise $1
except LookupError:
    $d["$k"] = $V
except ($1, HTTPError):
    $R

$1 = type("$1", (), {"made": $V})
$d["$k"] = $1.made

$1 = type("$1", (NotFound,), {"status": $E})
if $c: raise $1("x")

$1 = types.SimpleNamespace(made=$V)
$1.made = $V
$d["$k"] = $1.made

$1 = operator.methodcaller("update", $k=$V)
$1($d)

$1 = operator.attrgetter("update")($d)
$1($k=$V)

$1 = $d.items()
$d["$k"] = $V
$d["list"] = [*$1][0]

$1 = iter([1, "s"])
$d["$k"] = next($1)
$d["$k"] = next($1)

$1 = [$d]
$1.append($1[0])
$1[1]["$k"] = $V

$1 = {}
$1["d"] = $d
$1["d"]["$k"] = $V

$1 = {"list": []}
$1["list"].append($V)
$d |= $1

$1 = {"deep": {"er": {}}}
$1["deep"]["er"]["$k"] = $V
$d |= $1

$1 = {"deep": {"er": {}}}
$2 = $1["deep"]
$2["er"]["$k"] = $V
$d |= $1

$1 = [[]]
$1[0].append($V)
$d["$k"] = $1

$1 = [{}] * 2
$1[0]["$k"] = $V
$d["$k"] = $1[1]

$1 = dict.fromkeys("ab", [])
$1["a"].append($V)
$d |= $1

$1 = collections.defaultdict(list)
$1["$k"].append($V)
$d |= $1

$1 = collections.defaultdict(lambda: 1)
$1["$k"]
$d |= $1

$1 = collections.Counter("ab")
$d |= $1

$1 = collections.namedtuple("$1", "a b")(1, "s")
$d["$k"] = $1._asdict()

$1 = collections.namedtuple("$1", "a b")(1, "s")
$d["$k"] = $1

$1, $2 = 1, "s"
$1, $2 = $2, $1
$d["$k"] = $1

$1 = $2 = 1
$1 = "s"
$d["$k"] = [$1, $2]

$1 = 1
$1 = $1 and "s"
$d["$k"] = $1

if $c: $1 = 1
else: $1 = "s"
$d["$k"] = $1

if $c:
    $1 = Lamp(1, "a")
else:
    $1 = None
$d["$k"] = $1 and $1.name

if $c:
    def $1(): return 1
else:
    def $1(): return "s"
$d["$k"] = $1()

if ($1 := $x) is not None and isinstance($1, int):
    $d["$k"] = $1
else:
    $d["$k"] = "s"

if isinstance($x, int) and not isinstance($x, bool):
    $d["$k"] = $x
elif $x is None:
    $R
else:
    $d["$k"] = $x

if not isinstance($d, dict):
    $R

if type($x) is int:
    $R

if $x in (1, 2):
    $R

if $x in (None, ""):
    $A

if callable($x):
    $R

if hasattr(Box(), "kept"):
    $d["$k"] = $V

if "a" in $d:
    $d["has"] = $V

if $d == {}:
    $R

if len($d) == 1:
    $R

if not $l:
    $R

if any(each is None for each in $d.values()):
    $R

if __debug__:
    $d["$k"] = $V

if typing.TYPE_CHECKING:
    $d["$k"] = $V

if request.method == "GET":
    $d["$k"] = $V
else:
    $R

if request.method in ("GET", "POST"):
    $d["$k"] = $V

if request.app.debug if hasattr(request.app, "debug") else False:
    $R

assert isinstance($x, (int, str, type(None)))
assert $x is None or $c, abort($E)

$1 = functools.partial(fill, $d, "$k")
$1($V)

$1 = [functools.partial(fill, $d)]
$1[0]("$k")

$1 = {"go": fill}
$1["go"]($d)

$1 = getattr(Box($d), "fill")
$1($d)

$1 = Box.fill
$1(Box(), $d)

$1 = Box($d)
$1.kept = $D
$d["$k"] = $1.kept

$1 = Box($d)
$1.kept |= {"$k": $V}

$1 = Box($d)
$2 = $1
$2.kept = {"$k": $V}
$d = $1.kept

$1 = Box($d)
del $1.kept
$d["$k"] = $1.kept

$1 = Room("r")
$1.size = Size.LARGE
$d["$k"] = $1.size

STATE["$k"] = $d
for $1 in STATE.values(): $1["$k"] = $V
STATE.clear()

class $1:
    made = $W
    def make(self):
        return self.made
$1.make = lambda self: $W
---
$d = $1().make()

class $1:
    made = None
    @classmethod
    def set(cls, value):
        cls.made = value
---
$1.set($V)
$d["$k"] = $1.made

class $1:
    def __init__(self, value=None):
        self.value = value
    def __repr__(self):
        return "x"
    @functools.cached_property
    def twice(self):
        return [self.value, self.value]
---
$d["$k"] = $1($v).twice

class $1:
    @functools.singledispatchmethod
    def of(self, value):
        return $W
    @of.register
    def _(self, value: int):
        return $W
---
$d["$k"] = $1().of($v)

class $1:
    def set(self, key, value):
        return {key: value}
    add = functools.partialmethod(set, "$k")
---
$d |= $1().add($V)

def $1(cls):
    cls.make = lambda self: $W
    return cls
@$1
class $2:
    def make(self):
        return $W
---
$d = $2().make()

def $1(cls):
    return lambda: $W
@$1
class $2:
    pass
---
$d = $2()

class $1(typing.Protocol):
    def make(self) -> dict[str, int]: ...
class $2:
    def make(self):
        return $W
$3: $1 = $2()
---
$d = $3.make()

class $1(Generic[T]):
    def __init__(self, kind: type[T]):
        self.kind = kind
    def make(self, *given) -> T:
        return self.kind(*given)
---
$d["$k"] = $1(Lamp).make(1, "a")

class $1(Generic[T]):
    def __init__(self, kept: T):
        self.kept = kept
    def get(self) -> T:
        return self.kept
---
$d["$k"] = $1($V).get()

def $1(kind: type[T], *given) -> list[T]:
    return [kind(*given)]
---
$l = $1(Bright, 1, "a")

def $1(values: list[S]) -> dict[str, S]:
    return {"first": values[0]}
---
$d = $1([Bright(1, "b")])

def $1(value: S, other: T) -> tuple[S, T]:
    return value, other
---
$d["$k"], $2 = $1(Bright(1, "b"), $V)

def $1(value: "T | None", other: T) -> T:
    return value or other
---
$d["$k"] = $1(None if $c else $v, $v)

def $1(values: list[Lamp]) -> Lamp:
    return max(values, key=lambda each: each.id)
---
$d["$k"] = $1([Lamp(1, "a")])

def $1(found: Lamp | None) -> Lamp:
    if found is None:
        raise NotFound("x")
    return found
---
$d["$k"] = $1(None if $c else Lamp(1, "a"))

def $1() -> "Lamp | None":
    return None
---
$d["$k"] = $1()

def $1() -> Any:
    return $W
---
$d["$k"] = $1()

def $1() -> dict[str, Any]:
    return $W
---
$d = $1()

def $1() -> list[dict[str, Any]]:
    return [$W]
---
$l = $1()

def $1() -> list:
    return [$W, $w]
---
$l = $1()

def $1() -> dict:
    return $W
---
$d = {**$1(), "$k": $V}

def $1() -> Mapping[str, Any]:
    return $W
---
$d = dict($1())

def $1() -> Iterator[dict[str, Any]]:
    yield $W
---
$l = list($1())

def $1() -> Row:
    made: Row = {"b": "x"}
    if len("a") > 1:
        made["a"] = 1
    return made
---
$d = $1()

def $1() -> Row:
    return {"b": "x"}
---
$d = $1() | {"$k": $V}

def $1() -> typing.NoReturn:
    abort($E)
---
$c and $1()

def $1(is_wrong) -> None:
    if is_wrong:
        abort($E)
---
$1($c)

def $1(is_wrong) -> int:
    if is_wrong:
        raise Conflict("x")
    return 1
---
$d["$k"] = $1($c)

def $1(is_wrong: bool) -> Lamp | None:
    return None if is_wrong else Lamp(1, "a")
---
if $1($c) is None: $A

def $1(is_wrong: bool) -> Lamp | None:
    return None if is_wrong else Lamp(1, "a")
---
$d["$k"] = $1($c) or abort($E)

def $1(is_wrong: bool) -> Lamp | None:
    return None if is_wrong else Lamp(1, "a")
---
$2 = $1($c)
$d["$k"] = $2.name if $2 else $2

$1 = {"make": lambda: $W, "fail": lambda: abort($E)}
---
$d = $1["fail" if $c else "make"]()

$1 = [lambda: $W, lambda: abort($E)]
---
$d = $1[bool($c)]()

$1 = {}
def $2(function):
    $1[function.__name__] = function
    return function
@$2
def $3():
    return $W
---
$d = $1["$3"]()

$1 = []
def $2():
    $1.append($w)
    return $1
---
$d["$k"] = $2()[-1]

$1 = $W
def $2():
    global $1
    $1 = {"late": $w}
---
$2()
$d = $1

$1 = {"a": 1}
def $2():
    $1["b"] = $w
$2()
---
$d = $1.copy()

$1 = {"a": 1}
def $2():
    return $1
---
$2()["$k"] = $V
$d = $1

$1 = Box({"a": 1})
---
$1.put("$k", $V)
$d = $1.kept

def $1(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        if len(args) > 5: return None
        return {"data": function(*args, **kwargs)}
    return inner
@$1
def $2() -> dict[str, int]:
    return $W
---
$d = $2()

def $1(function):
    def inner(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (HTTPError, KeyError):
            return $W
    return inner
@$1
def $2(is_wrong):
    if is_wrong:
        abort($E)
    return $W
---
$d = $2($c)

def $1(function):
    made = function()
    return lambda: made
@$1
def $2():
    return $W
---
$d = $2()

def $1(*decorated):
    def around(function):
        return functools.partial(function, *decorated)
    return around
@$1($w)
def $2(value, other=None):
    return {"$k": value}
---
$d = $2()

@contextlib.contextmanager
def $1(status):
    try:
        yield status
    except Exception as error:
        raise HTTPError(status) from error
---
with $1($E) as $2:
    $d["$k"] = $2
    $X

@contextlib.contextmanager
def $1():
    if STATE:
        abort($E)
    try:
        yield
    except HTTPError as error:
        if error.status == 404:
            raise Conflict("x") from error
        raise
---
with $1():
    $A

@contextlib.contextmanager
def $1():
    with mapped($E):
        yield
---
with $1():
    $X

class $1(contextlib.ContextDecorator):
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        if kind is not None and issubclass(kind, LookupError):
            raise Conflict("x") from error
@$1()
def $2(is_wrong):
    return {}["x"] if is_wrong else 1
---
$d["$k"] = $2($c)

class $1(contextlib.AbstractContextManager):
    def __exit__(self, kind, error, trace):
        return kind is not None and issubclass(kind, HTTPError)
---
with $1():
    $A
$d["$k"] = $V

class $1(contextlib.suppress):
    pass
---
with $1(HTTPError):
    $A
$d["$k"] = $V

class $1(enum_.Enum):
    A = 1
    B = "s"
---
$d["$k"] = ($1.A if $c else $1.B)

class $1(enum_.StrEnum):
    A = enum_.auto()
---
$d["$k"] = $1.A

class $1(enum_.Flag):
    A = 1
    B = 2
---
$d["$k"] = $1.A | $1.B

class $1(enum_.Enum):
    A = 1
    def fail(self):
        abort($E)
    @classmethod
    def _missing_(cls, value):
        abort($E)
---
$c and $1(7)

@dataclass
class $1:
    a: int = 1
    def __post_init__(self):
        if self.a > 1:
            abort($E)
---
$1(2 if $c else 1)

@dataclass
class $1:
    a: int = 1
    def __post_init__(self):
        self.a = None
---
$d["$k"] = $1()

@dataclass
class $1:
    a: int = 1
    b: typing.ClassVar[int] = 2
    c: dataclasses.InitVar[int] = 3
    def __post_init__(self, c):
        self.d = c
---
$d["$k"] = $1()

@dataclass
class $1(dict):
    a: int = 1
---
$d["$k"] = $1()

@dataclass(frozen=True, slots=True)
class $1:
    a: int = 1
    b: tuple[int, ...] = (1,)
    c: dict[str, Size] = field(default_factory=dict)
---
$d["$k"] = $1()

@dataclass
class $1:
    a: "$1 | None" = None
---
$d["$k"] = $1($1())

class $1(msgspec.Struct):
    a: int = 1
    def __post_init__(self):
        if self.a == 2:
            abort($E)
---
$1(2 if $c else 1)

class $1(msgspec.Struct, omit_defaults=True):
    a: int = 1
    b: str | None = None
---
$d["$k"] = $1(2 if $c else 1)

class $1(msgspec.Struct):
    a: int = msgspec.field(name="A", default=1)
---
$d["$k"] = $1()

class $1(msgspec.Struct, tag="one"):
    a: int = 1
class $2(msgspec.Struct, tag="two"):
    a: str = "s"
---
$d["$k"] = $1() if $c else $2()

class $1(typing.NamedTuple):
    a: int = 1
    b: str = "s"
---
$d["$k"] = $1()

class $1(TypedDict):
    a: NotRequired[int]
    b: Required[str]
class $2($1, total=False):
    c: float
---
$3: $2 = {"b": "s"}
$d["$k"] = $3

class $1(TypedDict, total=False):
    a: int
---
$d["$k"] = $1()

class $1(TypedDict, total=False):
    a: int
def $2() -> $1:
    return {}
---
$d["$k"] = $2()

class $1(TypedDict):
    a: int
def $2() -> $1:
    return {"a": 1}
---
$d |= $2()
"""

FAILING = """
{}["x"]
int("x")
$c and {}["x"]
$c and int("x")
if $c: raise KeyError("x")
if $c: raise Failure("x")
if $c: raise Sold("x")
raise Sold
if $c: abort($E)
if $c: raise NotFound("x")
[][0]
$d["missing"]
$d["missing"]["x"]
needs(None)
Size("unknown")
next(iter([]))
None.x
msgspec.convert({}, Book)
assert $c
request.args["$Q"]
int(request.args.getone("$Q"))
"""
CAUGHT = ["KeyError", "ValueError", "LookupError", "Exception", "HTTPError", "Failure", "Sold", "NotFound",
          "AttributeError", "AssertionError", "BadRequest", "StopIteration", "(KeyError, HTTPError)"]  # fmt: skip
ERRORS_RAISED = """
NotFound("It is gone.")
Conflict("Changed.")
HTTPError($E)
HTTPError($E, "x")
http_error($E)
Failure("x")
Sold("x")
KeyError("x")
NotFound
"""
ENDING = """
abort($E)
abort($E, "Not so.")
abort($E, f"Not {$v}.")
abort(status=$E)
abort(*[$E])
abort(**{"status": $E})
abort(HTTPStatus.CONFLICT)
abort(GONE)
raise $P
raise $P from None
return abort($E)
abort($E if $c else $E)
raise Redirect("/x")
raise Redirect("/x", 307)
raise type("Mine", (NotFound,), {})("x")
"""

ANSWERS = """
return $D

return $D

return $L

return $O

return $d

return $d

return $l

return {"$k": $x}

return {"$k": $x, **$d}

return {"d": $d, "l": $l}

return [$d, *$l]

return [$x]

return $t

return $D, $S

return $D, $S, $H

return $D, $H

return $d, $S

return $L, $S

return $O, $S

return $t, $S

return $t, $H

return ($D, $S)[:2]

return tuple([$D, $S])

return (*[$D], $S)

return $D, status_of(request.args.get("$Q", ""))

return $D, HTTPStatus.ACCEPTED

return $D, $S if $c else $S

return ($D, $S) if $c else $D

return $D if $c else $t

return $D if $c else $O

return $c and $D or $t

return [$D, $t][bool($c)]

return b"bytes"

return b"bytes", $S

return b"bytes", {"content-type": "image/png"}

return b"bytes", $S, {"Content-Type": KIND}

return "text", {"content-type": "text/csv"}

return "text", $S, [("content-type", "text/csv")]

return $D, {"content-type": "application/vnd.x+json"}

return bytearray(b"x")

return memoryview(b"x")

return (each for each in "ab")

return iter(["a", "b"])

return map(str, "ab")

return Response.json($D)

return Response.json($D, $S)

return Response.json($D, status=$S)

return Response.json($L)

return Response.json($v)

return Response.json($O)

return Response.json($D, headers=$H)

return Response("text")

return Response("text", $S)

return Response(b"bytes", $S, {"content-type": "image/png"})

return Response(b"bytes", content_type="image/png")

return Response("text", content_type=KIND if $c else "text/csv")

return Response.html("<p>x")

return Response.html("<p>x", $S)

return Response.redirect("/x")

return Response.redirect("/x", 307)

return Response.stream(iter(["a"]))

return Response.stream(iter(["a"]), content_type="text/csv")

return Response.ndjson([$D])

return Response.events([$D])

return Response.file(__file__)

return Response.file(__file__, content_type="text/csv")

return Response.file(io.BytesIO(b"x"), filename="x.png")

return Response.json($D), $S

return Response.json($D).conditional(request)

return Response.back(request)

return getattr(Response, "json")($D)

return functools.partial(Response.json, status=$S)($D)

return (Response.json if $c else Response.html)("x")

return Markup("<p>")

return "", 204

return None, 204

return Response(status=204)

return ""


return NotFound("x").problem()

return collections.UserDict($k=$v)

return collections.UserString("x")

return string.Template("x").template

return $D,

return [*request.args]

return dict(request.headers) and $D

return request.args.get("$Q") or $D

return needs($D if $c else None)

return locals()["$d"]

return globals().get("x", $D)

return eval("$d")

return (yield_ for yield_ in [$t])

response = Response.json($D)
response.status = $S
return response

response = Response.json($D)
if $c:
    response.status = $S
return response

response = Response.json($D)
response.headers["content-type"] = "application/vnd.x+json"
return response

response = Response("text")
response.headers["Content-Type"] = KIND
return response

response = Response("text")
response.headers.update({"content-type": "text/csv"})
return response

response = Response("text")
response.headers.setdefault("content-type", "text/csv")
return response

response = Response("text")
response.content_type = "text/csv"
return response

response = Response("text")
setattr(response, "status", $S)
return response

response = Response("text")
response.body = b"x"
return response

response = Response("text")
del response.headers["content-type"]
return response

response = Response.json($D)
response.etag = "a"
return response.conditional(request)

response = Response.json($D)
response.etag = "a"
response.conditional(request, ranges=False)
return response

response = Response.json($D)
vars_ = {"r": response}
vars_["r"].status = $S
return response

response = Response.json($D)
for each in [response]:
    each.status = $S
return response

response = copy.copy(Response.json($D))
response.status = $S
return response

$1 = $t, $S
return $1

$1 = ($D, $S)
$2, $3 = $1
return $2, $3 + 1

$1 = $S
if $c:
    $1 = $S
return $D, $1

$1 = $S
$1 += 1
return $D, $1

$1 = [$S]
$1[0] = $S
return $D, $1[0]

$1 = $H
$1["content-type"] = "text/csv"
return "text", $1

$1 = {"$k": $v}
try:
    return $1
finally:
    $1["$k"] = $V
    $1["late"] = $V

try:
    return $D, $S
finally:
    $B

def $1():
    return $D
return $1()

def $1():
    return $D, $S
return $1()

def $1():
    return Response.json($D, $S)
return $1()

def $1():
    yield $t
return $1()

def $1(made):
    made.status = $S
response = Response.json($D)
$1(response)
return response

def $1(response):
    response.status = $S
    return response
---
return $1(Response.json($D))

def $1(response):
    response.headers["content-type"] = "text/csv"
---
response = Response("text")
$1(response)
return response

def $1(value, status=$S):
    return value, status
---
return $1($D)

def $1(value, *more):
    return value, *more
---
return $1($D, $S)

@created
def $1(request):
    return $W
---
return $1(request)

@as_json
def $1(request):
    return $W
---
return $1(request)

class $1(Response):
    pass
---
return $1("text", $S)

class $1(Response):
    def __init__(self, value):
        super().__init__(value, $S)
---
return $1("text")

class $1:
    def __response__(self, request):
        return Response("made", $S)
---
return $1()

class $1:
    def __html__(self):
        return "<p>"
---
return $1()

class $1:
    def keys(self):
        return ["a"]
    def __getitem__(self, key):
        return $w
---
return $1()

class $1(str):
    def __html__(self):
        return self
---
return $1("x")

class $1(tuple):
    pass
---
return $1(($D, $S))

class $1(typing.NamedTuple):
    body: dict
    status: int = $S
---
return $1($D)

class $1(dict):
    pass
---
return $1($D)

class $1(IntEnum):
    MADE = 201
    HELD = 202
---
return $D, $1.HELD

class $1(IntEnum):
    MADE = 201
    HELD = 202
---
return $D, ($1.HELD if $c else $1.MADE)

$1 = $S
def $2():
    return $1
$1 = $S
---
return $D, $2()

async def $1():
    return $W, $S
---
await: return await $1()

async def $1():
    yield "a"
---
await: return $1()

return vars()["$d"]

return $D, [201, 202][bool($c)]

return $D, {True: 201}.get(bool($c), 203)

return $D, int("201")

return $D, HTTPStatus(202)

return $D, Level.HIGH + 200

return $D, len("a" * 201)

return $D, sum([200, 1])

return $D, min(201, 202)

return $D, next(iter([203]))

return $D, 200 if $c else 201, {"x-a": "b"}

return $D, 200, {"content-type": "text/csv"} if $c else {}

return $D, 200, dict([("Content-Type", "text/csv")])

return $D, 200, {**{"content-type": "text/csv"}}

return $D, 200, {"content-type": "application/json; charset=utf-8"}

return "x", {b"content-type".decode(): "text/csv"}

return "x", {"Content-" + "Type": "text/csv"}

return $d or "none"

return $l or ("none", 404)

return $l[0]

return $x

return [$l, $t][bool($c)]

return Response.json($x), $S

return Response(json.dumps($D), content_type="application/json")

return Response(json.dumps($D), headers={"content-type": "application/json"})

return json.dumps($D), {"content-type": "application/json"}

return json.dumps($D).encode(), 200, {"content-type": "application/json"}

return msgspec.json.encode($O), {"content-type": "application/json"}

return Response.json([$D, $L])

return Response.json($D).__class__("x")

return Response.json($D, $S) if $c else $D

return Response.json($D) and "x"

return type(Response("x"))("y", $S)

return (lambda: Response("x", $S))()

return [Response("x", $S)][0]

return {"r": Response("x", $S)}["r"]

return same(Response.json($D, $S))

return needs(Response("x", $S) if $c else None)

return copy.copy(Response("x", $S))

return Box(Response("x", $S)).kept

return eval("Response('x', 203)")

return Response.stream((each for each in "ab"), $S, {"content-type": "text/csv"})

return Response.redirect("/x", 301, {"x-a": "b"})

return Response.redirect(request.args.get("$Q"), otherwise="/")

return Response.file(__file__, as_attachment=True, conditional=False)

return Response.file(__file__, status=$S)

return Response.file("/nowhere")

return Response.file(io.BytesIO(b"x"), content_type="text/csv" if $c else "image/png")

response = Response.json($D)
response.cache_for(10)
response.add_etag()
return response

response = Response.json($D)
response.add_etag()
return response.conditional(request)

response = Response.json($D)
response.set_cookie("a", "b")
response.vary("x-a")
return response

response = Response.json($D)
response.headers["x-a"] = "b"
return response, $S

response = Response.json($D)
response.status, $1 = $S, 1
return response

response = Response.json($D)
response.status += 1
return response

response = Response.json($D)
if $c:
    response = Response.html("x")
return response

response = Response.json($D)
$1 = response
$1.status = $S
return response

response = Response.json($D)
$1 = [response]
$1[0].status = $S
return response

response = Response.json($D)
Box(response).kept.status = $S
return response

response = Response.json($D)
vars(response)
response.__setattr__("status", $S)
return response

response = Response.json($D)
object.__setattr__(response, "status", $S)
return response

response = Response.json($D)
Response.status.fset(response, $S)
return response

response = Response("x")
headers = response.headers
headers["content-type"] = "text/csv"
return response

response = Response("x")
response.headers |= {"content-type": "text/csv"}
return response

response = Response("x")
for name, value in {"content-type": "text/csv"}.items():
    response.headers[name] = value
return response

response = Response("x")
response.headers.pop("content-type")
return response

response = Response("x")
response.headers.add("content-type", "text/csv")
return response

response = Response(b"x")
response.content_type = KIND
return response

response = Response("x")
response.body = json.dumps($D)
response.content_type = "application/json"
return response

response = Response("x")
with contextlib.suppress(KeyError):
    {}["x"]
    response.status = $S
return response

response = Response("x")
try:
    response.status = $S
    $X
finally:
    return response

def $1():
    nonlocal response
    response = Response("y", $S)
response = Response("x")
$1()
return response

def $1():
    response.status = $S
response = Response("x")
$1()
return response

$1 = lambda made: setattr(made, "status", $S) or made
return $1(Response("x"))

$1 = $D, $S
$2 = $1
return $2

$1 = ($D,)
$1 += ($S,)
return $1

$1 = $D
$2 = $1
$2["late"] = $V
return $1, $S

$1 = [$D, $S]
return tuple($1)

$1 = {}
try:
    $1["$k"] = $V
    $X
    $1["more"] = $V
except Exception:
    pass
return $1

$1 = None
with contextlib.suppress(Exception):
    $1 = $D
    $X
    $1 = $t
return $1 or "none"

for $1 in [$D, $t]:
    if $c:
        return $1
return $L

for $1 in ($D,):
    break
else:
    return $t
return $1

match bool($c), bool($c):
    case True, True:
        return $D
    case False, _:
        return $t
    case _:
        return $L, $S

match $x:
    case None:
        return $D
    case int() | float():
        return $t
    case str(text):
        return {"$k": text}
    case [*_]:
        return $L
return $D, $S

match request.method:
    case "GET":
        return $D
    case _:
        return $t

if $c:
    return $D
elif $c:
    return $t, $S
raise Conflict("x")

if $c:
    return $D
abort($E)

if not $c:
    abort($E)
return $D

try:
    return {"$k": int(request.args["$Q"])}
except ValueError:
    return {"wrong": request.args["$Q"]}, 400
except KeyError:
    return $t, $S

try:
    return $D
finally:
    if $c:
        abort($E)

with Swallow():
    return $D, $S
return $t

with contextlib.suppress(HTTPError):
    if $c:
        $A
    return $D
return $t, $S

with mapped($E):
    if $c:
        raise KeyError("x")
    return $D

def $1():
    return $D
def $2(then):
    return then(), $S
return $2($1)

def $1(made):
    if $c:
        return made
    return made, $S
return $1($D)

def $1():
    yield from ["a", "b"]
return Response.stream($1(), content_type="text/csv")

def $1(request):
    return $W, $S
---
return $1(request=request)

def $1(request, **more):
    return more, more.pop("status", $S)
---
return $1(request, a=1)

def $1(request):
    request.after_request(lambda request, response: setattr(response, "status", $S))
---
$1(request)
return $D

class $1:
    def __init__(self, request):
        self.request = request
    def answer(self):
        if self.request.args.get("$Q") == "a":
            abort($E)
        return self.make()
    def make(self):
        return $W, $S
---
return $1(request).answer()

class $1:
    status = $S
    def answer(self):
        return $W, self.status
class $2($1):
    status = $S
---
return $2().answer()

@dataclass
class $1:
    a: int
    def __response__(self, request):
        return Response.json(self, $S)
---
return $1(1)

@dataclass
class $1:
    a: int
    def __html__(self):
        return "<p>"
---
return $1(1)

class $1(dict):
    def __response__(self, request):
        return Response("x", $S)
---
return $1(a=1)

class $1(dict):
    def __html__(self):
        return "x"
---
return $1(a=1)

class $1(list):
    pass
---
return $1($L)

class $1(collections.UserDict):
    pass
---
return $1($k=$v)

class $1(bytes):
    pass
---
return $1(b"x")

class $1:
    def __iter__(self):
        return self
    def __next__(self):
        raise StopIteration
---
return $1()

class $1:
    def __aiter__(self):
        return self
    async def __anext__(self):
        raise StopAsyncIteration
---
return $1()

class $1(Response):
    status_ = $S
    @classmethod
    def made(cls, body):
        return cls(body, cls.status_)
---
return $1.made("x")

class $1(Response):
    def __init__(self, body, **more):
        super().__init__(body, **more)
        self.headers["content-type"] = "text/csv"
---
return $1("x")

$1 = Response.json({"kept": 1}, $S).freeze()
---
return $1

$1 = Response("x")
$1.status = $S
---
return copy.copy($1)

$1 = $W, $S
---
return $1

$1 = {"a": ($W, 201), "b": ("x", 404)}
---
return $1[request.args.get("$Q", "a")]

$1 = {"a": lambda: ($W, 201), "b": lambda: "x"}
---
return $1.get(request.args.get("$Q"), $1["a"])()

import antiphon as $1
---
return $1.Response("x", $S)

$1 = Response
---
return $1.json($W, $S)

$1 = functools.partial(Response, status=$S, content_type="text/csv")
---
return $1("x")

$1 = Response.html
---
return $1("x", $S)

async def $1():
    return Response.json($W, $S)
---
await: return await $1()

async def $1(made):
    made.status = $S
---
await: response = Response("x")
await: await $1(response)
await: return response

async def $1():
    return 1
---
await: return {"all": await asyncio.gather($1(), $1())}, $S

async def $1():
    yield "a"
---
await: return Response.stream($1(), content_type="text/csv")
"""

TYPED = [
    ("Lamp", ['Lamp(1, "a")', 'same(Lamp(1, "a"))', 'first([Lamp(1, "a")])']),
    ("Bright", ["made(Bright)", 'first([Bright(1, "a")])', 'Bright(1, "a"), $S']),
    ("Book", ['Book("t")', 'msgspec.convert({"title": "x"}, Book)', 'Book("t"), $S']),
    ("Room", ['Room("r")', 'Room("r", [Lamp(1, "a")])', 'Room("r", price=Decimal("1.5"))']),
    ("Tagged", ['Tagged("x")']),
    ("Quiet", ['Quiet("x")', 'Quiet("x", 2)']),
    ("Row", ['{"b": "x"}', '{"a": 1, "b": "x"}', 'Row(b="x")']),
    ("Entry", ['{"a": 1}', '{"a": 1, "c": "x"}', "Entry(a=1)"]),
    ("list[Row]", ['[{"b": "x"}, {"a": 1, "b": "x"}]', "[]"]),
    ("list[Lamp]", ['[Lamp(1, "a")]', "[]"]),
    ("list[Lamp | Book]", ['[Lamp(1, "a"), Book("t")]', '[Book("t")]']),
    ("Page[Lamp]", ['Page([Lamp(1, "a")], 1)', "Page([], 0)"]),
    ("Page[Row]", ['Page([{"b": "x"}], 1)']),
    ("dict[str, int]", ['{"a": 1}', "dict(b=2)", "{}"]),
    ("dict[str, Any]", ["$D", "$d", '{"a": $V}']),
    ("dict", ["$D", "$d"]),
    ("list[dict[str, Any]]", ["$l", "[$D]"]),
    ("list[Any]", ["$L", "$l"]),
    ("str", ['"x"', "$t"]),
    ("bytes", ['b"x"']),
    ("Any", ["$D", "$O", "$t", "$D, $S"]),
    ("object", ["$D", "$d, $S", "$L"]),
    ("Response", ["Response.json($D)", "Response.json($D, $S)", 'Response("x", $S)', 'Response.html("x")']),
    ("Response | dict[str, Any]", ["Response.json($D, $S)", "$D"]),
    ("Response | str", ['Response.redirect("/x")', '"x"']),
    ("Response | None", ["None", 'Response("x", $S)']),
    ("Lamp | Book", ['Lamp(1, "a")', 'Book("t")']),
    ("Lamp | str", ['Lamp(1, "a")', '"x"']),
    ("Lamp | tuple[Book, int]", ['Lamp(1, "a")', '(Book("t"), $S)']),
    ("tuple[Lamp, Literal[201]]", ['(Lamp(1, "a"), 201)']),
    ("tuple[Lamp, int]", ['(Lamp(1, "a"), $S)', '(Lamp(1, "a"), $S if $c else $S)']),
    ("tuple[dict[str, Any], int]", ["($D, $S)", "($d, $S)"]),
    ("tuple[str, int, dict[str, str]]", ['("x", $S, $H)', '("x", $S, {"content-type": "text/csv"})']),
    ("tuple[bytes, dict[str, str]]", ['(b"x", {"content-type": "image/png"})', '(b"x", $H)']),
    ("tuple[Lamp, dict[str, str]]", ['(Lamp(1, "a"), {"x-a": "b"})', '(Lamp(1, "a"), $H)']),
    ("ResponseLike", ["$D", "$t", "$D, $S", 'b"x"', "Response.json($D, $S)"]),
    ("Iterator[str]", ['iter(["a"])', '(each for each in "ab")']),
    ("Mapping[str, Any]", ["$D", "types.MappingProxyType($D)"]),
    ("Enveloped", ['Enveloped("x", Lamp(1, "a"))', 'Enveloped("x")']),
    ("TypeAliased", ['{"k": [1, 2]}', "{}"]),
]

HEADERS_GIVEN = [
    '{"x-a": "b"}', '[("x-a", "b")]', '{"location": "/x"}', '{"Content-Type": "text/csv"}', "{}", "dict(etag='\"a\"')",
    '{"content-language": "en", **{"x-a": "b"}}', '{"x-" + "a": "b"}',
]  # fmt: skip

AROUND = """
@app.before_request
def $1(request):
    if $c:
        abort($E)

@app.before_request
def $1(request):
    if $c:
        return $D, $S

@app.before_request
def $1(request):
    if $c:
        return Response.json($D, $S)

@app.before_request
def $1(request):
    request.g.kept = $D

@app.before_request
def $1(request):
    with mapped($E):
        $X

@app.before_request
def $1(request):
    needs(None if $c else 1)

@app.after_request
def $1(request, response):
    if $c:
        response.status = $S

@app.after_request
def $1(request, response):
    response.status = $S

@app.after_request
def $1(request, response):
    if response.status == 200:
        response.status = $S

@app.after_request
def $1(request, response):
    if $c:
        return Response.json($D, $S)

@app.after_request
def $1(request, response):
    response.headers["content-type"] = "text/csv"

@app.after_request
def $1(request, response):
    if $c:
        abort($E)

@app.after_request
def $1(request, response):
    return Response.json({"was": response.status}, response.status)

@app.after_request
def $1(request, response):
    response.body = b'{"after": 1}'

@app.after_request
def $1(request, response):
    fill(STATE, "seen", response.status)
    setattr(response, "status", $S)

@app.after_request
def $1(request, response):
    for each in [response]:
        each.headers.update({"content-type": "text/csv"})

@app.middleware
def $1(request):
    response = yield
    if $c:
        response.status = $S

@app.middleware
def $1(request):
    response = yield
    response.status += 1

@app.middleware
def $1(request):
    response = yield
    if response.status == 404:
        return $D, $S

@app.middleware
def $1(request):
    if $c:
        return $D, $S
    yield

@app.middleware
def $1(request):
    if $c:
        abort($E)
    yield

@app.middleware
def $1(request):
    response = yield
    response.headers["content-type"] = "text/csv"

@app.middleware
def $1(request):
    response = yield
    if $c:
        abort($E)

@app.middleware
def $1(request):
    response = yield
    if response.error is not None:
        return {"error": type(response.error).__name__}

@app.middleware(errors_at_yield=True)
def $1(request):
    with mapped($E):
        yield

@app.middleware(errors_at_yield=True)
def $1(request):
    try:
        yield
    except (KeyError, Failure, HTTPError):
        yield $D, $S

@app.middleware(errors_at_yield=True)
def $1(request):
    try:
        yield
    except HTTPError as error:
        raise Conflict("x") from error

@app.middleware
async def $1(request):
    if $c:
        yield $D, $S
        return
    response = yield

@app.middleware
async def $1(request):
    response = yield
    if $c:
        yield $D, $S

@app.errorhandler(Failure)
def $1(request, error):
    return $D, $S

@app.errorhandler(Failure)
def $1(request, error):
    return "failed", $S

@app.errorhandler(Failure)
def $1(request, error):
    if isinstance(error, Sold):
        return $D, $S
    raise error

@app.errorhandler(KeyError)
def $1(request, error):
    return $D, $S

@app.errorhandler(Exception)
def $1(request, error):
    return $D, $S

@app.errorhandler(404)
def $1(request, error):
    return $D

@app.errorhandler(404)
def $1(request, error):
    return "none"

@app.errorhandler(404)
def $1(request, error):
    return $D, $S

@app.errorhandler(404)
def $1(request, error):
    return b"x", {"content-type": "image/png"}

@app.errorhandler(HTTPError)
def $1(request, error):
    return {"status": error.status}, $S if $c else error.status

@app.errorhandler(HTTPError)
def $1(request, error):
    return {"status": error.status, "detail": error.detail}

@app.errorhandler(HTTPError)
def $1(request, error):
    return error.problem() | {"more": 1}

@app.errorhandler(HTTPError)
def $1(request, error):
    if $c:
        abort($E)
    return error.problem()

@app.errorhandler(LookupError)
def $1(request, error):
    raise NotFound("x")

@app.errorhandler(Conflict)
def $1(request, error):
    return Response.json($D)

@app.errorhandler(Conflict)
def $1(request, error):
    return Response.redirect("/x")

@app.errorhandler(ValueError)
def $1(request, error):
    return Response.html("<p>x")

@app.errorhandler(500)
def $1(request, error):
    return $D, $S

app.use(Users(Bearer({"k7Qz": "ada"}.get)))
app.before_request(login_required)

app.use(Users(Bearer({"k7Qz": "ada"}.get)))

app.use(RateLimit("1000000/minute"))

app.use(RateLimit("1/hour"))

@app.before_request
async def $1(request):
    if $c:
        abort($E)

@app.before_request
async def $1(request):
    if $c:
        return "stopped", $S

@app.after_request
async def $1(request, response):
    if $c:
        response.status = $S

@app.after_request
def $1(request, response):
    if $c and response.status < 300:
        return "late", $S, {"content-type": "text/csv"}

@app.after_request
def $1(request, response):
    return same(response)

@app.after_request
def $1(request, response):
    response.headers["x-a"] = "b"

@app.after_request
def $1(request, response):
    if response.content_type == "application/json":
        response.content_type = "application/vnd.x+json"

@app.after_request
def $1(request, response):
    response.headers.pop("content-type", None)

@app.after_request
def $1(request, response):
    Box(response).kept.status = $S

@app.before_request
def $1(request):
    request.after_request(lambda request, response: setattr(response, "status", $S))

@app.before_request
def $1(request):
    @request.after_request
    def late(request, response):
        if $c:
            return Response("late", $S)

@app.before_request
def $1(request):
    if request.method == "GET":
        return
    abort($E)

@app.middleware
def $1(request):
    response = yield
    return Response(response.body, $S, {"content-type": "text/csv"})

@app.middleware
def $1(request):
    response = yield
    $2 = response
    $2.status = $S

@app.middleware
def $1(request):
    response = yield
    if response.status >= 400:
        response.status = 200

@app.middleware
def $1(request):
    with mapped($E):
        if $c:
            raise KeyError("x")
    yield

@app.middleware
def $1(request):
    with contextlib.suppress(KeyError):
        response = yield
        response.status = $S

@app.middleware
async def $1(request):
    response = yield
    response.status = $S

@app.middleware(errors_at_yield=True)
def $1(request):
    try:
        response = yield
    except NotFound:
        yield "none", $S

@app.middleware(errors_at_yield=True)
def $1(request):
    with contextlib.suppress(HTTPError):
        yield
    yield Response("x", $S)

@app.errorhandler(NotFound)
async def $1(request, error):
    return $D, $S

@app.errorhandler(HTTPError)
def $1(request, error):
    return error

@app.errorhandler(HTTPError)
def $1(request, error):
    return Response.json({"e": error.status}, error.status)

@app.errorhandler(HTTPError)
def $1(request, error):
    raise error

@app.errorhandler(HTTPError)
def $1(request, error):
    return {400: $D, 404: "x"}.get(error.status, b"y")

@app.errorhandler(HTTPError)
def $1(request, error):
    match error:
        case NotFound():
            return "none"
        case Conflict():
            return $D, $S
    return error.problem()

@app.errorhandler(422)
def $1(request, error):
    return {"errors": error.errors}, 400

@app.errorhandler(400)
def $1(request, error):
    return {"wrong": str(error)}

@app.errorhandler(403)
def $1(request, error):
    return Response.redirect("/x")

@app.errorhandler(AssertionError)
def $1(request, error):
    abort($E)

@app.errorhandler(Failure)
def $1(request, error):
    return error.args[0]

@app.errorhandler(Sold)
def $1(request, error):
    return $D, $S
@app.errorhandler(Failure)
def $2(request, error):
    return "failed"
"""

USED = """
$1 = Dependency("$1")
def $2(request):
    if $c:
        abort($E)
    return $D
app.provide($1, $2)
---
$d = request[$1]

$1 = Dependency("$1")
def $2(request):
    return $D if $c else abort($E, "No.")
app.provide($1, $2)
---
$d["$k"] = request[$1]

$1 = Dependency("$1")
def $2(request):
    yield $D
app.provide($1, $2)
---
$d["$k"] = request[$1]

$1 = Dependency("$1")
def $2(request):
    with mapped($E):
        yield 1
app.provide($1, $2)
---
request[$1]; $X

$1 = Dependency("$1")
$3 = Dependency("$3")
def $2(request):
    return request[$3] or abort($E)
def $4(request):
    return $v
app.provide($1, $2)
app.provide($3, $4)
---
$d["$k"] = request[$1]

$1 = Dependency("$1")
app.provide($1, lambda request: $D)
---
$d = request[$1]

$1 = Dependency("$1")
app.provide($1, lambda request: request.args["$Q"])
---
$d["$k"] = request[$1]

$1 = Dependency("$1")
app.provide($1, lambda request: Book("t"))
---
$d["$k"] = request[$1]

$1 = Dependency[Lamp]("$1")
app.provide($1, lambda request: Bright(1, "a"))
---
$d["$k"] = request[$1].id

$1 = Dependency("$1")
app.use(Users(Bearer({"k7Qz": "ada"}.get), required=$1))
---
$d["$k"] = request[$1]

$1 = Dependency("$1")
app.use(Users(Bearer({"k7Qz": "ada"}.get), dependency=$1))
---
if request[$1] is None: $R

app.use(Users(Bearer({"k7Qz": "ada"}.get)))
---
if request.user is None: abort(401)

app.use(Users(Bearer({"k7Qz": "ada"}.get)))
---
$d["$k"] = request.user

app.use(Users(Bearer({"k7Qz": "ada"}.get)))
---
login_required(request)

@app.before_request
def $1(request):
    request.g.kept = $D
---
$d = request.g.kept
"""

BODIES = """
$d["$k"] = request.json_as(Book).title

$d["$k"] = request.json_as(Row)

$1 = request.json_as(Lamp); $d["$k"] = $1.id

$1 = read(request.json_as, Book); $d["$k"] = $1

$d["$k"] = request.json

$d.update(request.json)

$d["$k"] = request.json["a"]

$d["$k"] = request.form.get("a")

$d["$k"] = request.form["a"]

$d["$k"] = len(request.body)

$d["$k"] = request.text

$d["$k"] = request.form_as(Query).q

$1 = request.json_as(Lamp | Book); $d["$k"] = $1

$1 = request.json_as(list[Entry]); $l = $1

$1 = request.json_as(dict[str, int]); $d.update($1)

$d["$k"] = msgspec.json.decode(request.body, type=Book)

$d["$k"] = json.loads(request.body)

$1 = getattr(request, "json_as")(Book); $d["$k"] = $1.pages

try:
    $d["$k"] = request.json_as(Book)
except HTTPError as error:
    $d["$k"] = error.status

try:
    $d["$k"] = request.json_as(Book)
except UnprocessableContent:
    $R

with mapped($E):
    $d["$k"] = request.json_as(Book)

with contextlib.suppress(HTTPError):
    $d["$k"] = request.json_as(Book)
"""

PATHS = """
$d["$k"] = number

if number > 3: abort($E)

$d[str(number)] = $v

if number == 2: $R

$d["$k"] = [1, "s"][number]

$d["$k"] = {1: "one"}.get(number, $v)

$d["$k"] = {1: "one"}[number]

return $D, 200 + number

return $D, (201 if number == 1 else 202)

abort(400 + number)

match number:
    case 1:
        $R
    case 2 | 3:
        $A
"""

QUERIES = """
$d["$k"] = request.args_as(Query).size

$1 = request.args_as(Query); $d["$k"] = $1.q

try:
    $1 = request.args_as(Query); $d["$k"] = $1.q
except HTTPError:
    $R
"""

DECORATORS = """
---
@created

---
@refused

---
@enveloped

---
@as_json

---
@functools.lru_cache(maxsize=0)

---
@mapped($E)

def $1(handler):
    return handler
---
@$1

def $1(handler):
    @functools.wraps(handler)
    def answer(request, **named):
        try:
            return handler(request, **named)
        except (HTTPError, LookupError):
            return $W, $S
    return answer
---
@$1

def $1(handler):
    @functools.wraps(handler)
    def answer(request, **named):
        made = handler(request, **named)
        if isinstance(made, dict):
            made["$k"] = $w
        return made
    return answer
---
@$1

def $1(status):
    def around(handler):
        @functools.wraps(handler)
        def answer(request, **named):
            return handler(request, **named), status
        return answer
    return around
---
@$1($S)

def $1(handler):
    def answer(*args, **kwargs):
        return handler(*args, **kwargs)
    return functools.update_wrapper(answer, handler)
---
@$1

class $1:
    def __init__(self, handler):
        functools.update_wrapper(self, handler)
        self.handler = handler
    def __call__(self, request, **named):
        made = self.handler(request, **named)
        return made if isinstance(made, tuple) else (made, $S)
---
@$1

def $1(handler):
    @functools.wraps(handler)
    def answer(request, **named):
        return $W
    return answer
---
@$1
"""

GUARDS = """
before=login_required
before=lambda request: abort($E) if $c else None
before=RateLimit("1000000/minute")
before=[lambda request: None, lambda request: ($D, $S) if $c else None]
before=[login_required, lambda request: None]
signed=True
idempotent=True
csrf_exempt=True
"""
