"""Constants of the pixel models that move coded bytes belong to a version of the file format."""

import hashlib

from vaezip.models.pixel import constants
from vaezip.vz.records import REVISION, VERSION

DIGESTS = {
    (5, 1): "5a4e67ff1eceb679b6f4da01c0776e7c5190667b52cd1ad30aa7c043008aa5e5",
    (5, 2): "5a4e67ff1eceb679b6f4da01c0776e7c5190667b52cd1ad30aa7c043008aa5e5",
    (5, 3): "8cf11a4791d86485665032d84c0af21e6f2a9a556325deb19e6fd68af65ac501",
    (5, 4): "8cf11a4791d86485665032d84c0af21e6f2a9a556325deb19e6fd68af65ac501",
    (5, 5): "8cf11a4791d86485665032d84c0af21e6f2a9a556325deb19e6fd68af65ac501",
    (5, 6): "8cf11a4791d86485665032d84c0af21e6f2a9a556325deb19e6fd68af65ac501",
    (5, 7): "443d785f412d5d655de2e407bc26f8ef44017fa020e1d166964cde434d483be7",
    (5, 8): "19b99c654d8836e182b23c4d24049d4acc1d3b85c275a089049c21ca24d0f482",
    (5, 9): "19b99c654d8836e182b23c4d24049d4acc1d3b85c275a089049c21ca24d0f482",
}
"""SHA-256 of the constants by version and revision. With another digest old files no longer decode: it needs others."""


def values():
    return {name: value for name, value in sorted(vars(constants).items()) if name.isupper()}


def test_the_constants_are_those_of_the_version():
    assert hashlib.sha256(repr(values()).encode()).hexdigest() == DIGESTS[VERSION, REVISION]


def test_all_constants_are_numbers_and_tuples_of_numbers():
    """So that their digest is the same everywhere."""

    def flat(value):
        return [x for part in value for x in flat(part)] if isinstance(value, tuple) else [value]

    assert all(type(number) in (int, float) for value in values().values() for number in flat(value))
