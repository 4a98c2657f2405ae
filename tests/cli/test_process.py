"""What only a process of its own shows: signals, terminals, pipes, limits."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import vaezip

from .conftest import digit, files, noise

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

STOP_AT_REPLACE = """
import os, time
real = os.replace
def stop(source, target, **places):
    if str(target).endswith(".kernel"):  # compiled, and kept
        return real(source, target)
    print("ready", flush=True)
    time.sleep(60)
os.replace = os.link = stop
"""

STOP_IN_A_THREAD = """
import time
from vaezip.codec import payload
def encode(*_, **__):
    print("ready", flush=True)
    time.sleep(60)
payload.encode = encode
"""

WAIT_WHILE_A_THREAD_IS_SIGNALLED = """
import signal, threading, time
from vaezip.codec import payload
def signalled():
    time.sleep(0.5)  # until the main thread waits
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(300)  # longer than end() has patience
def encode(*_, **__):
    worker = threading.Thread(target=signalled)
    worker.start()
    worker.join()
payload.encode = encode
"""

STOP_AT_IMPORT = """
import sys, time
class Slow:
    def find_spec(self, name, *_):
        if name == "click":
            print("ready", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
"""


QUICK = ("-1", "--model", "mnist")
"""For where it does not matter how a digit is coded: all else that would be tried on it takes as long as the rest."""


def end(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err.decode()


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupt_while_writing_leaves_what_was_there(start, save, name):
    save("a.png")
    Path("a.png.vz").write_bytes(b"old")
    process = start("compress", *QUICK, "-f", "a.png", before=STOP_AT_REPLACE)
    assert process.stdout.readline() == b"ready\n"
    assert len(files()) == 3  # there is a temporary file now
    number = getattr(signal, name)
    process.send_signal(number)
    assert end(process) == (-number, b"", "vaezip: interrupted\n")  # by the signal: a shell's loop ends, too
    assert files() == ["a.png", "a.png.vz"]
    assert Path("a.png.vz").read_bytes() == b"old"


@posix
def test_interrupt_while_coding_ends_at_once(start, save):
    save("a.png")
    save("b.png")
    advice = "a set is written once it is whole; --output-dir-mirror DIR, for a file each, goes on where it was cut"
    process = start("compress", "a.png", "b.png", "-o", "set.vz", before=STOP_IN_A_THREAD)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert end(process) == (-signal.SIGINT, b"", f"vaezip: interrupted; {advice}\n")
    assert files() == ["a.png", "b.png"]


@posix
def test_interrupt_that_comes_to_another_thread_is_heard(start, save):
    save("a.png")
    process = start("compress", "a.png", before=WAIT_WHILE_A_THREAD_IS_SIGNALLED)
    assert end(process) == (-signal.SIGINT, b"", "vaezip: interrupted\n")


@posix
def test_interrupt_while_the_program_is_imported(start):
    process = start("compress", "a.png", before=STOP_AT_IMPORT)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert end(process) == (-signal.SIGINT, b"", "vaezip: interrupted\n")


@posix
def test_interrupt_takes_away_the_folder_that_was_made(start):
    Path("set.vz").write_bytes(vaezip.compress([("sub/a.png", digit())], preset=1, model="mnist"))
    process = start("decompress", "set.vz", before=STOP_AT_REPLACE)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == -signal.SIGINT
    assert files() == ["set.vz"]


@posix
def test_signal_that_the_caller_ignores_stays_ignored(start, save):
    save("a.png")
    before = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + STOP_AT_REPLACE
    process = start("compress", *QUICK, "a.png", before=before)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == -signal.SIGTERM


def test_pipes(start, save):
    picture = save("a.png")
    with open("a.png", "rb") as source:
        status, packed, err = end(start("compress", *QUICK, "-", stdin=source))
    assert (status, packed, err) == (0, vaezip.compress(picture, preset=1, model="mnist"), "")
    Path("a.vz").write_bytes(packed)
    with open("a.vz", "rb") as source:
        assert end(start("decompress", "-", stdin=source)) == (0, vaezip.pictures.write(picture, ".png"), "")


def test_broken_pipe_is_silent(start):
    Path("a.vz").write_bytes(vaezip.compress(noise("P", 400, 400), preset=1))
    process = start("decompress", "a.vz", "-o", "-")
    process.stdout.close()
    process.wait(30)
    assert process.stderr.read() == b""
    assert process.returncode == 1


def test_standard_output_that_is_closed(start, save):
    save("a.png")
    status, _, err = end(start("compress", "a.png", "-o", "-", before="import sys; sys.stdout = None"))
    assert (status, err) == (1, "vaezip: standard output: is closed\n")


@pytest.fixture
def full():
    """A device that takes no byte."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "wb") as device:
        yield device


@posix
@pytest.mark.parametrize("arguments", [["--help"], ["test", "a.vz", "b.vz"], ["decompress", "a.vz", "-o", "-"]])
def test_standard_output_that_is_full(start, full, arguments):
    for path in ("a.vz", "b.vz"):
        Path(path).write_bytes(vaezip.compress(noise("P"), preset=1))
    status, _, err = end(start(*arguments, stdout=full))
    assert (status, err) == (1, "vaezip: standard output: cannot be written: No space left on device\n")


@posix
def test_standard_error_that_is_full_stops_nothing(start, save, full):
    save("a.png")
    save("b.png")
    assert start("compress", *QUICK, "-v", "a.png", "none.png", "b.png", stderr=full).wait(120) == 1
    assert files() == ["a.png", "a.png.vz", "b.png", "b.png.vz"]
    assert start("compress", *QUICK, "-v", "-f", "a.png", stderr=full).wait(120) == 0


def test_torch_is_not_imported_on_the_cpu(start, save):
    save("a.png")
    save("b.png", noise("RGB"))
    before = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules))"
    assert end(start("compress", "a.png", "b.png", "--steps", "1", before=before)) == (0, b"False\n", "")


