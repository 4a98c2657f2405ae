"""The pages of docs/examples do what they show."""

import doctest
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs" / "examples").glob("*.md"))
NEEDED = {"zarr": ("zarr", "numcodecs"), "pillow": ("imageio",), "loaders": ("torch",)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_shows(page, tmp_path, monkeypatch):
    for library in NEEDED.get(page.stem, ()):
        if find_spec(library) is None:
            pytest.skip(f"needs {library}")
    monkeypatch.chdir(tmp_path)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=options, encoding="utf-8")
    assert (failed, tried > 5) == (0, True)


def test_the_pages_link_what_is_there():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
