from vaezip.models.kinds import BILEVEL_GREY, COPY, JPEG, MODE_NAMES, PLANES, VERBATIM
from vaezip.pictures.picture import MODES


def test_every_mode_has_one_number():
    assert len(set(MODE_NAMES)) == len(MODE_NAMES)
    assert {*MODES, BILEVEL_GREY, VERBATIM, JPEG, COPY} == set(MODE_NAMES)


def test_models_code_modes_that_there_are():
    assert set(PLANES) < set(MODE_NAMES)
