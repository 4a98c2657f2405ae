import ast
from pathlib import Path

import pytest

import vaezip.training
from vaezip.models.kinds import ALL_PLANES, BLACK_AND_WHITE
from vaezip.models.registry import FAMILIES as OF_MODELS
from vaezip.training import families
from vaezip.training.data import Survey

TRAINING = Path(vaezip.training.__file__).parent
NAMES = {"PixelVae", "PixelArchitecture", "PixelModel", "TileVae", "TileArchitecture", "TileModel"}


def test_every_family_of_models_can_be_trained():
    assert {family.kind for family in families.FAMILIES} == set(OF_MODELS)


@pytest.mark.parametrize("family", families.FAMILIES, ids=lambda family: family.kind)
def test_a_family_is_found_by_its_networks_and_its_recipes(family):
    assert all(families.named(arch) is family for arch in family.arches)
    assert all(families.of(recipe.architecture) is family for recipe in family.recipes.values())


@pytest.mark.parametrize("planes", ALL_PLANES, ids=lambda planes: planes.name)
@pytest.mark.parametrize("size", [(28, 28), (30, 40)])
def test_pictures_of_every_kind_have_a_network_that_suits_them(planes, size):
    found = families.suited(Survey(None, planes, frozenset([size]), ()))
    black_and_white = "mlp" if size == (28, 28) else "resnet"
    assert found == (black_and_white if planes == BLACK_AND_WHITE else "local")


def test_no_module_asks_for_the_kind_of_a_model():
    for path in TRAINING.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "hasattr", path
                asked = ast.unparse(node.args[1]) if node.func.id == "isinstance" else ""
                assert not NAMES & set(asked.replace("|", " ").replace("(", " ").replace(")", " ").split()) or (
                    path.parent.name in ("pixel", "tile")
                ), path


def test_messages_name_no_option_of_the_program():
    """But for the commands of the folder's own."""
    for path in TRAINING.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.name == "commands.py":
            continue
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not [text for text in texts if " --" in text and "torchrun" not in text], path
