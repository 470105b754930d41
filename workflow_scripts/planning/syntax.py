"""What a source file tells Python: its syntax tree as a text that is the same under every version of Python.

`ast.dump` would not do: what it writes changes from version to version, and so do details of the trees. The standard
library alone is needed, so that every interpreter can run this.
"""

import ast
from itertools import groupby
from types import EllipsisType, NoneType
from typing import Any, NamedTuple

Import = ast.Import | ast.ImportFrom

_LEFT_OUT = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields that say nothing: what follows from where a node stands, the `u` before a text, and comments."""

_WRITERS: dict[type, Any] = {
    # `repr` of a text depends on the Unicode tables of a version, and that of an int refuses thousands of digits.
    str: ascii,
    int: hex,
    bytes: repr,
    bool: repr,
    float: repr,
    complex: repr,
    NoneType: repr,
    EllipsisType: repr,
}


class Syntax(NamedTuple):
    """A file's syntax tree as a text, and its import statements."""

    text: str
    imports: tuple[Import, ...]


def syntax_of(source: bytes, *, name: str) -> Syntax:
    """Return what a file says without comments, formatting and strings that are statements of their own.

    Such strings are the docstrings, those of attributes too. Files that differ in anything else have different texts: a
    node is a line with its class and the fields that hold something, a list is a line with its length, and what they
    hold follows in that order, so that the text can be read in one way only.

    Args:
        source: the bytes of the file.
        name: the file's name, for errors.

    Raises:
        SyntaxError: the file is not written in Python.
    """
    lines: list[str] = []
    imports: list[Import] = []
    # What is still to be written, the next last: a recursion would end at long chains of operators.
    waiting: list[Any] = [ast.parse(source, filename=name)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.AST):
            if isinstance(item, Import):
                imports.append(item)
            names, values = _content(item)
            lines.append(" ".join((type(item).__name__, *names)))
            waiting += reversed(values)
        elif isinstance(item, list):
            lines.append(str(len(item)))
            waiting += reversed(item)
        else:
            lines.append(_WRITERS[type(item)](item))
    return Syntax("\n".join(lines), tuple(imports))


def _content(node: ast.AST) -> tuple[list[str], list[Any]]:
    """Return the names of the fields of a node that hold something, and what they hold."""
    names, values = [], []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            value = _joined(value) if isinstance(node, ast.JoinedStr) else [v for v in value if not _is_docstring(v)]
        # Versions differ in which fields there are, but not in their order.
        if value is not None and value != [] and name not in _LEFT_OUT:
            names.append(name)
            values.append(value)
    return names, values


def _is_docstring(item: Any) -> bool:
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and isinstance(item.value.value, str)


def _joined(parts: list[ast.expr]) -> list[Any]:
    """Return the parts of an f-string with neighbouring texts in one: Python 3.12 has empty texts, others have none."""
    joined: list[Any] = []
    for constant, group in groupby(parts, key=lambda part: isinstance(part, ast.Constant)):
        if not constant:
            joined += group
        elif text := "".join(str(part.value) for part in group if isinstance(part, ast.Constant)):
            joined.append(text)
    return joined
