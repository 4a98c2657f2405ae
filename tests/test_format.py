"""The worked examples and numbers of docs/format, against the package and the reference decoder."""

import hashlib
import re
import sys
import zlib
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import vaezip
from tests.test_reference_decoder import first_example
from vaezip.codec import blocks, coders
from vaezip.entropy import distributions as d
from vaezip.entropy import grids
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.exact import backend
from vaezip.exact.elementwise import exp, grid_scale
from vaezip.models import cost, kinds, likelihoods, posterior
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.pixel import constants
from vaezip.pictures.picture import Picture
from vaezip.pictures.sequences.frame import Frame, with_frame
from vaezip.vz import archive, index, limits, names, wire
from vaezip.vz.records import NO_MODEL, Block, Group

DOCS = Path(__file__).parents[1] / "docs"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))

import reference_decoder  # noqa: E402
from reference_decoder import (  # noqa: E402
    calibration,
    decode,
    distributions,
    exact,
    layout,
    learning,
)
from reference_decoder import cost as reference_cost  # noqa: E402
from reference_decoder import limits as reference_limits  # noqa: E402
from reference_decoder import model_file as reference_models  # noqa: E402
from reference_decoder.modes import MODES  # noqa: E402
from reference_decoder.payload import check_model  # noqa: E402
from reference_decoder.posterior import noise_table  # noqa: E402
from reference_decoder.primitives import Reader  # noqa: E402
from reference_decoder.stack import Stack as ReferenceStack  # noqa: E402

N = r"([−-]?\d[\d,]*)"
HEX = r"([−-]?0x[0-9a-f]+(?:\.[0-9a-f]+)?(?:p[+-]\d+)?)"


@cache
def chapter(name):
    """The text of a chapter, each run of white space one space."""
    path = DOCS / ("format.md" if name == "format" else f"format/{name}.md")
    return " ".join(path.read_text(encoding="utf-8").split())


def stated(name, pattern):
    """The numbers that a chapter states: the groups of a pattern that it must contain once."""
    found = re.findall(pattern, chapter(name))
    assert len(found) == 1, f"{len(found)} places of docs/format state: {pattern}"
    texts = found[0] if isinstance(found[0], tuple) else found
    return [number(text.replace(",", "").replace("−", "-")) for text in texts]


def number(text):
    return float.fromhex(text) if "p" in text else int(text, 0)


# Conventions


def test_the_checksum_is_that_of_zlib():
    (expected,) = stated("format", r"`123456789` is (0x[0-9A-F]+)")
    assert zlib.crc32(b"123456789") == expected
    assert zlib.crc32(b"ab") == zlib.crc32(b"b", zlib.crc32(b"a"))


@pytest.mark.parametrize(
    ("value", "data"), [(0, b"\0"), (127, b"\x7f"), (300, b"\xac\x02"), (2**63 - 1, b"\xff" * 8 + b"\x7f")]
)
def test_varints_have_their_lowest_group_first(value, data):
    assert wire.varint(value) == data
    assert wire.Reader(data).varint() == Reader(data).varint() == value


def test_a_varint_of_ten_bytes_is_refused():
    data = b"\x80" * 9 + b"\x01"
    with pytest.raises(FormatError):
        wire.Reader(data).varint()
    with pytest.raises(reference_decoder.FormatError):
        Reader(data).varint()


# Layout


def test_the_example_is_a_file():
    data = first_example()
    assert stated("layout", rf"samples 7 and 9, as a drawn picture, is {N} bytes") == [len(data)]
    picture = vaezip.decompress(data)
    assert (picture.mode, picture.samples.tolist()) == ("L", [[[7], [9]]])
    assert decode(data, {})[""].samples.tolist() == [[[7], [9]]]
    checksum = zlib.crc32(bytes([7, 9]), zlib.crc32(data[:12]))
    assert stated("layout", rf"the checksum of whose block is {HEX}") == [checksum]
    coder = coders.by_mark(coders.GRAPHIC)
    assert coder.encode(picture.samples[None], "L", checksum, effort=Effort()) == data[12:]


def test_the_header_of_a_digit():
    header = archive.inline_header(Group(1, 0, 0, boxes=[()], blocks=[Block(b"\1\2\3\4", b"")]))
    assert stated("layout", rf"A 28×28 digit therefore costs {N} bytes of header") == [len(header)]


