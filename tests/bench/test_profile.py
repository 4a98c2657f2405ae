from vaezip.bench import worker
from vaezip.bench.ours import Ours
from vaezip.bench.profile import PARTS, Profile, profile
from vaezip.codec.compressor import Options
from vaezip.entropy.stack import Stack
from vaezip.models.effort import Effort
from vaezip.pictures.picture import Picture


def test_parts_of_a_set(plan, small_models):
    wanted = plan(limit=8)
    pictures = list(worker.select(wanted))
    method = Ours(Options(model=wanted.models[0], effort=Effort(2)))
    push = Stack.push
    found = profile(lambda: method.encode(pictures, False))
    assert tuple(found) == PARTS
    busy = {part for part, seconds in found.items() if seconds > 0}
    assert {"encoder network", "decoder network", "K steps", "distributions", "stack", "container"} <= busy
    assert Stack.push is push  # nothing stays patched


def test_parts_of_a_picture_that_the_pixel_network_learns_from(local_models):
    small = local_models["colour"]
    picture = Picture("RGB", small.images[0])
    method = Ours(Options(model=str(small.path), effort=Effort(1)))
    found = profile(lambda: method.decode(method.encode([("", picture)], False)))
    assert {part for part, seconds in found.items() if seconds > 0} >= {"encoder network", "pixel network", "learning"}


def test_time_inside_a_part_counts_once():
    found = Profile()
    with found.part("outer"), found.part("inner"):
        sum(range(100_000))
    assert found.seconds["inner"] > 10 * found.seconds["outer"]
