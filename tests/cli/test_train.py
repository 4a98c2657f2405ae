import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.bench import peers
from vaezip.cli import gains, train
from vaezip.cli.console import Console
from vaezip.models import file as model_file
from vaezip.pictures.datasets import INSTALL
from vaezip.pictures.picture import Picture
from vaezip.system import files as system_files
from vaezip.training import objectives
from vaezip.training.families.tile import stage as tile_stage
from vaezip.training.loop import Progress, Stage, read_log
from vaezip.training.trainer import Finished, Plan

from .conftest import digit, files, noise, reason, wrong

torch = pytest.importorskip("torch")

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

TINY = ("--latents", "2", "--hidden", "8", "--threads", "1")
ONE_EPOCH = (*TINY, "--epochs", "1,1")
LOCAL = ("--latents", "2", "--hidden", "32", "--threads", "1")
LEFT = ["digits.json", "digits.md", "digits.safetensors"]


@pytest.fixture
def digits(folder, discs):
    """A folder of twenty small pictures in black and white; gives its name."""
    (folder / "digits").mkdir()
    for i, samples in enumerate(discs(20, 28, 28, 1, 2)):
        (folder / f"digits/{i:02d}.png").write_bytes(vaezip.pictures.write(Picture("1", samples), ".png"))
    return "digits"


@pytest.fixture
def scraps(save, discs):
    """A folder of six small colour pictures, some smaller than a tile, none whole tiles; gives its name."""
    for i, samples in enumerate(discs(6, 40, 33, 3)):
        save(f"scraps/{i}.png", Picture("RGB", np.ascontiguousarray(samples[: 40 - 4 * i, : 33 - 3 * i])))
    return "scraps"


def left():
    """The files beside the pictures and the folders of runs."""
    return [name for name in files() if "/" not in name]


def rates(name):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(Path(name))]


def test_from_pictures_to_a_file_that_needs_nothing_else(run, digits, monkeypatch):
    status, out, err = run("train", "--data", digits, *TINY, "--epochs", "3,2")
    assert status == 0
    told = [line.split(" bpd")[0].rsplit(", ", 1)[0] for line in err.splitlines()]
    assert told == [
        f"{stage}, epoch {i} of {n}" for stage, n in (("elbo", 3), ("half-asleep", 2)) for i in range(1, n + 1)
    ]
    assert left() == LEFT
    size, mark = os.path.getsize("digits.safetensors"), model_file.fingerprint(Path("digits.safetensors")).hex()
    lines = out.splitlines()
    assert lines.pop(2).endswith("; stopped at any moment, the same command goes on after the last epoch")
    assert lines[:3] == [
        "digits: 18 pictures to train on (18 tiles of 28×28), 2 held out",
        "elbo for 3 epochs, then half-asleep for 2 epochs",
        f"digits.safetensors: {size:,} bytes, fingerprint {mark}; 2 pictures held out came back bit for bit",
    ]
    assert lines[3].split() == ["held", "out", "bytes", "bpd", "saved"]
    others = ["vaezip", "vaezip by mnist-binary", "PNG", "WebP lossless", "JPEG XL effort 7"]
    assert [line.split("  ")[0] for line in lines[4:-1]] == others
    assert lines[-1].startswith("The training does not pay: mnist-binary, which comes with vaezip, takes ")
    assert run("compress", "-q", "--model", "digits.safetensors", "--embed-model", "digits", "-o", "set.vz") == (
        0,
        "",
        "",
    )
    before = {path.name: vaezip.pictures.read(path.read_bytes()) for path in Path("digits").iterdir()}
    os.mkdir("elsewhere")
    Path("set.vz").rename("elsewhere/set.vz")
    monkeypatch.chdir("elsewhere")
    assert run("decompress", "set.vz", "-o", "out") == (0, "", "")
    assert {path.name for path in Path("out").iterdir()} == set(before)
    assert all(
        vaezip.pictures.same(vaezip.pictures.read(Path("out", name).read_bytes()), held)
        for name, held in before.items()
    )


