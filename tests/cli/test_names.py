import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.cli.names import check_storable, file_names
from vaezip.errors import FormatError, ImageError

from .conftest import reason

PARTS = st.sampled_from(["a", "b", "a.png", "a!", "a-", "ab"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), unique=True, max_size=8))
def test_no_file_is_the_folder_of_another(names):
    """The answer is that of trying all pairs."""
    originals = set(names)  # which are kept as they are called
    clash = any(b.startswith(a + "/") for a in names for b in names)
    if clash:
        with pytest.raises(FormatError, match="would be a file and the folder of"):
            file_names(names, originals)
    else:
        assert file_names(names, originals) == {name: name for name in names}


def test_two_names_of_one_file_are_refused():
    assert reason(file_names, ["a.png", "b", "a"]) == (
        "'a' and 'a.png' would be the same file; take it out with --only NAME -o FILE"
    )


def test_a_deep_name_is_looked_at_once(monkeypatch):
    """No string is made for each folder above it."""
    made = []

    class Counted(str):
        def replace(self, *arguments):
            made.append(self)
            return super().replace(*arguments)

    monkeypatch.setattr("vaezip.batch.names.alike", Counted)
    names = ["a/" * 250 + f"{i}.png" for i in range(50)]
    assert list(file_names(names)) == names
    assert len(made) == len(names)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("a" * 4096, FormatError, "more than 4,095 bytes"),
        ("a/" * 255 + "b", FormatError, "more than 254 folders"),
        ("a\\b", ImageError, "would not do in a set"),
        ("C:a", ImageError, "would not do in a set"),
        ("a\udc80", ImageError, "not UTF-8"),
    ],
)
def test_a_name_that_could_not_be_taken_out_again_is_not_put_in(name, kind, reason):
    with pytest.raises(kind, match=reason):
        check_storable(name)