def test_the_first_bytes_are_spoilt_by_a_transfer_that_is_not_clean():
    data = first_example()
    for spoilt in (bytes(byte & 127 for byte in data), data.replace(b"\r\n", b"\n"), data.replace(b"\n", b"\r\n")):
        with pytest.raises(FormatError, match=r"not a \.vz file"):
            vaezip.decompress(spoilt)
        with pytest.raises(reference_decoder.FormatError):
            decode(spoilt, {})


def test_what_a_run_of_names_takes():
    run = names.write_names([f"{i:05}.png" for i in range(10_000)])
    assert stated("layout", rf"`00000.png` … `09999.png` cost {N} bytes") == [len(run)]


def test_the_first_and_the_last_second():
    assert stated("layout", rf"years 1 to 9999, {N} … {N}\.") == [limits.FIRST_TIME, limits.LAST_TIME]


def test_where_a_writer_puts_indices():
    stated_numbers = stated(
        "layout",
        r"after each run of 2\^(\d+) bytes or more, and one at the end, if payloads and models take 2\^(\d+) bytes in "
        r"all; but an index never takes more than one of 2\^(\d+) bytes of its run",
    )
    assert stated_numbers == [index._RUN.bit_length() - 1, index._LEAST.bit_length() - 1, index._SHARE]
    assert stated("layout", r"take 2\^(\d+) bytes or more on average") == [index._NAMED.bit_length() - 1]
    assert stated("layout", r"takes no more than one of 2\^(\d+) bytes\.") == [index._SHARE_WITH_BOXES]
    assert stated("layout", r"bytes of the packed data, at most 2\^(\d+)") == [index.MAX_INDEX.bit_length() - 1]


@pytest.mark.parametrize("file", [b"x", bytes(300), bytes(range(256)) * 70])
def test_what_a_verbatim_file_takes_beside_its_bytes(file):
    (most,) = stated("payload", rf"An inline file takes at most {N} bytes more than its input")
    (of_one, of_all) = stated(
        "payload",
        rf"takes at most {N} bytes and its name more than its input; the archive itself takes at most {N} bytes more",
    )
    group = Group(11, 1, len(file), boxes=[()], blocks=[Block(NO_MODEL, b"")])
    assert len(archive.inline_header(group)) + 4 <= most
    groups = [Group(11, 1, len(file), 1, 1, [f"{i} a.pgm"], [()], [Block(NO_MODEL, bytes(4) + file)]) for i in range(9)]
    data = archive.write_archive(groups, {})
    assert len(data) <= sum(len(file) + len(group.names[0]) + of_one for group in groups) + of_all


def modes_of_models():
    """What the table of section 2.4 says: (number of a mode, channels, levels) that go together."""
    table = chapter("payload").split("Which modes which models can code:")[1].split("No model codes")[0]
    rows = re.findall(r"\| ([\d, ]+) \| (\d) \| (\d+) \|", table)
    return {(int(mode), int(c), int(levels)) for modes, c, levels in rows for mode in modes.split(", ")}


@pytest.mark.parametrize("number", range(12))
def test_models_code_the_modes_that_the_table_says(number):
    for channels, levels, tiled, size in product((1, 3), (2, 256), (False, True), ((28, 28), (28, 27))):
        stated = (number, channels, levels) in modes_of_models() and (tiled or size == (28, 28))
        some = SimpleNamespace(channels=channels, levels=levels, tiled=tiled, tile=(28, 28), most_side=None)
        assert kinds.fits(some, kinds.MODE_NAMES[number], size) == stated
        mode = MODES[number]
        try:
            check_model(some, number, mode.channels - mode.alpha, (1, *size))
        except reference_decoder.FormatError:
            assert not stated
        else:
            assert stated


@pytest.mark.parametrize("largest", [0.0, 1e-40, 2.0**-130, 0.7, 1.0, 3.0, 2.0**20, 1e30])
@pytest.mark.parametrize("bound", [1, 3, 1 << 24])
def test_both_readers_have_one_grid_of_gradients(largest, bound):
    found = min(float(grid_scale(backend(), np.array([largest]), float(bound))[0]), 2.0**120)
    assert found == exact.grid_scale(largest, bound)


# Entropy coder


def test_the_example_of_the_stack():
    seed, *heads = stated(
        "entropy-coder",
        rf"seed {HEX} and no words, `push\(3, 5, 4\)` gives s = {HEX}; `push\(1000, 1, 22\)` then gives s = {HEX}; "
        rf"`push\(0, 2097152, 22\)` then gives s = {HEX}",
    )
    ours, theirs = Stack(seed), ReferenceStack(Stack(seed).to_bytes())
    for head, (start, freq, precision) in zip(heads, [(3, 5, 4), (1000, 1, 22), (0, 2_097_152, 22)]):
        ours.push(np.array([start]), np.array([freq]), precision)
        theirs.push(start, freq, precision)
        assert int(ours._state) == theirs.head == head
    assert (ours._size, theirs.words) == (0, [])
    assert ReferenceStack(ours.to_bytes()).head == heads[-1]