def test_figures_and_card(run, digits):
    assert run("train", "--data", "digits", *ONE_EPOCH, "-o", "a.b c.safetensors", "--seed", "3", "-q") == (0, "", "")
    record = json.loads(Path("a.b c.json").read_text())
    command = shlex.split("vaezip train --data digits --output 'a.b c.safetensors' --latents 2 --hidden 8")
    assert [shlex.split(line) for line in record["made_by"]] == [[*command, "--epochs", "1,1", "--seed", "3"]]
    assert record["fingerprint"] == model_file.fingerprint(Path("a.b c.safetensors")).hex()
    assert (record["name"], record["dataset"], record["objective"]) == ("a.b c", "digits", "half-asleep")
    assert (record["held_out_tiles"], record["refined_images"], "test_images" in record) == (2, 2, False)
    model = vaezip.load_model("a.b c.safetensors")
    assert model.information == {name: record[name] for name in model.information}
    card = Path("a.b c.md").read_text()
    assert card.startswith("# a.b c\n")
    assert f"| −ELBO on 2 tiles of pictures held out, float | {record['float_bpd']} bits per dimension |" in card
    assert f"| −ELBO on the same, integers | {record['integer_bpd']} bits per dimension |" in card


def test_objectives_with_numbers(run, digits):
    asked = ("--objective", "elbo,denoising:0.5:0.4,half-asleep:0.25", "--epochs", "2,2,2")
    assert run("train", "--data", digits, *TINY, *asked, "-q") == (0, "", "")
    card = Path("digits.md").read_text(encoding="utf-8")
    assert "| Encoder's objective | half-asleep (α = 0.25), 2 epochs |" in card
    assert "; then denoising (α = 0.5, σ = 0.4), 2 epochs, " in card
    record = json.loads(Path("digits.json").read_text(encoding="utf-8"))
    assert "--objective elbo,denoising:0.5:0.4,half-asleep:0.25" in record["made_by"][0]
    assert (record["objective"], record["stages"][2]["alpha"]) == ("half-asleep:0.25", 0.25)


def test_colour_is_predicted_pixel_by_pixel(run, scraps):
    status, out, err = run("train", "--data", scraps, *LOCAL, "--epochs", "2", "--batch", "4", "-v")
    lines = out.splitlines()
    assert (status, left()) == (0, ["scraps.json", "scraps.md", "scraps.safetensors"])
    assert lines[0].startswith("scraps: 5 pictures to train on (")
    assert lines[0].endswith(" tiles of 32×32), 1 held out")
    assert lines[1] == "elbo for 2 epochs"
    assert lines[3].endswith("; 1 picture held out came back bit for bit")
    assert "PNG" in [line.split("  ")[0] for line in lines[5:]]
    assert err.splitlines()[2].startswith("elbo: best in epoch ")
    model, record = vaezip.load_model("scraps.safetensors"), json.loads(Path("scraps.json").read_text())
    assert (model.architecture.hidden, model.architecture.latents) == (32, 2)
    assert model.information == {name: record[name] for name in model.information}
    steps = 2 * (int(lines[0].split("(")[1].split()[0]) // 4)
    assert (record["objective"], record["steps"], record["batch"], record["held_out"]) == ("elbo", steps, 4, 1)
    command = "vaezip train --data scraps --latents 2 --hidden 32 --epochs 2 --batch 4"
    assert f"Made by `{command}`; the figures are those of `scraps.json`." in Path("scraps.md").read_text()
    assert run("compress", "-q", "--model", "scraps.safetensors", "--embed-model", scraps, "-o", "set.vz") == (
        0,
        "",
        "",
    )
    assert run("decompress", "set.vz", "-o", "out") == (0, "", "")
    for path in Path(scraps).iterdir():
        assert vaezip.pictures.same(
            vaezip.pictures.read(Path("out", path.name).read_bytes()), vaezip.pictures.read(path.read_bytes())
        )
    assert run("train", "--data", scraps, *LOCAL, "--epochs", "2", "--batch", "4", "-f").out.splitlines()[2] == (
        "going on in scraps.training"
    )
    assert model_file.fingerprint(Path("scraps.safetensors")) == model.fingerprint


def test_grey_is_predicted_pixel_by_pixel(run, save):
    for i in range(3):
        save(f"grey/{i}.png", digit(i))
    assert run("train", "--data", "grey", *LOCAL, "--epochs", "1", "-q") == (0, "", "")
    assert vaezip.load_model("grey.safetensors").architecture.channels == 1
    assert run("compress", "--model", "grey.safetensors", "grey/1.png") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--objective", "elbo,half-asleep"),
            "local is trained by the objective elbo alone: the others need pictures drawn from the model, which takes "
            "it too long; leave --objective out, or use --arch resnet",
        ),
        (("--hidden", "40"), "local takes a multiple of 32 hidden units, up to 1024, not 40; change --hidden"),
    ],
)
def test_what_a_local_model_cannot_do(run, scraps, arguments, said):
    for arch in ((), ("--arch", "local")):
        assert refused(run, "--data", scraps, *arch, *arguments) == f"vaezip: scraps: {said}\n"


