"""Blocks as jobs: any executor gives the same bytes, and N threads are N busy threads."""

import pickle
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import vaezip
from vaezip.codec import blocks, choice, compressor, decoding, encoding, flight, payload
from vaezip.codec.coders import GRAPHIC, REMADE
from vaezip.codec.jobs import BlockJob
from vaezip.errors import VaezipError
from vaezip.models import file as model_file
from vaezip.models.cost import Budget
from vaezip.models.effort import PRESETS, Effort
from vaezip.models.library import Library, Reference
from vaezip.models.pixel import adaptive, strips
from vaezip.models.pixel.adaptation import Learners
from vaezip.models.sampling import sample
from vaezip.pictures import Picture


@pytest.fixture
def pictures(discs):
    """Some of two sizes, in grey and in colour."""
    found = {f"{i}": Picture("RGB", x) for i, x in enumerate(discs(3, 36, 25, 3))}
    return found | {f"grey {i}": Picture("L", x) for i, x in enumerate(discs(3, 20, 15))}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 48 * 48)


def test_a_job_can_be_pickled(pictures, small_blocks):
    taken = []

    class Recorder(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            taken.append((function, arguments))
            return super().submit(function, *arguments)

    with Recorder(1) as executor:
        vaezip.compress(pictures.items(), preset=1, executor=executor)
    assert {(function, arguments[0]) for function, arguments in taken} == {(flight.within_memory, encoding.encode_run)}
    for function, arguments in taken:
        again = pickle.loads(pickle.dumps(arguments))
        assert function(*again) == function(*arguments)


@pytest.mark.parametrize("preset", [1, 4])
def test_every_executor_gives_the_same_bytes(pictures, preset):
    plain = vaezip.compress(pictures.items(), preset=preset)
    assert vaezip.compress(pictures.items(), preset=preset, threads=3) == plain
    with ThreadPoolExecutor(2) as executor:
        assert vaezip.compress(pictures.items(), preset=preset, executor=executor) == plain
        assert_same(dict(vaezip.Archive(plain, executor=executor).pictures()), pictures)


def test_processes_give_the_same_bytes(pictures):
    plain = vaezip.compress(pictures.items(), preset=1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert vaezip.compress(pictures.items(), preset=1, executor=executor) == plain
        assert_same(dict(vaezip.Archive(plain, executor=executor).pictures()), pictures)


def assert_same(found, pictures):
    assert found.keys() == pictures.keys()
    assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())


class Busy:
    """Wraps functions, and counts the threads that are in one of them at once."""

    def __init__(self, monkeypatch):
        self.lock, self.inside, self.most, self.calls = threading.Lock(), {}, 0, 0
        self.monkeypatch = monkeypatch

    def watch(self, owner, name):
        real = getattr(owner, name)

        def watched(*arguments, **options):
            me = threading.get_ident()
            with self.lock:
                self.calls += 1
                self.inside[me] = self.inside.get(me, 0) + 1
                self.most = max(self.most, sum(depth > 0 for depth in self.inside.values()))
            try:
                return real(*arguments, **options)
            finally:
                with self.lock:
                    self.inside[me] -= 1

        self.monkeypatch.setattr(owner, name, watched)


@pytest.mark.parametrize(
    ("preset", "many", "count"),
    [
        (4, False, 2),
        (4, False, 4),
        pytest.param(9, False, 2, marks=pytest.mark.slow),
        pytest.param(9, False, 4, marks=pytest.mark.slow),
        (4, True, 2),
        (4, True, 4),
        pytest.param(9, True, 2, marks=pytest.mark.slow),
        pytest.param(9, True, 4, marks=pytest.mark.slow),
    ],
)
def test_so_many_threads_are_busy_and_no_more(monkeypatch, small_blocks, discs, preset, many, count):
    """The leaves of the work are watched: kernels, the learner."""
    busy = Busy(monkeypatch)
    busy.watch(strips.kernel, "mixtures")
    busy.watch(strips.pushing, "intervals")
    busy.watch(strips.kernel, "pop_strip")
    busy.watch(Learners, "learn")
    busy.watch(adaptive, "frame_with_predictions")
    x = discs(4 if many else 1, *((24, 40) if many else (129, 128)), 3)
    before = threading.active_count()
    most = []
    monkeypatch.setattr(compressor, "group_of", counted(compressor.group_of, most))
    pictures = [(f"{i}", Picture("RGB", p)) for i, p in enumerate(x)]
    data = vaezip.compress(pictures, model="photo", preset=preset, threads=count)
    assert busy.calls > 10
    assert busy.most <= count
    assert max(most) <= before + count
    assert vaezip.Archive(data, threads=count).names == [f"{i}" for i in range(len(x))]


def counted(function, most):
    def call(*arguments, **options):
        most.append(threading.active_count())
        return function(*arguments, **options)

    return call


def test_one_job_is_one_block(discs):
    picture = Picture("L", discs(1, 33, 20)[0])
    group = blocks.new_group("L", (33, 20), 1 << 20)
    with vaezip.Compressor(preset=1) as made:
        job = made._job(group, picture.samples[None])
    (block,) = encoding.encode(job)
    decoded = decoding.decode(decoding.DecodeJob("L", (1, 33, 20, 1), block, made.library))
    assert np.array_equal(decoded[0], picture.samples)


@pytest.mark.parametrize("named", [False, True])
def test_of_several_forms_the_one_that_is_kept_is_decoded_again(discs, monkeypatch, named):
    decoded = []
    decode = payload.decode
    monkeypatch.setattr(payload, "decode", lambda *a, **named: decoded.append(a[0]) or decode(*a, **named))
    picture = Picture("L", discs(1, 33, 20)[0])
    data = vaezip.compress({"a": picture} if named else picture, preset=1)
    (block,) = vaezip.Archive(data).file.groups[0].blocks
    assert decoded == [block.payload]


def test_a_block_that_a_reader_would_refuse_is_not_written(monkeypatch):
    monkeypatch.setattr("vaezip.codec.forms.BUDGET", Budget(work=1))
    samples = np.zeros((1, 4, 4, 1), np.uint8)
    job = BlockJob("L", samples, (GRAPHIC,), None, Library(), Effort())
    with pytest.raises(VaezipError, match="graphic takes more for such pictures than a reader spends on them"):
        encoding.code(job, GRAPHIC)


def digits(count):
    """Draw digits by a model."""
    drawn = sample(model_file.load(model_file.find("mnist-binary")), count, 1)
    return np.stack([picture.samples for picture in drawn]).reshape(count, 28, 28, 1)


def corners(count):
    """Draw rectangles, which no model of digits has seen."""
    rng = np.random.default_rng(0)
    samples = np.zeros((count, 28, 28, 1), np.uint8)
    for picture, (top, left) in zip(samples, rng.integers(0, 20, (count, 2))):
        picture[top:, left:] = 1
    return samples


@pytest.mark.parametrize(("count", "preset", "found"), [(300, 1, 1), (300, 2, 2), (200, 1, 2)])
def test_the_least_effort_codes_many_pictures_but_once(count, preset, found, monkeypatch):
    """The neighbours of their pixels tell that digits are no drawings."""
    path = model_file.find("mnist-binary")
    model = Reference(path, model_file.fingerprint(path))
    job = BlockJob("1", digits(count), (model, GRAPHIC), None, Library(), PRESETS[preset])
    coded, form = [], encoding.form
    monkeypatch.setattr(encoding, "form", lambda job, candidate: coded.append(candidate) or form(job, candidate))
    encoding.encode(job)
    assert coded == [model, GRAPHIC][:found]


def blocks_of(monkeypatch, samples):
    """Compress a set at the least effort, 256 pictures a run; return the marks of its blocks, and the models tried."""
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 256 * 28 * 28)
    tried, encode = [], payload.encode
    monkeypatch.setattr(payload, "encode", lambda x, *a, **n: tried.append((len(x), n["model"])) or encode(x, *a, **n))
    data = vaezip.compress([(f"{i}", Picture("1", x)) for i, x in enumerate(samples)], preset=1)
    assert np.array_equal([picture.samples for picture in vaezip.decompress(data).values()], samples)
    (group,) = vaezip.Archive(data).file.groups
    return [block.model for block in group.blocks], [model for count, model in tried if count < 256 and model]


def test_the_models_of_black_and_white_pictures_are_tried_once_in_a_set(monkeypatch):
    marks, tried = blocks_of(monkeypatch, digits(768))
    assert len({*marks}) == 1
    assert len(tried) == len({id(model) for model in tried}) > 1


def test_a_set_whose_second_half_is_unlike_its_first_is_coded_as_well_by_halves(monkeypatch):
    model = blocks_of(monkeypatch, digits(256))[0]
    assert blocks_of(monkeypatch, np.concatenate([digits(256), corners(256)]))[0] == [*model, GRAPHIC]
    assert blocks_of(monkeypatch, np.concatenate([corners(256), digits(256)]))[0] == [GRAPHIC, *model]


def test_what_all_pictures_are_made_of_one_of_them_need_not_be_made_of(monkeypatch):
    """Then whatever else codes a picture is tried for the block."""
    samples = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 1)).astype(np.uint8)
    candidates = (REMADE, GRAPHIC)
    job = BlockJob("L", samples, candidates, None, Library(), Effort())
    promising = choice.promising
    monkeypatch.setattr(choice, "promising", lambda job: [REMADE] if len(job.samples) > 1 else promising(job))
    assert len(encoding.encode_run(job, 1)) == 2