# Exact functions


@pytest.mark.parametrize("x", [1.0, -0.5, -22.0])
def test_exp(x):
    (expected,) = stated("exact-functions", rf"exp\({str(x).replace('-', '−')}\) = {HEX}")
    assert float(exp(backend(), np.array([x]))[0]) == float(exact.exp(np.array(x))) == expected


def test_sigma():
    (expected,) = stated("exact-functions", rf"sigma\(1\.0\) = {HEX}")
    assert float(d.tables.sigmoid(np.array([1.0]))[0]) == float(exact.sigma(np.array(1.0))) == expected


TABLES = {
    "LOGISTIC_CDF": lambda: d.logistic_tables()[0],
    "NORMAL_CDF": lambda: d._gaussian_tables()[0],
    "LOGISTIC_RECIPROCAL": lambda: d.logistic_tables()[1],
    "NORMAL_RECIPROCAL": lambda: d._gaussian_tables()[1],
    "POWERS": d.weight_powers,
    "BERNOULLI_ZERO": d._zero_frequencies,
    "QUANTILES": lambda: d.tables.normal_quantiles(12),
    "SIGMOID": likelihoods._sigmoid_table,
    "SCALE_RECIPROCAL": likelihoods._reciprocal_scales,
    "INTERIOR": likelihoods._interior_factors,
    "INNER": likelihoods._inner_derivatives,
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_hashes_that_the_chapter_lists(name):
    pattern = rf"\| `{name}(?:\[i\])?` \| (\d+)[^|]* \|(?: [^|]+ \|)? ([0-9a-f]{{16}}) \|"
    ((entries, digest),) = re.findall(pattern, chapter("exact-functions"))
    for table in (TABLES[name](), getattr(exact, name)):
        assert table.size == int(entries)
        assert hashlib.sha256(table.astype(table.dtype.newbyteorder("<")).tobytes()).hexdigest()[:16] == digest


# Distributions


def ours(distribution, symbol):
    """F of a symbol, as the package has it."""
    (start,), _ = distribution.intervals(np.array([symbol], np.int32))
    return int(start)


def ints(*values):
    return np.array(values, np.int32)


def test_the_example_of_a_logistic():
    of_100, first, second = stated(
        "distributions", rf"for m = 1600 and a = 0, logistic\(100\) = {N}, F\(100\) = {N} and F\(101\) = {N}\."
    )
    one = d.Logistic(ints(1600), ints(0))
    starts = distributions.logistic_starts(ints(1600), ints(0))[0]
    assert int(distributions.logistic(np.int64(100), np.int64(1600), np.int64(0))) == of_100
    assert [ours(one, 100), ours(one, 101)] == starts[[100, 101]].tolist() == [first, second]
    (low,) = stated("distributions", rf"For m = −16384 and a = −96, F\(1\) = {N}\.")
    assert (
        ours(d.Logistic(ints(-16384), ints(-96)), 1)
        == distributions.logistic_starts(ints(-16384), ints(-96))[0, 1]
        == low
    )


def test_the_example_of_a_mixture():
    pattern = (
        rf"the logits {N}, {N}, {N} and whole = {N} give {N}, {N}, {N}\. With the means {N}, {N}, {N} and log scales 0 "
        rf"that mixture has F\(100\) = {N} and F\(101\) = {N}\."
    )
    numbers = stated("distributions", pattern)
    logits, whole, weights, means, starts = numbers[:3], numbers[3], numbers[4:7], numbers[7:10], numbers[10:]
    assert d.integer_softmax(ints(logits)).tolist() == [weights]
    assert distributions.softmax(np.array(logits), whole).tolist() == weights
    mixture = d.LogisticMixture(ints(means), ints([0, 0, 0]), ints(logits))
    found = distributions.mixture_starts(np.array([weights]), np.array([means]), np.zeros((1, 3), np.int64))[0]
    assert [ours(mixture, 100), ours(mixture, 101)] == found[[100, 101]].tolist() == starts


def test_the_example_of_a_posterior():
    expected = stated("distributions", rf"For m = 0 and a = 0, F\(2048\) = {N} and F\(2049\) = {N}\.")
    found = distributions.normal(np.array([2048, 2049]), np.int64(0), np.int64(0))
    assert [ours(d.Gaussian(ints(0), ints(0)), k) for k in (2048, 2049)] == found.tolist() == expected


def test_the_prior():
    ((digest,),) = [
        re.findall(r"4097 entries as 64-bit little-endian integers begins with ([0-9a-f]+)", chapter("distributions"))
    ]
    for table in (d._prior_cdf(), distributions.PRIOR):
        assert hashlib.sha256(table.astype("<i8").tobytes()).hexdigest().startswith(digest)


@pytest.mark.parametrize(
    ("what", "unit", "least", "greatest"),
    [
        ("logit of a Bernoulli", grids.LOGIT_BITS, -grids.LOGIT_BOUND, grids.LOGIT_BOUND),
        ("log scale of a logistic, ln s", grids.LOG_SCALE_BITS, grids.LOG_SCALE_LOW, grids.LOG_SCALE_HIGH),
        ("coefficient between channels", grids.COEFFICIENT_BITS, -grids.COEFFICIENT_BOUND, grids.COEFFICIENT_BOUND),
        ("mean of the posterior", grids.POSTERIOR_MEAN_BITS, -grids.POSTERIOR_MEAN_BOUND, grids.POSTERIOR_MEAN_BOUND),
        (
            "log standard deviation of the posterior, ln σ",
            grids.LOG_SIGMA_BITS,
            grids.LOG_SIGMA_LOW,
            grids.LOG_SIGMA_HIGH,
        ),
    ],
)
def test_grids(what, unit, least, greatest):
    assert stated("distributions", rf"\| {what} \| 1/{N} \| (?:clamped to )?{N} … {N} \|") == [
        1 << unit,
        least,
        greatest,
    ]


# Posterior and adaptation


def test_the_example_of_noise():
    expected = stated("posterior", rf"For t = 0 and i = 0, 1, 2, ε is {HEX}, {HEX}, {HEX}\.")
    assert posterior.gaussian_noise(0, 3).tolist() == noise_table(0, 3).tolist() == expected
    assert posterior.gaussian_noise(1, 3).tolist() == noise_table(1, 3).tolist() == [-value for value in expected]


def test_the_values_of_settings_that_are_left_out():
    keys = ("mean_rate", "sigma_rate", "decay", "noise", "beta1", "beta2")
    pattern = r"left out has the value ([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+) or ([\d.]+), in the order"
    ((*texts,),) = re.findall(pattern, chapter("posterior"))
    expected = dict(zip(keys, map(float, texts)))
    assert vars(posterior.Settings()) == reference_models.SETTINGS == expected


def test_constants_of_the_adaptation():
    assert stated("adaptation", rf"FADING = 0\.02 / 384 = {HEX}") == [constants.FADING] == [calibration.FADING]
    assert stated("adaptation", rf"\* {HEX} # 1\.8137993642342178, pi / sqrt\(3\)") == [constants.LOGISTIC_DEVIATION]
    assert calibration.PI_BY_ROOT_3 == constants.LOGISTIC_DEVIATION
    assert stated("adaptation", rf"1\.0 − 0\.6 is {HEX}, and 1\.0 − 0\.999 is {HEX}\.") == [
        1.0 - beta for beta in constants.BETAS
    ]
    assert (learning.BETA1, learning.BETA2) == constants.BETAS


# Limits


def powers(pattern):
    """What a row of the tables of chapter 11 states, as powers of two."""
    return [1 << exponent for exponent in stated("limits", pattern)]


def test_limits_of_the_structure():
    assert powers(r"\| bytes of the unpacked directory, or of the unpacked boxes of an inline file \| 2\^(\d+) \|") == [
        limits.MAX_DIRECTORY
    ]
    assert powers(r"\| bytes of an unpacked model \| 2\^(\d+) \|") == [limits.MAX_MODEL]
    assert (
        powers(r"\| models that the directory lists \| 2\^(\d+) \|")
        == [limits.MAX_MODELS]
        == [reference_limits.MOST_MODELS]
    )
    assert (
        powers(r"contents of all boxes of one picture, each counted as often as it is listed \| 2\^(\d+) \|")
        == [limits.MAX_METADATA]
        == [reference_limits.MOST_METADATA]
    )
    assert (
        stated("limits", rf"name of a model, in a directory or in a box 255 \| {N} \|")
        == [limits.MAX_MODEL_NAME]
        == [reference_limits.LONGEST_MODEL_NAME]
    )
    assert stated("limits", rf"in a run of names \| {N} \|") == [limits.MAX_NAME] == [reference_limits.LONGEST_NAME]
    assert stated("limits", rf"which slashes divide \| {N} \|") == [limits.MAX_PARTS] == [reference_limits.MOST_PARTS]
    assert powers(r"a side of 0 or of more than 2\^(\d+);") == [limits.MAX_SIDE]


@pytest.mark.parametrize("size", [0, 1000, 1 << 22, 1 << 40])
def test_both_readers_grant_the_same_to_a_file_of_any_size(size):
    assert limits.Budget(size).left == reference_limits.Budget(size).left


def test_what_a_block_may_cost():
    work, beside = stated("limits", r"work ≤ 2\^(\d+) · \(n · h · w \+ (\d+)\) operations for a block, so")
    assert (1 << work, beside) == (cost.DEFAULT.work, cost._ALLOWED) == (reference_cost.GRANTED, reference_cost.BESIDE)
    assert powers(r"memory ≤ 2\^(\d+) bytes for a block") == [cost.DEFAULT.memory]


def test_the_example_of_work():
    numbers = stated(
        "limits",
        rf"takes {N} operations a pixel where nothing learns, and {N} where two networks do, after each two rows",
    )
    path = model_file.find("photo")
    model, reference = vaezip.load_model(path), reference_models.load_models(path.parent)[model_file.fingerprint(path)]
    stack, shape = bytes([0, 0, 0, 0, 1]), (1, 1024, 1024, 3)
    for expected, settings in zip(numbers, (bytes([64]), bytes([2, 1, 1, 8, 40, 51, 230, 0, 26]))):
        steps = 2 * (settings[0] == 2)
        work = model.cost(settings + stack, shape, steps).work
        assert reference_cost.chain_work(settings + stack, shape, reference, steps) == work
        assert round(work / (1 << 20)) == expected


def refused(group):
    """Whether each reader refuses the size of the blocks of a group."""
    found = []
    theirs = layout.Group(group.mode, group.height, group.width, group.per_block, group.band, group.names)
    unlimited = cost.Budget(1 << 62, 1 << 62)
    for check, some, error in (
        (lambda some: blocks.check_group(some, 1 << 62, unlimited), group, FormatError),
        (layout.check_size, theirs, reference_decoder.FormatError),
    ):
        try:
            check(some)
        except error:
            found.append(True)
        else:
            found.append(False)
    return found


@pytest.mark.parametrize(
    ("height", "width", "count", "most"),
    [
        ((1 << 24) // 4096, 4096, 1, "one picture of 2^24 pixels"),
        (32, 1 << 20, 1, "one picture of 32 rows, however wide"),
        (2048, 2048, 4, "four pictures of 2^24 pixels"),
        (1, 32_762, 256, "pictures with the margins of a context"),
        (4, 32, 126_144, "small pictures with such margins"),
        (1, 32, 131_072, "pictures of a row in tiles"),
    ],
)
def test_sizes_of_blocks_up_to_the_limits(height, width, count, most):
    """Section 11.2, just at a limit and just beyond it."""
    largest = max(2**24, 32 * width)
    tiles = -(-height // 32) * -(-width // 32) * 1024

    def fits(rows, number):
        joined = number * (rows + 3) * (width + 6) <= 2 * largest and number * tiles <= 8 * largest
        return number * rows * width <= largest and (number == 1 or joined)

    numbers = ["x"] * count
    group = Group(1, height, width, count, height, numbers, [()] * count)
    assert refused(group) == [not fits(height, count)] * 2, most
    beyond = Group(1, height + 1, width, count, height + 1, numbers, [()] * count)
    assert refused(beyond) == [not fits(height + 1, count)] * 2


@pytest.mark.parametrize(("pictures", "height", "width"), [(2, 2048, 4096), (126_144, 4, 32), (131_072, 1, 32)])
def test_one_picture_more_than_fits_is_refused(pictures, height, width):
    group = Group(1, height, width, pictures, height, ["x"] * pictures, [()] * pictures)
    fitting = refused(group)
    group.per_block, group.names, group.boxes = pictures + 1, ["x"] * (pictures + 1), [()] * (pictures + 1)
    assert (fitting, refused(group)) == ([False, False], [True, True])


def test_the_size_of_what_a_frame_keeps():
    box = with_frame(Picture("L", np.zeros((1, 1, 1), np.uint8)), Frame(1, 1, 1)).box("png-chunk")
    assert stated("layout", rf"Its data are {N} bytes") == [len(box) - 5]
