"""Writes docs/api.md from the docstrings of the public names: ``python docs/make_api.py``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import vaezip
from vaezip import batch, pictures

PAGE = Path(__file__).parent / "api.md"

_HEAD = """\
# The Python interface

<!-- Made by docs/make_api.py; do not edit. -->

These are the names that `vaezip` promises; every other module of the package is internal and may change in any
release. The package carries types (`py.typed`). Whatever fails on purpose raises a `VaezipError`.
"""

_ORDER = (
    ("compress", "imwrite", "Options", "Compressor"),
    ("decompress", "imread", "open", "Archive", "ReadOptions"),
    ("Picture", "pictures"),
    ("batch",),
    ("load_model",),
    ("warm",),
    ("VaezipError", "ImageError", "FormatError", "ModelError", "OutputError", "DataError"),
)
_TITLES = ("Compress", "Decompress", "Pictures", "Batches", "Models", "Compiled functions", "Errors")

_SECTION = re.compile(r"(Attributes|Args|Returns|Raises):")
_ENTRY = re.compile(r"([*\w, ]+): (.*)")


def render() -> str:
    """Return the page."""
    listed = sorted(name for names in _ORDER for name in names)
    if listed != sorted(vaezip.__all__):
        raise ValueError(f"_ORDER and vaezip.__all__ differ by {set(listed) ^ set(vaezip.__all__)}")
    example = textwrap.dedent(inspect.getdoc(vaezip).split("\n\n")[1])
    parts = [_HEAD, f"```python\n{example}\n```\n"]
    for title, names in zip(_TITLES, _ORDER):
        parts.append(f"## {title}\n")
        for name in names:
            parts += _described(f"vaezip.{name}", getattr(vaezip, name))
    return "\n".join(parts)


def _described(name: str, item: Any) -> Iterator[str]:
    """Yield the paragraphs of one public name."""
    yield f"### `{name}`\n"
    if inspect.ismodule(item):
        yield _prose(inspect.getdoc(item))
        yield from _module_members(name, item)
        return
    is_error = inspect.isclass(item) and issubclass(item, Exception)
    if not is_error or item is vaezip.VaezipError:
        yield f"```python\n{_signature(name, item)}\n```\n"
    yield _prose(inspect.getdoc(item))
    if inspect.isclass(item):
        yield from _methods(item)


def _methods(owner: type) -> Iterator[str]:
    """Yield the public methods of a class, in the order of its code, the initialiser first."""
    if "__init__" in vars(owner) and owner.__init__.__doc__:
        yield _prose(inspect.getdoc(owner.__init__))
    for name, value in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            yield f"#### `{owner.__name__}.{name}`\n"
            yield _prose(inspect.getdoc(value))
        elif inspect.isfunction(value):
            yield f"#### `{_signature(f'{owner.__name__}.{name}', value)}`\n"
            yield _prose(inspect.getdoc(value))


def _module_members(name: str, module: ModuleType) -> Iterator[str]:
    """Yield the public names of a module, without aliases of types, modules, and what has a place of its own."""
    texts = _texts_of_constants(pictures.picture) if module is pictures else {}
    for member in sorted(set(module.__all__) - set(vaezip.__all__)):
        value = getattr(module, member)
        if inspect.isfunction(value) or (inspect.isclass(value) and value.__doc__ and member[0].isupper()):
            yield f"#### `{_signature(f'{name}.{member}', value)}`\n"
            yield _prose(inspect.getdoc(value))
            if module is batch and inspect.isclass(value):
                yield from _methods(value)
        elif member in texts:
            yield f"#### `{name}.{member}`\n"
            yield _prose(texts[member])


def _texts_of_constants(module: ModuleType) -> dict[str, str]:
    """Return the strings that stand behind assignments in a module, by the name that is assigned to."""
    body = ast.parse(inspect.getsource(module)).body
    found = {}
    for before, after in pairwise(body):
        if isinstance(before, (ast.Assign, ast.AnnAssign)) and isinstance(after, ast.Expr):
            target = before.targets[0] if isinstance(before, ast.Assign) else before.target
            if isinstance(target, ast.Name) and isinstance(after.value, ast.Constant):
                found[target.id] = inspect.cleandoc(str(after.value.value))
    return found


def _signature(name: str, item: Callable[..., Any]) -> str:
    """Write a signature as its source has it, over several lines where it is long."""
    signature = inspect.signature(item)
    parts, keywords = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "_"):
            continue
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords:
            keywords = True
            parts.append("*")
        annotation = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{star}{parameter.name}{annotation}{default}")
    returned = signature.return_annotation
    arrow = "" if inspect.isclass(item) or returned is signature.empty else f" -> {returned}"
    line = f"{name}({', '.join(parts)}){arrow}"
    if len(line) <= 100 or ("." in name and name[0].isupper()):
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){arrow}"


def _prose(text: str | None) -> str:
    """Turn a docstring into Markdown: its sections become lists, and references become code."""
    lines: list[str] = []
    section = None
    for line in (text or "").splitlines():
        heading = _SECTION.fullmatch(line)
        if heading:
            section = heading[1]
            lines += [f"*{section}*", ""]
        elif section and line.startswith("    "):
            entry = _ENTRY.fullmatch(line.strip()) if len(line) - len(line.lstrip()) == 4 else None
            lines.append(f"- `{entry[1]}`: {entry[2]}" if entry else f"  {line.strip()}")
        else:
            section = None if line.strip() else section
            lines.append(line)
    return _plain("\n".join(lines)) + "\n"


def _plain(text: str) -> str:
    """Write references and literals of reStructuredText as code, and its tables as they stand."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`").replace(r"\\", "\\")
    return re.sub(r"((?:^=+  =+$)(?:\n.+)+?\n(?:^=+  =+$))", r"```\n\1\n```", text, flags=re.MULTILINE)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
