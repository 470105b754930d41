"""Digests of code: what counts in them and what does not, under every Python; modules that no result depends on."""

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.workflow.harness import ROOT
from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.code import PACKAGE, WITHOUT_RESULT, code_of, files_of
from workflow_scripts.planning.syntax import syntax_of

SMALL = '''"""A module."""

import math
from collections.abc import Iterable

LIMIT = 3  # at most
"""A limit."""


@decorated
class Block(Base):
    """A class."""

    size: int = 4
    """A size."""

    def area(self, scale: float = 1.0, *, name: str = "a") -> float:
        """A function."""
        return scale * self.size + len(f"{name:>{LIMIT}} of " "all")
'''

SAME = {
    "a comment": ("at most", "at least"),
    "no comment": ("  # at most", ""),
    "a module's docstring": ('"""A module."""', '"""Another."""'),
    "a constant's docstring": ('"""A limit."""', '"""Another."""'),
    "a class's docstring": ('"""A class."""', '"""Another."""'),
    "an attribute's docstring": ('    """A size."""\n', ""),
    "a function's docstring": ('"""A function."""', '"""Another."""'),
    "a docstring more": ("        return", '        "another"\n        return'),
    "parentheses": ("scale * self.size", "(scale * self.size)"),
    "a line break": ("scale * self.size", "(\n    scale\n*  self.size)"),
    "a trailing comma": ('name: str = "a")', 'name: str = "a",)'),
    "quotes": ('= "a"', "= 'a'"),
    "a text marked as one": ('= "a"', '= u"a"'),
    "another way to write an int": ("= 4", "= 0x_4"),
    "another way to write a float": ("1.0", "10e-1"),
    "texts side by side": ('of " "all"', 'of all"'),
    "line ends": ("\n", "\r\n"),
}

OTHER = {
    "a constant": ("= 3", "= 4"),
    "an int made a float": ("= 3", "= 3.0"),
    "an int made a text": ("= 3", '= "3"'),
    "an int made a truth value": ("= 3", "= True"),
    "an operator": ("scale * ", "scale / "),
    "an argument's default": ("1.0", "1.5"),
    "an argument's kind": ("*, ", ""),
    "a decorator": ("@decorated\n", ""),
    "a decorator's arguments": ("@decorated", "@decorated()"),
    "a base class": ("(Base)", ""),
    "an annotation": ("size: int", "size: float"),
    "a result's annotation": ("-> float", "-> int"),
    "a format": (":>", ":<"),
    "a conversion": ("{name", "{name!r"),
    "a format that is computed": ("{LIMIT}", "LIMIT"),
    "an import": ("import math", "import cmath"),
    "what is imported": ("import Iterable", "import Iterator"),
    "a name": ("area", "volume"),
    "a statement": ("        return scale", "        pass\n        return scale"),
    "an f-string of its own": ('"""A function."""', 'f"{self}"'),
}


def text_of(source: str) -> str:
    return syntax_of(source.encode(), name="sample").text