def test_local_is_not_for_black_and_white(run, digits):
    assert refused(run, "--data", digits, "--arch", "local") == (
        "vaezip: digits: local codes pictures in grey or in colour, and these are black and white; use --arch resnet\n"
    )


def test_epochs_of_stages_that_the_pictures_choose(run, scraps):
    status, out, err = run("train", "--data", scraps, "--epochs", "2,1")
    assert (status, out, left()) == (2, "", [])
    assert err == wrong("--epochs must give 1 number, one for each objective", "train")


def test_photographs_of_odd_sizes(run, save, discs):
    for i, samples in enumerate(discs(6, 40, 33, 3)):
        save(f"photos/{i}.png", Picture("RGB", np.ascontiguousarray(samples[: 40 - i])))
    status, out, err = run("train", "--data", "photos", "--arch", "resnet", *ONE_EPOCH, "-v")
    assert (status, out.splitlines()[0]) == (0, "photos: 5 pictures to train on (20 tiles of 32×32), 1 held out")
    assert err.startswith("elbo, epoch 1 of 1, ")
    assert run("compress", "--model", "photos.safetensors", "photos/3.png") == (0, "", "")
    assert run("test", "--model", "photos.safetensors", "photos/3.png.vz").status == 0


def test_grey_photographs(run, save, discs):
    for i, samples in enumerate(discs(4, 40, 33)):
        save(f"scans/{i}.png", Picture("L", samples))
    assert run("train", "--data", "scans", "--arch", "resnet", *ONE_EPOCH, "-q") == (0, "", "")
    assert vaezip.load_model("scans.safetensors").architecture.likelihood == "logistic"


# Going on


def test_the_same_command_again_gives_the_same_model(run, digits):
    arguments = ("train", "--data", digits, *ONE_EPOCH)
    run(*arguments)
    first = model_file.fingerprint(Path("digits.safetensors"))
    assert run(*arguments) == (1, "", "vaezip: digits.safetensors: exists already; use -f to overwrite it\n")
    Path("digits.safetensors").unlink()
    assert run(*arguments) == (1, "", "vaezip: digits.md: exists already; use -f to overwrite it\n")
    status, out, err = run(*arguments, "-f")
    assert (status, out.splitlines()[2], err) == (0, "going on in digits.training", "")
    assert model_file.fingerprint(Path("digits.safetensors")) == first


def test_another_training_of_the_same_name(run, digits):
    run("train", "--data", digits, *ONE_EPOCH, "-q")
    for path in LEFT:
        Path(path).unlink()
    other = ("train", "--data", digits, *ONE_EPOCH, "--batch", "2", "-q")
    assert run(*other) == (
        1,
        "",
        "vaezip: 'digits.training' holds a training with other stages; use -f to begin anew, or another -o\n",
    )
    assert run(*other, "-f") == (0, "", "")


def test_threads_may_be_others(run, digits):
    """Another machine may go on with a training."""
    arguments = ("train", "--data", digits, *ONE_EPOCH)
    run(*arguments)
    for path in LEFT:
        Path(path).unlink()
    status, out, err = run(*arguments, "--threads", "2")
    assert (status, out.splitlines()[2], err) == (0, "going on in digits.training", "")