@posix
def test_file_beyond_a_limit_leaves_nothing(start, save):
    save("a.png", noise("RGB", 40, 40))
    before = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    status, _, err = end(start("compress", "-1", "a.png", before=before))
    assert (status, err) == (1, "vaezip: a.png.vz: cannot be written: File too large\n")
    assert files() == ["a.png"]


@pytest.fixture
def terminal():
    """A pseudo-terminal: the end that the program sees, and a function that reads what it wrote."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()

    def read():
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 1 << 16):
                text += part
        except OSError:  # Linux's way to say that the other end is closed
            pass
        return text.decode()

    yield theirs, read
    os.close(ours)


@posix
@pytest.mark.parametrize("arguments", [["compress", "a.png", "-o", "-"], ["decompress", "a.png.vz", "-o", "-"]])
def test_binary_output_is_refused_on_a_terminal(start, save, terminal, arguments):
    Path("a.png.vz").write_bytes(vaezip.compress(save("a.png"), preset=1, model="mnist"))
    process = start(*arguments, stdout=terminal[0])
    _, err = process.communicate(timeout=120)
    expected = b"vaezip: standard output: is a terminal; redirect it, or name a file with -o\n"
    assert (process.returncode, err) == (1, expected)
    assert terminal[1]() == ""


@posix
def test_standard_input_is_refused_from_a_terminal(start, terminal):
    expected = "vaezip: standard input: is a terminal; redirect a file to it\n"
    assert end(start("test", "-", stdin=terminal[0])) == (1, b"", expected)


@posix
def test_terminal_is_shown_progress_and_a_summary(start, save, terminal):
    save("a.png")
    start("compress", "-1", "a.png", "--model", "mnist", stderr=terminal[0]).wait(30)
    *progress, summary, end_of_line = terminal[1]().replace("\r\n", "\r").split("\r")
    assert (progress[0], progress[-1].strip()) == ("0 %: a.png", "")
    assert all(re.fullmatch(r"[0-9]+ %: a\.png", line) for line in progress[::2])
    assert summary.startswith("a.png: ")
    assert summary.endswith(" bpd, mnist)")
    assert end_of_line == ""


@posix
def test_terminal_is_shown_nothing_with_quiet(start, save, terminal):
    save("a.png")
    start("compress", *QUICK, "-q", "a.png", stderr=terminal[0]).wait(30)
    assert terminal[1]() == ""


def test_names_that_the_encoding_lacks_are_escaped(start):
    Path("set.vz").write_bytes(vaezip.compress([("Ж.png", digit())], preset=1, model="mnist"))
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    status, out, err = end(start("info", "set.vz", env=environment))
    assert (status, err) == (0, "")
    assert b"\\u0416.png  L     28\xd728" in out


def test_program_is_installed():
    program = Path(sys.executable).with_name("vaezip")
    if not program.exists():
        pytest.skip("vaezip is not installed here")
    assert subprocess.run([program, "--version"], capture_output=True).returncode == 0
