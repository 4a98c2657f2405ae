"""The memory of the blocks that are in flight."""

from threading import Event, Thread

from vaezip.system import memory
from vaezip.system.memory import taking


def test_a_block_waits_until_those_under_way_leave_it_its_memory():
    entered, asked = Event(), Event()

    def other():
        asked.set()
        with taking(5, 8):
            entered.set()

    with taking(5, 8):
        thread = Thread(target=other)
        thread.start()
        asked.wait()
        assert not entered.is_set()
        with taking(3, 8):
            assert memory._taken == 8
    thread.join()
    assert entered.is_set()
    assert memory._taken == 0


def test_a_block_alone_waits_for_nothing():
    with taking(9, 8):
        assert memory._taken == 9
    assert memory._taken == 0
