"""vaezip warm."""

from vaezip.codec import warming


def test_everything_is_compiled(run, monkeypatch):
    asked = []
    monkeypatch.setattr(warming, "warm", asked.append)
    assert run("warm") == run("warm", "--processes", "3") == (0, "", "")
    assert asked == [None, 3]


def test_a_number_of_processes_is_positive(run):
    assert run("warm", "--processes", "0")[0] == 2