@pytest.mark.parametrize("placed", [1, 2])
def test_cut_while_it_puts_its_files_in_place(run, digits, monkeypatch, placed):
    arguments = ("train", "--data", digits, *ONE_EPOCH, "-q")
    real = os.replace

    def replace(source, target):
        if str(target) == LEFT[placed]:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        assert run(*arguments).status == 130
    assert left() == LEFT[:placed]
    mine = Path("digits.json").read_bytes()
    Path("digits.json").write_text("{}")  # that of another model is still not overwritten
    assert run(*arguments) == (1, "", "vaezip: digits.json: exists already; use -f to overwrite it\n")
    Path("digits.json").write_bytes(mine)
    assert run(*arguments) == (0, "", "")
    assert left() == LEFT
    assert json.loads(mine) == json.loads(Path("digits.json").read_text())
    assert run(*arguments) == (1, "", "vaezip: digits.safetensors: exists already; use -f to overwrite it\n")


STOP = """
import os, time
real, calls = os.replace, []
def replace(source, target):
    calls.append(1) if "digits.training" in str(target) else None
    if len(calls) == 7:
        print("ready", flush=True)
        time.sleep(60)
    real(source, target)
os.replace = replace
"""
"""The settings are in place, and the third epoch is done and in the log, but its state is not in place."""


@posix
def test_killed_and_begun_again_it_ends_like_one_that_was_not(run, start, digits):
    arguments = ("train", "--data", digits, *TINY, "--epochs", "4,2", "-q")
    process = start(*arguments, before=STOP)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert [line["epoch"] for line in read_log(Path("digits.training/1-elbo.jsonl"))] == [1, 2, 3]
    assert torch.load("digits.training/1-elbo.pt", weights_only=True)["epoch"] == 2
    assert left() == []
    assert run(*arguments) == (0, "", "")
    assert run(*arguments, "-o", "whole.safetensors") == (0, "", "")
    assert model_file.fingerprint(Path("digits.safetensors")) == model_file.fingerprint(Path("whole.safetensors"))
    for log in ("1-elbo.jsonl", "2-half-asleep.jsonl"):
        assert rates(f"digits.training/{log}") == rates(f"whole.training/{log}")


@pytest.mark.parametrize("name", ["settings.json", "1-elbo.jsonl", "1-elbo.pt", "digits.safetensors", "digits.md"])
def test_a_full_disk(run, digits, monkeypatch, name):
    arguments = ("train", "--data", digits, *ONE_EPOCH, "-q")
    full = True

    def rename(place, temporary, called, force, honest=system_files._Place._rename):
        if full and called == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(place, temporary, called, force)

    monkeypatch.setattr(system_files._Place, "_rename", rename)
    status, out, err = run(*arguments)
    said = f"'{Path('digits.training', name)}' cannot be written: {os.strerror(errno.ENOSPC)}; once it can, the same"
    assert (status, out, said in err, err.count("\n")) == (1, "", True, 1)
    assert left() == []
    assert not list(Path("digits.training").glob(".vaezip-*"))
    full = False
    assert run(*arguments) == (0, "", "")


