import gzip
import json
import re
import struct
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("rich")

import vaezip
from vaezip.bench import runner
from vaezip.bench.method import MismatchError
from vaezip.pictures.picture import Picture


@pytest.fixture
def photos(folder):
    """A folder of two small pictures."""
    (folder / "photos").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        picture = Picture("L", rng.integers(0, 256, (6, 7 + i, 1), np.uint8))
        (folder / "photos" / f"{i}.png").write_bytes(vaezip.pictures.write(picture, ".png"))
    return "photos"


@pytest.fixture
def here(monkeypatch):
    """Measure in this process, which is quicker."""
    original = runner.run

    def run(plan, progress):
        from dataclasses import replace

        return original(replace(plan, isolated=False), progress)

    monkeypatch.setattr(runner, "run", run)


def test_folder(run, photos, here):
    status, out, err = run("bench", "--dataset", photos, "--steps", "0", "--peers", "png,webp")
    assert (status, err) == (0, "")
    assert out.startswith("photos: 2 images (all), of several sizes, 90 values\n")
    for words in ("Set: 2 images", "Single: each of 2 images", "vaezip auto", "PNG", "WebP lossless"):
        assert words in out


def test_data_set_json_and_plot(run, folder, here):
    pytest.importorskip("matplotlib")
    (folder / "data" / "mnist").mkdir(parents=True)
    pixels = np.zeros((3, 28, 28), np.uint8)
    pixels[:, 9:19, 9:19] = 200
    packed = gzip.compress(struct.pack(">4I", 2051, *pixels.shape) + pixels.tobytes())
    (folder / "data" / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(packed)
    status, out, err = run(
        "bench", "--dataset", "mnist", "--data", "data", "--steps", "0..1", "--model", "mnist", "--model", "auto",
        "--limit", "1", "--seed", "3", "--peers", "none", "--order", "single", "--per-image",
        "--json", "r.json", "--plot", "r.png", "--threads", "1",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "Bits per dimension of each image" in out
    assert "Set:" not in out
    found = json.loads((folder / "r.json").read_text())
    assert [(row["model"], row["steps"]) for row in found["methods"]] == [
        ("mnist", 0),
        ("mnist", 1),
        ("auto", 0),
        ("auto", 1),
    ]
    assert (found["dataset"], found["images"], found["seed"], found["verified"]) == ("mnist", 1, 3, False)
    assert (folder / "r.png").read_bytes().startswith(b"\x89PNG")


def test_json_to_standard_output(run, photos, here):
    status, out, err = run("bench", "--dataset", photos, "--peers", "none", "--order", "set", "--json", "-")
    assert (status, err) == (0, "")
    assert json.loads(out)["methods"][0]["order"] == "set"


@pytest.mark.parametrize(
    ("arguments", "measured"),
    [
        ([], [(0, None)]),
        (["--presets", "1,4"], [(0, 1), (1, 4)]),
        (["--presets", "4", "--steps", "0..1"], [(0, None), (1, None), (1, 4)]),
    ],
)
def test_presets_alone_or_beside_steps(run, photos, here, arguments, measured):
    options = ("--peers", "none", "--order", "set", "--solid", "--json", "-")
    status, out, err = run("bench", "--dataset", photos, *arguments, *options)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert [(row["steps"], row["preset"]) for row in found["methods"]] == measured
    assert found["solid"] is True


def test_a_mismatch_is_exit_1_and_named(run, photos, monkeypatch):
    def fail(plan, progress):
        raise MismatchError("image '0.png' did not come back bit for bit from mnist with K = 3 (single)")

    monkeypatch.setattr(runner, "run", fail)
    status, out, err = run("bench", "--dataset", photos)
    assert (status, out) == (1, "")
    assert err == "vaezip: image '0.png' did not come back bit for bit from mnist with K = 3 (single)\n"


def test_an_erring_decoder_is_exit_1(run, photos, here, monkeypatch):
    from vaezip.bench.ours import Ours

    monkeypatch.setattr(
        Ours, "restore", lambda self, decoded, pictures: [pictures[0][1]] * (len(pictures) - 1) + [OTHER]
    )
    status, out, err = run("bench", "--dataset", photos, "--peers", "none", "--order", "set", "--json", "r.json")
    assert (status, out) == (1, "")
    assert err == "vaezip: image '1.png' did not come back bit for bit from auto with K = 0 (set)\n"


OTHER = Picture("L", np.zeros((6, 8, 1), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--steps", "3..1"], "invalid value for '--steps': '3..1' is no number of steps; write 0,5,10 or 0..10"),
        (
            ["--presets", "1..10"],
            "invalid value for '--presets': '1..10' is no preset; write 1,4,6 or 1..6, from 1 to 9",
        ),
        (["--peers", "gif"], "invalid value for '--peers': 'gif' is no peer; there are png, oxipng"),
        (["--plot", "r.jpg"], "invalid value for '--plot': the name must end in .png or .svg"),
        (["--plot", ""], "invalid value for '--plot': the name must end in .png or .svg"),
        (["--json", ""], "invalid value for '--json': the name is empty; give one"),
        (["--data", ""], "invalid value for '--data': the name is empty; give one"),
        (["--dataset", ""], "invalid value for '--dataset': the name is empty; give one"),
        (["--json", "r.png", "--plot", "./r.png"], "--json and --plot name the same file; name two"),
        (["--limit", "0"], "invalid value for '--limit'"),
        (["--order", "both"], "invalid value for '--order'"),
    ],
)
def test_usage(run, photos, arguments, words):
    status, out, err = run("bench", "--dataset", photos, *arguments)
    assert (status, out) == (2, "")
    assert words in err


def test_no_data_set(run):
    assert run("bench").status == 2
    status, _, err = run("bench", "--dataset", "nowhere")
    assert status == 1
    assert (
        err
        == "vaezip: no data set or folder is called 'nowhere'; data sets are mnist, mnist-binary, cifar10, cifar100\n"
    )


def test_outputs_are_checked_before_the_work(run, photos, folder, monkeypatch):
    monkeypatch.setattr(runner, "run", lambda *_: pytest.fail("measured in vain"))
    (folder / "r.json").write_text("kept")
    status, _, err = run("bench", "--dataset", photos, "--json", "r.json")
    assert (status, err) == (1, "vaezip: r.json: exists already; use -f to overwrite it\n")
    status, _, err = run("bench", "--dataset", photos, "--plot", "no/r.svg")
    assert (status, err) == (1, "vaezip: no/r.svg: cannot be written: there is no folder 'no'; make it first\n")
    assert (folder / "r.json").read_text() == "kept"


def test_targets_that_a_link_makes_one_are_refused(run, photos, folder, monkeypatch):
    monkeypatch.setattr(runner, "run", lambda *_: pytest.fail("measured in vain"))
    (folder / "link.png").symlink_to("r.png")
    status, _, err = run("bench", "--dataset", photos, "--json", "r.png", "--plot", "link.png", "-f")
    assert status == 2
    assert "--json and --plot name the same file; name two" in err


@pytest.mark.parametrize("option", ["--json", "--plot"])
@pytest.mark.parametrize("target", ["photos/1.png", "link.png"])
def test_a_picture_that_is_measured_is_never_overwritten(run, photos, folder, monkeypatch, option, target):
    monkeypatch.setattr(runner, "run", lambda *_: pytest.fail("measured in vain"))
    (folder / "link.png").symlink_to("photos/1.png")
    before = (folder / "photos" / "1.png").read_bytes()
    status, _, err = run("bench", "--dataset", photos, "--limit", "1", option, target, "-f")
    assert (status, err) == (1, f"vaezip: {target}: is the input; name another output\n")
    assert (folder / "photos" / "1.png").read_bytes() == before


def test_neither_are_a_model_and_the_files_of_a_data_set(run, folder, other_model, monkeypatch):
    monkeypatch.setattr(runner, "run", lambda *_: pytest.fail("measured in vain"))
    data = folder / "mnist" / "t10k-images-idx3-ubyte.gz"
    data.parent.mkdir()
    data.write_bytes(b"kept")
    for target in (str(data), str(other_model)):
        arguments = ("--data", str(folder), "--model", str(other_model), "--json", target, "-f")
        status, _, err = run("bench", "--dataset", "mnist", *arguments)
        assert (status, err) == (1, f"vaezip: {target}: is the input; name another output\n")
    assert data.read_bytes() == b"kept"


@pytest.mark.parametrize(("missing", "extra"), [("rich", []), ("matplotlib", ["--plot", "r.png"])])
def test_a_missing_extra_is_one_sentence(run, photos, monkeypatch, missing, extra):
    from vaezip.cli import bench

    monkeypatch.setattr(bench, "find_spec", lambda name: None if name == missing else object())
    status, out, err = run("bench", "--dataset", photos, *extra)
    assert (status, out) == (1, "")
    assert err == f"vaezip: bench needs {missing}; install it with: pip install '.[bench]' in a checkout of vaezip\n"


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom vaezip.cli import main\n"
        "try: main(['bench', '--help'], prog_name='vaezip')\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'numba', 'PIL', 'rich', 'matplotlib', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.endswith("[]\n")
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", out, re.MULTILINE)
    assert {"--dataset", "--data", "--model", "--steps", "--limit", "--seed", "--peers", "--json", "--plot"} <= set(
        options
    )
    assert {"--per-image", "--device", "--threads", "--order", "--presets", "--solid"} <= set(options)
