"""Where the time of the codec goes: that each part is found, and counted once."""

from vaezip.bench.ours import Ours
from vaezip.codec.compress_options import Options
from vaezip.models.effort import Effort
from vaezip.pictures.picture import Picture


def test_parts_of_a_set(profiling, small_models):
    small = small_models["logistic"]
    pictures = [(f"{i:05d}", Picture("L", samples)) for i, samples in enumerate(small.images[:8])]
    method = Ours(Options(model=str(small.path), effort=Effort(2)))
    found = profiling.profile(lambda: method.encode(pictures, False))
    assert tuple(found) == profiling.PARTS
    busy = {part for part, seconds in found.items() if seconds > 0}
    assert {"encoder network", "decoder network", "K steps", "distributions", "stack", "container"} <= busy


def test_parts_of_a_picture_that_the_pixel_network_learns_from(profiling, local_models):
    small = local_models["colour"]
    picture = Picture("RGB", small.images[0])
    method = Ours(Options(model=str(small.path), effort=Effort(1)))
    found = profiling.profile(lambda: method.decode(method.encode([("", picture)], False)))
    assert {part for part, seconds in found.items() if seconds > 0} >= {
        "decoder network",
        "pixel network",
        "learning",
    }
