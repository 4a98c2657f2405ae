"""The memory of the blocks that are decoded at once."""

from threading import Event, Thread

from vaezip.codec import decoding


def test_a_block_waits_until_those_under_way_leave_it_its_memory():
    entered, asked = Event(), Event()

    def other():
        asked.set()
        with decoding._taking(5, 8):
            entered.set()

    with decoding._taking(5, 8):
        thread = Thread(target=other)
        thread.start()
        asked.wait()
        assert not entered.is_set()
        with decoding._taking(3, 8):
            assert decoding._taken == 8
    thread.join()
    assert entered.is_set()
    assert decoding._taken == 0


def test_a_block_alone_waits_for_nothing():
    with decoding._taking(9, 8):
        assert decoding._taken == 9
    assert decoding._taken == 0