def edited(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_how_code_is_written_does_not_count(edit: tuple[str, str]) -> None:
    assert text_of(edited(*edit)) == text_of(SMALL)


def test_formatting_does_not_count() -> None:
    for path in (ROOT / PACKAGE).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert text_of(ast.unparse(ast.parse(source))) == text_of(source), path


@pytest.mark.parametrize("edit", OTHER.values(), ids=OTHER)
def test_what_code_says_counts(edit: tuple[str, str]) -> None:
    assert text_of(edited(*edit)) != text_of(SMALL)


# fmt: off
CONSTANTS = (
    "0", "1", "-1", "0.0", "1.0", "-0.0", "1e999", "0j", "1j", "True", "False", "None", "...", "''", "'0x0'",
    "'0x1'", "'1'", "'1.0'", "'True'", "'None'", "'...'", r"'\n'", r"'\ud800'", "'é'", "b''", "b'1'",
    r"b'\n'", "()", "[]", "{}", "f''", "f'1'", "f'{1}'", "f'{1:}'", 'f\'{"1"}\'', "name",
)
# fmt: on

STATEMENTS = (
    "",
    "pass",
    "...",
    "1",
    "b'a'",
    "f(a, b)",
    "f((a, b))",
    "f([a, b])",
    "f(a)(b)",
    "f(*a, b)",
    "f(a, *b)",
    "f(a, b=b)",
    "f(a, **b)",
    "f(a)\nb",
    "{a, b}",
    "{a: b}",
    "{**a, b: b}",
    "{a: a, **b}",
    "f'{a}b'",
    "f'a{b}'",
    "f'{a!r}b'",
    "f'{a:b}'",
    "f'{a:{b}}'",
    "lambda *, a=1, b: a",
    "lambda *, a, b=1: a",
    "lambda a, /, b=1: a",
    "lambda a, b=1: a",
    "a: int",
    "(a): int",
    "a: int = None",
    "a[:b]",
    "a[b:]",
    "a[::b]",
    "a < b < c",
    "(a < b) < c",
    "a < (b < c)",
    "a + b + c",
    "a + (b + c)",
    "a if b else c",
    "b if a else c",
    "if a: b",
    "if a: b\nelse: c",
    "if a: c\nelse: b",
    "while a: b\nelse: c",
    "for a in b: c",
    "async def f():\n for a in b: c",
    "async def f():\n async for a in b: c",
    "async def f(): [a for a in b]",
    "async def f(): [a async for a in b]",
    "try: a\nfinally: b",
    "try: a\nexcept: b",
    "try: a\nexcept b: b",
    "try: a\nexcept* b: b",
    "try: a\nexcept b: c\nelse: d",
    "try: a\nexcept b: c\nfinally: d",
    "match a:\n case None: b",
    "match a:\n case _: b",
    "match a:\n case True: b",
    "match a:\n case 1: b",
    "match a:\n case b: b",
    "match a:\n case [b]: b",
    "match a:\n case [*b]: b",
    "match a:\n case {**b}: b",
    "import a.b",
    "import a as b",
    "from a import b",
    "from a import b as b",
    "from .a import b",
    "from . import b",
    "global a, b",
    "nonlocal a, b",
    "yield_",
    "return_",
)


def test_things_that_differ_have_different_texts() -> None:
    constants = [*CONSTANTS, f"0x1{'0' * 5000}", f"0x1{'0' * 5001}", f"0x1{'0' * 4999}1"]
    # As the value of a name: alone, a text would be a docstring.
    sources = [*STATEMENTS, *(f"value = {constant}" for constant in constants)]
    assert len({text_of(source) for source in sources}) == len(sources)


def test_long_chains_are_no_recursion() -> None:
    assert text_of(" + ".join(["a"] * 2000)) != text_of(" + ".join(["a"] * 2001))


MANY_FEATURES = r'''"""Docstring."""
from __future__ import annotations

import a.b as c, d
from e import (f, g as h,)

NUMBERS = (0, 1, -1, 0xFF, 0o17, 0b101, 1_000_000, 123456789012345678901234567890, 1.0, -0.0, 1e300, 1e999,
           .1, 2j, 1e-7j)
TEXTS = "a" 'b' """c
d""", u"e", r"\f", "\x00\u00e9\U0001f600\ud800", "é ß 名 😀 \N{EM DASH}", b"\x00\xff" b'g', "\
h"
SINGLE = None, True, False, ..., (), [], {}, {*()}, [*NUMBERS, 1]
é = ﬁ = 名 = 1
plain: int | None
(parenthesised): "list[str]" = []


def function(a, b: int | str = 1, /, c=2, *args: object, d, e: float = 3.0, **kwargs: object) -> dict[str, int] | None:
    """Docstring."""
    global é
    total = 0

    def inner(*, x=None, y):
        nonlocal total
        total += x @ y // 2 % 3 ** -1 << 1 >> 1 & 2 | 4 ^ 8
        return lambda p, /, q=1, *r, s, t=2, **u: (p, q, *r, s, t, u)

    if (n := len(args)) > 1 and not a or b is not c and d not in e:
        assert n, f"{n}"
    elif a < b <= c != d == e > 1 >= 2:
        del a, b[0], c.d
    else:
        raise ValueError("x") from None
    return inner


@decorated
@with_.arguments(1, *a, key="v", **b)
class Class(Base, metaclass=Meta, **options):
    """Docstring."""

    attribute: ClassVar[int] = 1
    """Attribute docstring."""

    @property
    async def method(self):
        async with a as b, c() as (d, *e):
            await f
        async for x, in y:
            yield x
        else:
            pass
        return


class Empty:
    """Docstring."""


def f_strings(x, width, precision):
    yield f"", f"a", f"{x}", f"{x!r}", f"{x!s:>10}", f"{x!a:{width}.{precision}f}", f"{{{x}}}", f"{x:}", f"{x:%H:%M}"
    yield f"{x=}", f"{x = !s}", f"{ x = :>5}", "a" f"b{x}" "c" f'{x["k"]}' 'd', f"{x}" "", "" f"{x}" f"{width}"
    yield f"{x:{width}}", f"{x:>{width}}", f"{x:{width}{precision}}", f"{x:{'>'}{10}}", f"{x:{width!r:>3}}"
    yield f"""{f'{f"{1}"}'}""", f"{ {1: 2}[1] }", f"{(lambda y: y)(1)}", f"{(y := 1)}", f"{x != 1}"
    yield f"{x, }", rf"\d{x:\d}"
    yield f"""
    {x
    :>5}
    """, f"\N{EM DASH}{x}\n", f"{x}\
    y", f"{-1:{+2}}", f"{x if width else precision:>{width + 1}}", f"{*x, 1}"
    value = yield from x
    f"{x}"
    "a bare string"


def comprehensions(a):
    return [x async for x in a if x if not x], {x: y for x, y in a}, {*a, *a}, {**a, 1: 2, **a}, (
        x for y in a for x in y)


def control(a):
    while True:
        if a: break
        continue
    else:
        "a bare string"
    for i, (j, *k) in a[1:2, ::3, ...], a[-1]:
        a.b[i].c += 1; a = b = c
    with (open(a) as f, open(b)):
        pass
    try:
        pass
    except (A, B) as error:
        raise
    except:
        pass
    else:
        pass
    finally:
        pass
    try:
        pass
    except* A as group:
        pass


def matching(a):
    match a, 1:
        case 1 | -1.5 | 2 + 3j | "s" "t" | b"u" | None | True: pass
        case [x, *_, y] | (x, y) if x > y: pass
        case {"k": v, 1: {}, **rest}: pass
        case Point(1, y=Point() as z) | mod.Name(): pass
        case mod.CONSTANT: pass
        case [] | {}: pass
        case _: pass
'''

MANY_FEATURES_DIGEST = "4c3843055ce9aae41f295256f4a3361e3f1ed36514540dae843ccb977ccd0a41"


@cache
def interpreter(version: str) -> str | None:
    """Return an interpreter of a version: of pyenv or on the path, where pyenv's stand-ins may refuse to run."""
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for path in [*map(str, installed), shutil.which(f"python{version}")]:
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    return None


DIGESTS = f"""
import hashlib, json, sys
from pathlib import Path
from {PACKAGE}.planning.syntax import syntax_of
texts = {{path: syntax_of(Path(path).read_bytes(), name=path).text for path in sys.argv[1:]}}
print(json.dumps({{path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}}))
"""


def digests_under(python: str, files: list[Path]) -> dict[str, str]:
    command = [python, "-B", "-c", DIGESTS, *map(str, files)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    digests: dict[str, str] = json.loads(output)
    return digests


def test_a_file_of_many_features_has_the_stored_digest() -> None:
    assert hashlib.sha256(text_of(MANY_FEATURES).encode()).hexdigest() == MANY_FEATURES_DIGEST


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_digests_are_equal_under_every_python(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    sample = tmp_path / "many_features.py"
    sample.write_text(MANY_FEATURES, encoding="utf-8")
    files = [sample, *(ROOT / PACKAGE).rglob("*.py")]
    digests = digests_under(python, files)
    assert digests[str(sample)] == MANY_FEATURES_DIGEST
    assert digests == digests_under(sys.executable, files)


CODE = {
    "stage/__init__.py": "",
    "stage/task.py": f"from {PACKAGE}.common.logs import progress\n",
    "stage/other.py": "OTHER = 1\n",
    "stage/data.json": "{}\n",
    "kinds/__init__.py": f"import {PACKAGE}.kinds.shared\n",
    "kinds/shared.py": "SHARED = 1\n",
    "kinds/kind/__init__.py": "",
    "kinds/kind/__main__.py": f"from {PACKAGE}.kinds.kind.training import train\n",
    "kinds/kind/training.py": "def train(): ...\n",
    "kinds/user.py": f"import {PACKAGE}.kinds.kind\n",
    "kinds/relative.py": "from . import kind\n",
    "below.py": "BELOW = 1\n",
}
"""A package that has what the project's planning needs to import, and these files."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a small package with a copy of the code that makes digests."""
    folder = tmp_path / PACKAGE
    own = ["__init__", "run_entry_point", "planning.__init__", "planning.code", "planning.syntax", "common.__init__"]
    for name in (*own, *WITHOUT_RESULT):
        path = Path(f"{name.replace('.', '/')}.py")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / PACKAGE / path, folder / path)
    for file, content in CODE.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content, encoding="utf-8")
    return folder


def asked(package: Path, expression: str) -> str:
    """Return what an expression about a package's code gives."""
    script = f"from {PACKAGE}.planning.code import code_of, files_of; print({expression})"
    command = [sys.executable, "-B", "-c", script]
    # Python looks for modules where it is called, first of all.
    result = subprocess.run(command, cwd=package.parent, capture_output=True, text=True, check=False)
    return result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def names_of(package: Path, module: str) -> set[str]:
    files = asked(package, f"*files_of('{PACKAGE}.{module}')").split()
    return {str(Path(file).relative_to(package)) for file in files} - {"__init__.py", "run_entry_point.py"}


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_package_is_run_by_its_main_module(package: Path) -> None:
    packages = {"kinds/__init__.py", "kinds/shared.py", "kinds/kind/__init__.py"}
    assert names_of(package, "kinds.kind") == packages | {"kinds/kind/__main__.py", "kinds/kind/training.py"}
    assert names_of(package, "kinds.user") == packages | {"kinds/user.py"}
    assert names_of(package, "kinds") == {"kinds/__init__.py", "kinds/shared.py"}


def test_several_entries_have_the_digest_of_all_their_files(package: Path) -> None:
    one, other = "'stage.other'", "'kinds.kind'"
    asked_for = f"code_of({one}), code_of({one}, {other}), code_of({other}, {one}), code_of({one}, {one})"
    before = asked(package, asked_for).split()
    assert before[0] != before[1]
    assert before[2:] == [before[1], before[0]]
    append(package / "kinds" / "kind" / "training.py", "EDITED = True\n")
    after = asked(package, asked_for).split()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, False, True]


