import io
import logging
import subprocess
import sys
import threading
import warnings

import pytest
from PIL import Image

from vaezip.pictures.io import read
from vaezip.pictures.library_messages import overheard

from .helpers import pillow_rgb, saved


def too_many_entries():
    """A TIFF whose compression has two values, about which Pillow warns."""
    data = bytearray(saved(pillow_rgb(), "TIFF"))
    entry = data.index(b"\x03\x01\x03\0\1\0\0\0")
    data[entry + 4] = 2
    return bytes(data)


def test_a_warning_of_pillow_becomes_a_remark(capfd):
    got = read(too_many_entries())
    assert any("malformed metadata (Metadata Warning, tag 259" in name for name in got.dropped)
    assert capfd.readouterr().err == ""


def test_a_program_that_reads_such_a_picture_prints_nothing(tmp_path):
    (tmp_path / "a.tif").write_bytes(too_many_entries())
    script = f"import vaezip.pictures\nvaezip.pictures.read({str(tmp_path / 'a.tif')!r})"
    done = subprocess.run([sys.executable, "-W", "always", "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_what_others_warn_of_meanwhile_is_theirs():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with overheard() as heard:
            other = threading.Thread(target=lambda: warnings.warn("theirs", stacklevel=1))
            other.start()
            other.join()
            warnings.warn("ours", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["theirs"]
    assert heard.warnings == ["ours"]


def test_what_libraries_log_is_heard_and_not_printed(capfd):
    with overheard() as heard:
        logging.getLogger("tifffile").warning("odd tag %d", 7)
        logging.getLogger("PIL.TiffImagePlugin").info("nothing of note")
    assert heard.warnings == ["odd tag 7"]
    assert capfd.readouterr().err == ""


def test_everything_is_set_back():
    before = warnings.showwarning, list(warnings.filters), list(logging.getLogger("PIL").handlers)
    with overheard(), overheard():
        assert warnings.showwarning is not before[0]
    assert (warnings.showwarning, list(warnings.filters), logging.getLogger("PIL").handlers) == before


def test_libtiff_speaks_to_others_as_before(capfd):
    data = bytearray(saved(pillow_rgb(16, 16), "TIFF", compression="tiff_lzw"))
    place = Image.open(io.BytesIO(data)).tag_v2[273][0]
    data[place + 40 : place + 60] = b"\xff" * 20

    def decode():
        with pytest.raises(OSError, match="-2"):
            Image.open(io.BytesIO(data)).load()

    with overheard() as heard:
        other = threading.Thread(target=decode)
        other.start()
        other.join()
    assert heard.errors == []
    assert "code" in capfd.readouterr().err
