"""The habits of the house, each a test; which room may import which, the contracts of import-linter in pyproject.toml
say."""

import ast
import re
from pathlib import Path

import pytest

import vaezip

PACKAGE = Path(vaezip.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

MOST_LINES = 500
MOST_PARAMETERS, MOST_POSITIONAL = 7, 3

FRAGMENTS = ("Of ", "What ", "Those ", "Whether ", "Likewise")
"""Beginnings of docstrings that have no subject."""

PROGRAMS = ("bench/peers.py", "bench/machine.py")
"""These call other programs, and so name their options."""


def name_of(file):
    return file.relative_to(PACKAGE).as_posix()


def functions(tree, private=False, inside=None):
    """Yield (function, whether it is private, whether its first parameter is self) outside compiled kernels."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(d).split("(")[0] for d in node.decorator_list}
            if decorators & {"jit", "borrowing", "inline"}:
                continue
            hidden = private or (node.name.startswith("_") and node.name != "__init__")
            yield node, hidden, inside is not None and "staticmethod" not in decorators
            yield from functions(node, True)
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, private or node.name.startswith("_"), node)
        else:
            yield from functions(node, private, inside)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_module_is_long(file):
    assert len(file.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_function_takes_many_parameters(file):
    """Kernels excepted: compiled code takes arrays one by one."""
    wide = []
    for function, hidden, bound in functions(ast.parse(file.read_text())):
        arguments = function.args
        positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)][bound:]
        if len(positional) + len(arguments.kwonlyargs) > MOST_PARAMETERS:
            wide.append(f"{function.name} takes {len(positional) + len(arguments.kwonlyargs)}")
        if not hidden and len(positional) > MOST_POSITIONAL:
            wide.append(f"{function.name} takes {len(positional)} by position")
    assert wide == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_docstrings_begin_with_a_sentence(file):
    tree = ast.parse(file.read_text())
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.Module))]
    found = [text for node in nodes if (text := ast.get_docstring(node)) and text.startswith(FRAGMENTS)]
    assert found == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_only_the_command_line_names_options(file):
    if name_of(file).startswith("cli/") or name_of(file) in PROGRAMS:
        return
    tree = ast.parse(file.read_text())
    documents = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    texts = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in documents
    ]
    named = [text for text in texts if re.search(r"(?<![\w-])(--[a-z][a-z-]+|-[fo])(?![\w-])", text)]
    assert named == []