def test_code_counts_by_what_it_says_and_data_by_its_bytes(package: Path) -> None:
    before = asked(package, "code_of('stage.task')")
    append(package / "stage" / "task.py", "# a comment\n")
    assert asked(package, "code_of('stage.task')") == before
    append(package / "stage" / "data.json", "\n")
    assert asked(package, "code_of('stage.task')") != before


def test_what_is_left_out_hides_nothing_that_it_imports(package: Path) -> None:
    logs = package / "common" / "logs.py"
    before = asked(package, "code_of('stage.task')")
    append(logs, "EDITED = True\n")
    assert asked(package, "code_of('stage.task')") == before
    append(logs, f"import {PACKAGE}.below\n")
    imported = asked(package, "code_of('stage.task')")
    append(package / "below.py", "EDITED = True\n")
    assert len({before, imported, asked(package, "code_of('stage.task')")}) == 3


def test_relative_imports_and_missing_modules_are_refused(package: Path) -> None:
    assert "relative.py:1: relative imports are not followed" in asked(package, "code_of('kinds.relative')")
    with pytest.raises(InputError, match=r"stage\.missing: no such module"):
        code_of("stage.missing")


EXCUSED = {
    "common.texts.MAX_TEXT_LENGTH": "a limit: a text that it lets through is not shortened",
    "common.texts._SHOWN": "characters of an error",
}
"""Numbers of left-out modules that no result depends on."""


def numbers_in(node: ast.AST | None) -> bool:
    """Return whether an expression holds a number; truth values are none."""
    nodes = ast.walk(node) if node is not None else ()
    return any(isinstance(item, ast.Constant) and type(item.value) in (int, float, complex) for item in nodes)


@pytest.mark.parametrize("module", WITHOUT_RESULT)
def test_no_result_depends_on_a_left_out_module(module: str) -> None:
    path = ROOT / PACKAGE / f"{module.replace('.', '/')}.py"
    assert path.is_file()
    assert WITHOUT_RESULT[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and numbers_in(statement.value):
            target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
            assert f"{module}.{ast.unparse(target)}" in EXCUSED
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert not {"Settings", "BaseModel"} & {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if isinstance(node, ast.arguments):
            assert not any(numbers_in(default) for default in (*node.defaults, *node.kw_defaults))


def test_no_entry_point_counts_a_left_out_module() -> None:
    files = {str(path.relative_to(ROOT / PACKAGE)) for path in files_of(f"{PACKAGE}.evaluation.score_images")}
    assert "common/settings.py" in files
    assert not files & {f"{module.replace('.', '/')}.py" for module in WITHOUT_RESULT}
