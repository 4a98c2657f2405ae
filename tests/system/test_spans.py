"""Spans: each counts its own time alone, and nothing is measured unless somebody asks."""

from vaezip.system import spans


@spans.timed("outer")
def outer():
    return inner() + 1


@spans.timed("inner")
def inner():
    return sum(range(300_000))


def test_time_inside_a_span_counts_once():
    with spans.profiled() as profile:
        found = outer()
    assert found == sum(range(300_000)) + 1
    assert set(profile.seconds) == {"outer", "inner"}
    assert profile.seconds["inner"] > 10 * profile.seconds["outer"]


def test_nothing_is_measured_unless_somebody_asks():
    with spans.profiled() as profile:
        pass
    outer()
    with spans.span("more"):
        inner()
    assert not profile.seconds


def test_work_within_a_function_counts_for_its_own_name():
    with spans.profiled() as profile, spans.span("here"):
        sum(range(300_000))
    assert profile.seconds["here"] > 0


def test_a_span_that_fails_counts_all_the_same():
    with spans.profiled() as profile:
        try:
            with spans.span("failing"):
                raise ValueError
        except ValueError:
            pass
    assert "failing" in profile.seconds