@pytest.mark.parametrize("damage", [lambda state: b"", lambda state: b"junk", lambda state: state[: len(state) // 2]])
def test_a_damaged_state(run, digits, damage):
    arguments = ("train", "--data", digits, *ONE_EPOCH, "-q")
    run(*arguments)
    first = model_file.fingerprint(Path("digits.safetensors"))
    for path in LEFT:
        Path(path).unlink()
    state = Path("digits.training/1-elbo.pt")
    state.write_bytes(damage(state.read_bytes()))
    said = f"vaezip: digits: the state '{state}' cannot be read; remove it to begin its stage anew\n"
    assert run(*arguments) == (1, "", said)
    state.unlink()
    assert run(*arguments) == (0, "", "")
    assert model_file.fingerprint(Path("digits.safetensors")) == first


# Several processes

WITHOUT_NOISE = """
import torch
torch.randn_like = torch.zeros_like
from vaezip.cli import main
main(prog_name="vaezip")
"""
"""Each process draws noise of its own; without any, the shares of a batch add up to the whole."""


@posix
@pytest.mark.parametrize(("data", "sizes"), [("digits", TINY), pytest.param("scraps", LOCAL, marks=pytest.mark.slow)])
def test_one_process_and_two(run, request, data, sizes, monkeypatch):
    request.getfixturevalue(data)
    arguments = ["train", "--data", data, *sizes, "--objective", "elbo", "--epochs", "3", "--batch", "6"]
    Path("without_noise.py").write_text(WITHOUT_NOISE)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "without_noise.py"]
    two = subprocess.run([*torchrun, *arguments, "-o", "two.safetensors"], capture_output=True, text=True, timeout=300)
    assert two.returncode == 0, two.stderr
    lines = two.stdout.splitlines()
    assert [line.split(":")[0] for line in (lines[0], lines[1], lines[3])] == [
        data,
        "elbo for 3 epochs",
        "two.safetensors",
    ]
    with monkeypatch.context() as patched:
        patched.setattr(torch, "randn_like", torch.zeros_like)
        assert run(*arguments, "-o", "one.safetensors").status == 0
    states = [torch.load(f"{name}.training/1-elbo.pt", weights_only=True)["last"] for name in ("one", "two")]
    for name, weights in states[0].items():
        assert (states[1][name] - weights).norm() <= 1e-3 * weights.norm()
    logs = [rates(f"{name}.training/1-elbo.jsonl") for name in ("one", "two")]
    assert [line.pop("epoch") for line in logs[1]] == [line.pop("epoch") for line in logs[0]] == [1, 2, 3]
    for one, both in zip(*logs):
        assert (both["train_bpd"], both["valid_bpd"]) == pytest.approx((one["train_bpd"], one["valid_bpd"]), rel=1e-3)
    for name in ("one", "two"):
        assert run("compress", "--model", f"{name}.safetensors", data, "-o", f"{name}.vz").status == 0


# What cannot be trained on


def refused(run, *arguments):
    status, out, err = run("train", *arguments)
    assert (status, out, left()) == (1, "", [])
    return err


def test_no_such_data(run):
    listed = "mnist, mnist-binary, cifar10, cifar100"
    expected = f"vaezip: nope: no data set or folder is called 'nope'; data sets are {listed}\n"
    assert refused(run, "--data", "nope") == expected


def test_empty_folder(run):
    os.mkdir("none")
    expected = "vaezip: none: holds no pictures; name a folder of PNG, WebP or other picture files\n"
    assert refused(run, "--data", "none") == expected


def test_nothing_can_be_read(run):
    os.mkdir("junk")
    Path("junk/a.png").write_bytes(b"junk")
    said = reason(vaezip.pictures.read, b"junk")
    expected = f"vaezip: junk: none of its 1 pictures can be read; the first: {Path('junk/a.png')}: {said}\n"
    assert refused(run, "--data", "junk") == expected


def test_mixed_modes(run, save):
    save("mixed/a.png", noise("L"))
    save("mixed/b.png", noise("RGB"))
    assert refused(run, "--data", "mixed") == (
        "vaezip: mixed: holds pictures of several kinds (1 of mode L, 1 of mode RGB); "
        "put each kind into a folder of its own\n"
    )


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_pictures(run, save, count):
    for i in range(count):
        save(f"few/{i}.png")
    for share in ("0.1", "0.99"):
        assert refused(run, "--data", "few", "--arch", "mlp", "--valid", share) == (
            f"vaezip: few: has too few pictures to train on and to hold one out ({count}); give at least 3\n"
        )


def test_three_pictures_are_enough(run, save):
    for i in range(3):
        save(f"few/{i}.png", digit(i))
    assert run("train", "--data", "few", *TINY, "--arch", "mlp", "--epochs", "1,1", "-q") == (0, "", "")


def test_too_much_is_held_out(run, digits):
    assert refused(run, "--data", digits, "--valid", "0.99") == (
        "vaezip: digits: a share of 0.99 held out leaves too few of 20 pictures to train on; give a smaller --valid\n"
    )


def test_fewer_tiles_than_a_batch(run, digits):
    assert run("train", "--data", digits, *TINY, "--batch", "50", "-q") == (
        1,
        "",
        "vaezip: digits: the tiles to train on (18) do not fill a batch of 50; "
        "give more pictures or a smaller --batch\n",
    )


def test_a_network_that_does_not_suit(run, save):
    for name in "ab":
        save(f"colour/{name}.png", noise("RGB"))
    assert refused(run, "--data", "colour", "--arch", "mlp") == (
        "vaezip: colour: mlp codes pictures of 28×28 in grey or black and white, and these are others; "
        "use --arch resnet\n"
    )


@pytest.mark.parametrize(("rate", "named"), [("1e30", "1e+30"), ("30", "30")])
def test_a_loss_that_diverges(run, digits, rate, named):
    arguments = ("train", "--data", digits, *ONE_EPOCH, "-q", "--learning-rate")
    status, out, err = run(*arguments, rate)
    assert (status, out, left()) == (1, "", [])
    assert err == (
        f"vaezip: digits: the loss of elbo diverged in epoch 1 at a learning rate of {named}, and nothing of this "
        "stage is kept; give a lower --learning-rate\n"
    )
    assert run(*arguments, "0.001") == (0, "", "")  # and no -f is asked for


def test_a_loss_that_diverges_late(run, digits, monkeypatch):
    """What was trained until then is neither lost nor advised to be thrown away."""
    arguments = ("train", "--data", digits, *TINY, "--epochs", "2,2", "-q")
    bpds = iter([1.0, 0.9, 0.8, 0.8, 99.0])
    with monkeypatch.context() as patched:
        patched.setattr(tile_stage, "evaluate", lambda *_: next(bpds))
        status, _, err = run(*arguments)
    assert (status, err) == (
        1,
        "vaezip: digits: the loss of half-asleep diverged in epoch 1 at a learning rate of 0.0005, and nothing of this "
        "stage is kept; give a lower --learning-rate and, so that what was trained before stays, another -o\n",
    )
    assert torch.load("digits.training/1-elbo.pt", weights_only=True)["epoch"] == 2
    assert run(*arguments, "--learning-rate", "1e-4", "-o", "other.safetensors") == (0, "", "")


def test_unreadable_pictures_are_skipped_and_counted(run, digits):
    Path("digits/x.png").write_bytes(b"junk")
    said = reason(vaezip.pictures.read, b"junk")
    status, out, err = run("train", "--data", digits, *ONE_EPOCH, "-v")
    head = "digits: 18 pictures to train on (18 tiles of 28×28), 2 held out, 1 skipped because they cannot be read"
    assert (status, out.splitlines()[0]) == (0, head)
    assert err.splitlines()[0] == f"{Path('digits/x.png')}: {said}; skipped"


def test_existing_folder_that_is_none_of_a_training(run, digits):
    os.mkdir("digits.training")
    Path("digits.training/notes").touch()
    expected = "vaezip: the folder 'digits.training' is in the way; name another with -o\n"
    for force in ((), ("-f",)):
        assert run("train", "--data", digits, *ONE_EPOCH, "-q", *force) == (1, "", expected)


def test_output_that_cannot_be_written(run, digits):
    expected = "vaezip: none/m.safetensors: cannot be written: there is no folder 'none'; make it first\n"
    assert run("train", "--data", digits, "-o", "none/m.safetensors") == (1, "", expected)


def test_pytorch_is_missing(run, monkeypatch):
    monkeypatch.setattr(train, "find_spec", lambda name: None)
    expected = "vaezip: train needs PyTorch; install it with: pip install '.[torch]' in a checkout of vaezip\n"
    assert run("train", "--data", "x") == (1, "", expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing option '--data'"),
        (("--data", "x", "-o", "x.pt"), "invalid value for '-o' / '--output': the name must end in .safetensors"),
        (
            ("--data", "x", "--objective", "half-asleep"),
            "invalid value for '--objective': half-asleep trains the encoder alone; put elbo or wake-sleep before it",
        ),
        (
            ("--data", "x", "--objective", "elbo,nap"),
            f"invalid value for '--objective': 'nap' is none of {', '.join(train.OBJECTIVES)}",
        ),
        *(
            (
                ("--data", "x", "--objective", f"elbo,{wrong}"),
                f"invalid value for '--objective': '{wrong}' is not of the form {form}",
            )
            for wrong, form in (
                ("half-asleep:2", "half-asleep:α, each above 0 and at most 1"),
                ("half-asleep:0.5:0.4", "half-asleep:α, each above 0 and at most 1"),
                ("denoising:0.5:", "denoising:α:σ, each above 0 and at most 1"),
                ("denoising:nan", "denoising:α:σ, each above 0 and at most 1"),
                ("sleep:0.5", "sleep, with no numbers"),
            )
        ),
        (
            ("--data", "x", "--objective", "elbo,sleep", "--epochs", "5"),
            "--epochs must give 2 numbers, one for each objective",
        ),
        (
            ("--data", "x", "--epochs", "5,0"),
            "invalid value for '--epochs': give whole numbers above 0, such as 50,10",
        ),
        *(
            (("--data", "x", option, number), f"invalid value for '{option}': give a finite number, not {number}")
            for option, number in (("--learning-rate", "nan"), ("--learning-rate", "inf"), ("--valid", "nan"))
        ),
    ],
)
def test_usage(run, arguments, said):
    status, out, err = run("train", *arguments)
    assert (status, out, err) == (2, "", wrong(said, "train"))


# Parts


def test_objectives_are_those_of_the_library():
    assert {name: o.encoder_only for name, o in objectives.OBJECTIVES.items()} == train.OBJECTIVES
    letters = {"alpha": "α", "sigma": "σ"}
    found = {name: [letters[n] for n in objectives.numbers(o.loss)] for name, o in objectives.OBJECTIVES.items()}
    assert {name: ":".join(given) for name, given in found.items() if given} == train.NUMBERS


def test_a_codec_that_is_not_installed_is_named(run, digits, monkeypatch):
    monkeypatch.setattr(peers, "_module", lambda name: None)
    lines = run("train", "--data", digits, *ONE_EPOCH).out.splitlines()[:-1]
    assert lines[-1] == (f"JPEG XL effort 7 is left out: imagecodecs is not installed; {INSTALL}")
    assert lines[-2].startswith("WebP lossless")


def test_a_codec_that_cannot_hold_a_picture_is_named():
    wide = Picture("L", np.arange(1 << 14, dtype=np.uint8).reshape(1, -1, 1))
    finished = Finished({}, [("wide", wide)], 100)
    lines = list(gains.lines(finished, target=Path("x"), shipped=None, threads=1, console=Console(quiet=True)))
    assert lines[-1] == "WebP lossless is left out: WebP holds no pictures of more than 16,383 pixels a side"
    assert [line.split("  ")[0] for line in lines[1:-1]] == ["vaezip", "PNG", "JPEG XL effort 7"]


def test_stages_of_one_name(run, digits):
    """Each has a state and a log of its own, and goes on in it."""
    arguments = ("train", "--data", digits, *TINY, "--objective", "elbo,half-asleep,half-asleep", "--epochs", "1,2,3")
    assert run(*arguments, "-q") == (0, "", "")
    logs = {name: rates(f"digits.training/{name}.jsonl") for name in ("1-elbo", "2-half-asleep", "3-half-asleep")}
    assert [len(log) for log in logs.values()] == [1, 2, 3]
    whole = model_file.fingerprint(Path("digits.safetensors"))
    Path("digits.training/3-half-asleep.pt").unlink()
    assert run(*arguments, "-q", "-f") == (0, "", "")
    assert {name: rates(f"digits.training/{name}.jsonl") for name in logs} == logs
    assert model_file.fingerprint(Path("digits.safetensors")) == whole


def test_progress_tells_the_time_that_is_left(monkeypatch):
    told, now = [], iter([0.0, 1.0, 2.0, 3.0, 4.0])

    class Terminal:
        shows_progress = True
        progress = told.append

    names = ("elbo", "sleep", "sleep")
    stages = tuple(Stage(name, None, epochs, 1e-3, batch=5) for name, epochs in zip(names, (2, 1, 3)))
    split = train_split(10)
    clock = train._Clock(Plan("x", None, stages), split, Terminal())
    monkeypatch.setattr(train.time, "monotonic", lambda: next(now))
    for step, epoch, stage in ((1, 1, 0), (2, 1, 0), (1, 1, 1), (5, 3, 2)):
        clock(stage, Progress(names[stage], epoch, step, 4, 1.25))
    clock(0, Progress("elbo", 1, 2, 4, 1.25, 1.5))  # the end of an epoch, of which a terminal has seen enough
    assert told == [
        "elbo, epoch 1 of 2, 1.250 bpd",
        "elbo, epoch 1 of 2, 1.250 bpd, 10 s left",
        "sleep, epoch 1 of 1, 1.250 bpd, 4 s left",
        "sleep, epoch 3 of 3, 1.250 bpd, 0 s left",
    ]


def train_split(count):
    from vaezip.training.data import Split

    return Split(np.zeros((count, 1, 1, 1), np.uint8), np.zeros((1, 1, 1, 1), np.uint8), [], (count, 1))


def test_pictures_of_the_shipped_kind(run, save):
    """Grey digits may have the network of the shipped model."""
    for i in range(4):
        save(f"grey/{i}.png", digit(i))
    assert run("train", "--data", "grey", "--arch", "mlp", *ONE_EPOCH, "-q") == (0, "", "")
    assert vaezip.load_model("grey.safetensors").architecture.tile == (28, 28)


# What it begins with, how long it takes, and whether it pays


SLOW_RATE = ("--epochs", "1", "--threads", "1", "--batch", "4")


def test_it_goes_on_from_the_shipped_model_that_suits_best(run, scraps):
    status, out, _ = run("train", "--data", scraps, *SLOW_RATE)
    lines = out.splitlines()
    assert (status, lines[1][:25]) == (0, "elbo for 1 epoch, from ph")
    name = lines[1].rsplit(" ", 1)[1]
    assert any(line.startswith(f"vaezip by {name} ") for line in lines)
    assert lines[-1].startswith(
        ("The training pays: ", "The training hardly pays: ", f"The training does not pay: {name}")
    )
    model = vaezip.load_model("scraps.safetensors")
    assert model.architecture == vaezip.load_model(model_file.find(name)).architecture
    settings = json.loads(Path("scraps.training/settings.json").read_text())
    assert settings["start"] == model_file.fingerprint(model_file.find(name)).hex()
    again = run("train", "--data", scraps, *SLOW_RATE, "-f").out.splitlines()
    assert again[2] == "going on in scraps.training"
    assert again[3].startswith("about 0 s; ")


def test_it_begins_with_the_model_that_is_named_or_with_none(run, scraps):
    assert run("train", "--data", scraps, "--start", "photo", *SLOW_RATE, "-o", "a.safetensors").out.splitlines()[
        1
    ] == ("elbo for 1 epoch, from photo")
    out = run("train", "--data", scraps, "--start", "a.safetensors", *SLOW_RATE, "-o", "b.safetensors").out
    assert out.splitlines()[1] == "elbo for 1 epoch, from a"
    out = run("train", "--data", scraps, "--start", "none", *SLOW_RATE, *LOCAL[:4], "-o", "c.safetensors").out
    assert out.splitlines()[1] == "elbo for 1 epoch"


@pytest.mark.parametrize("start", ["mnist", "photo-gray"])
def test_a_model_of_other_pictures_begins_nothing(run, scraps, start):
    assert refused(run, "--data", scraps, "--start", start, *SLOW_RATE) == (
        f"vaezip: scraps: model '{start}' cannot be begun with: it has networks of other sizes, or is for other "
        "pictures; use --start none, or another model\n"
    )


def test_networks_that_no_shipped_model_has_begin_with_nothing(run, scraps):
    assert run("train", "--data", scraps, *LOCAL, *SLOW_RATE).out.splitlines()[1] == "elbo for 1 epoch"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (
            100,
            "The training does not pay: photo, which comes with vaezip, takes 100 bytes of them, and this model 100. ",
        ),
        (998, "The training hardly pays: 0.2 % fewer bytes than by photo. "),
        (900, "The training pays: 10.0 % fewer bytes than by photo. The model itself takes 50,000 bytes where it is "),
    ],
)
def test_it_says_plainly_whether_it_pays(size, said):
    Path("x").write_bytes(bytes(50_000))
    beside = 100 if size == 100 else 1000
    assert gains.verdict("photo", beside=beside, size=size, target=Path("x")).startswith(said)


@posix
def test_an_interrupt_says_how_it_goes_on(start, scraps):
    process = start("train", "--data", scraps, "--epochs", "500", "--threads", "1", "--start", "none", *LOCAL[:4])
    while b"stopped at any moment" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    advice = f"vaezip: interrupted; the same command goes on after the last whole epoch, in {Path('scraps.training')}"
    assert err.decode().splitlines()[-1] == advice
