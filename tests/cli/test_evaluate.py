import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gan_framework.cli.commands import app
from gan_framework.cli.evaluate import evaluate
from gan_framework.cli.evaluate_history import history
from gan_framework.data import build_source, identity
from gan_framework.errors import ConfigError
from gan_framework.evaluation.classes import class_numbers
from gan_framework.runs import checkpoint
from tests.data.making import encoded, picture, write

SMALL = ["data.image_size=16", "extractor=raw", "metrics=[fid,kid]", "metrics.kid.subsets=2", "evaluate.samples=300"]


def save_untrained(config, folder):
    """Make a folder that of a run, with the checkpoint of an untrained model."""
    from gan_framework.build import build_game

    shape = build_source(config["data"]).shape
    game = build_game(config, shape, torch.device("cpu"))
    state = {"config": config, "shape": shape.plain(), "game": game.state_dict(), "clock": {"step": 0}, "batches": 0}
    checkpoint.save(folder / "checkpoints" / "step_0000001.pt", state)
    return folder


@pytest.fixture(scope="module")
def run(compose, cache, tmp_path_factory):
    """The folder of a run whose model is not conditional."""
    config = compose("debug=smoke", "model=mlp", "strategy=[ema]", "evaluate.best=fid_raw", *SMALL)
    return save_untrained(config, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def conditional_run(compose, cache, tmp_path_factory):
    """The folder of a run whose model is asked for one of ten classes."""
    return save_untrained(compose("debug=smoke", "model=cgan_mlp", *SMALL), tmp_path_factory.mktemp("conditional"))


@pytest.fixture(scope="module")
def images(cache, tmp_path_factory):
    """The training images of the digits as PNG files in subfolders."""
    from gan_framework.registry import registry

    digits = registry.build("datasets", {"name": "digits", "image_size": 16, "channels": 1, "num_classes": 10})
    data = digits.load("train")
    folder = tmp_path_factory.mktemp("images")
    for number, (image, label) in enumerate(zip(data.samples, data.labels, strict=True)):
        (folder / str(int(label))).mkdir(exist_ok=True)
        Image.fromarray(image[0].contiguous().numpy()).save(folder / str(int(label)) / f"{number:05d}.png")
    return folder


def read(path):
    return json.loads(path.read_text())


def test_a_run_is_scored_as_it_was_configured(run):
    evaluation, out = evaluate(run, [])
    assert out == run / "evaluation.json"
    content = read(out)
    assert content["scores"] == evaluation.scores
    assert set(content["scores"]) == {"fid_raw", "kid_raw", "kid_std_raw"}
    assert content["protocol"]["samples"] == 300
    assert content["protocol"]["dataset"] == "digits"
    assert content["protocol"]["ema"] is True
    assert content["updates"] == {"discriminator": 0, "generator": 0}


def test_a_checkpoint_with_overrides(run, tmp_path):
    overrides = [
        "metrics=[kid,inception_score]",
        "metrics.kid.subset_size=50",
        "extractor=classifier",
        "extractor.epochs=1",
        "evaluate.samples=60",
        "evaluate.seeds=2",
        "evaluate.split=test",
        "evaluate.ema=false",
        "evaluate.truncation=0.9",
        "train.device=cpu",
    ]
    evaluation, out = evaluate(run / "checkpoints" / "step_0000001.pt", overrides, tmp_path / "scores.json")
    content = read(out)
    assert {"kid_classifier", "is_classifier"} < set(content["scores"])
    assert set(content["deviations"]) == set(content["scores"])
    protocol = content["protocol"]
    assert protocol["metrics"]["kid_classifier"] == {"subsets": 100, "subset_size": 50}
    assert (protocol["split"], protocol["ema"], protocol["truncation"]) == ("test", False, 0.9)
    assert protocol["sample_seeds"] == [0, 1]
    assert content["overrides"] == overrides


def test_settings_of_what_the_run_chose_can_be_changed_without_choosing_it_again(run, tmp_path):
    evaluation, _ = evaluate(run, ["metrics.kid.subset_size=50"], tmp_path / "a.json")
    assert evaluation.protocol["metrics"]["kid_raw"] == {"subsets": 2, "subset_size": 50}


def test_a_folder_of_images_against_itself(images):
    overrides = ["data=digits", *SMALL[:4], "evaluate.batch_size=500"]
    evaluation, out = evaluate(images, overrides)
    assert out == images / "evaluation.json"
    assert evaluation.scores["fid_raw"] == pytest.approx(0, abs=1e-5)
    assert evaluation.protocol["samples"] == 1442
    assert "sample_seeds" not in evaluation.protocol


def test_pictures_are_written_beside_the_scores(run, tmp_path):
    evaluate(run, ["metrics=[memorisation]", "metrics.memorisation.rows=3"], tmp_path / "scores.json")
    with Image.open(tmp_path / "scores_memorisation.png") as picture:
        assert picture.size == (8 * 18 + 2, 3 * 18 + 2)


def test_pictures_in_a_folder_of_images_are_not_scored_with_it(tmp_path, cache):
    write(tmp_path, {f"{number}.png": encoded(picture(number, (16, 16), "L")) for number in range(4)})
    overrides = ["data=digits", "data.image_size=16", "extractor=raw", "metrics=[memorisation]"]
    overrides.append("metrics.memorisation.rows=2")
    first, _ = evaluate(tmp_path, overrides)
    assert (tmp_path / "evaluation_memorisation.png").exists()
    second, _ = evaluate(tmp_path, overrides)
    assert (second.scores, second.protocol) == (first.scores, first.protocol)


def test_what_is_not_scored_is_said_with_the_scores(tmp_path, cache):
    files = {f"{number}.png": encoded(picture(number, (16, 16), "L")) for number in range(4)}
    write(tmp_path, {**files, "a.heic": b"", "b.heic": b""})
    overrides = ["data=digits", "data.image_size=16", "extractor=raw", "metrics=[fid]"]
    for _ in range(2):  # the scores of the first time are no file to speak of
        evaluation, out = evaluate(tmp_path, overrides)
        assert "left out 2 files that are not images: 2 .heic" in evaluation.warnings == read(out)["warnings"]


@pytest.mark.parametrize("metric", ["cluster_accuracy", "mutual_information", "class_accuracy"])
def test_metrics_of_a_model_are_refused_for_a_folder_of_images(images, metric):
    # The images are of another size than the data, which would be found as soon as one is read.
    overrides = ["data=digits", "extractor=raw", f"metrics=[fid,{metric}]"]
    with pytest.raises(ConfigError, match=f"metrics.{metric}: this needs a model, and .* is a folder of images"):
        evaluate(images, overrides)


@pytest.mark.parametrize(
    ("names", "labels"),
    [(["a/0.png", "a/1.png", "b/2.png", "b/3.png"], "2 classes"), (["0.png", "1.png", "2.png"], "no labels")],
)
def test_a_conditional_model_needs_data_with_its_labels(run, conditional_run, names, labels, tmp_path):
    write(tmp_path / "data", dict.fromkeys(names, encoded(picture(0, (16, 16), "L"))))
    overrides = ["data=folder", f"data.path={tmp_path / 'data'}", "data.image_size=16", "data.channels=1"]
    overrides += ["extractor=raw", "metrics=[fid]", "evaluate.samples=10"]
    with pytest.raises(ConfigError, match=f"is conditional on 10 classes, and data=folder has {labels}"):
        evaluate(conditional_run, overrides, tmp_path / "a.json")
    evaluate(run, overrides, tmp_path / "a.json")


def test_images_of_8_bits_are_not_compared_with_numbers_of_another_scale(run, images, tmp_path):
    """Pixels are seen in [-1, 1], where the same images as numbers in [0, 1] would be half as far apart."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 1, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "numbers.npz", x=(pixels / 255).astype(np.float32))
    np.savez(tmp_path / "pixels.npz", x=pixels)
    given = ["data=npz", "data.y=null", "extractor=raw", "metrics=[fid]", "evaluate.baselines=false"]
    for what in (run, images):
        chosen = [] if what is images else ["evaluate.samples=10"]
        said = f"the (samples|images) of {what} are of 8 bits, and those of data=npz floating-point numbers"
        with pytest.raises(ConfigError, match=said):
            evaluate(what, [*given, *chosen, f"data.path={tmp_path / 'numbers.npz'}"], tmp_path / "a.json")
    evaluate(run, [*given, "evaluate.samples=10", f"data.path={tmp_path / 'pixels.npz'}"], tmp_path / "a.json")


WRONG = [
    (["train.steps=5"], "train.steps.*data, extractor, metrics, sampler, evaluate, train.device"),
    (["evaluate.every=5"], "evaluate.every=5 has no effect on an evaluation: it says when"),
    (["evaluate.best=fid_raw"], "evaluate.best=fid_raw has no effect on an evaluation: it says by which score"),
    (["evaluate.sample=5"], "evaluate.sample: unknown setting"),
    (["evaluate.samples=many"], "evaluate.samples=many"),
    (["evaluate.split=dev"], "dev"),
    (["extractor=incepsion"], "extractor=incepsion.*inception"),
    (["metrics.prc.neighbours=5"], "prc.*choose it first"),
    (["+evaluate.new=1"], "plain overrides"),
    (["evaluate.seed=1,2"], "plain overrides"),
    (["metrics=fid,kid"], r"a list is written 'metrics=\[fid,kid\]'"),
    (["samples=50"], "samples cannot be overridden for an evaluation; did you mean evaluate.samples=50"),
    (["train.steps=5"], "train.steps cannot be overridden for an evaluation, only data"),
    (["evaluate"], "evaluate"),
    (["evaluate.batch_norm=batch"], "no batch norm"),
    (
        ["data=digits", "data.image_size=32"],
        r"\(1, 16, 16\).*\(1, 32, 32\); bring them to it with data.image_size=16$",
    ),
    (["data=digits", "data.channels=3"], r"\(3, 32, 32\); bring them to it with data.channels=1 data.image_size=16$"),
    (["data=cross_2d"], r"\(2,\)$"),
    (["metrics=[inception_score]"], "inception_score.*raw"),
]


@pytest.mark.parametrize(("overrides", "said"), WRONG, ids=[" ".join(overrides) for overrides, _ in WRONG])
def test_wrong_overrides(run, overrides, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        evaluate(run, overrides, tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()


def test_wrong_folders(run, images, tmp_path):
    with pytest.raises(ConfigError, match="no run, checkpoint or folder"):
        evaluate(tmp_path / "nowhere", [])
    with pytest.raises(ConfigError, match="at least two images: it holds 0"):
        evaluate(tmp_path, ["data=digits"])
    with pytest.raises(ConfigError, match="data=NAME"):
        evaluate(images, [])
    with pytest.raises(ConfigError, match="evaluate.truncation has no effect"):
        evaluate(images, ["data=digits", "evaluate.truncation=1"])
    with pytest.raises(ConfigError, match="16x16.*32x32.*data.image_size"):
        evaluate(images, ["data=digits", "extractor=raw", "metrics=[fid]"])


def test_an_unreadable_image_is_named(tmp_path, cache):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(ConfigError, match="a.png cannot be read"):
        evaluate(tmp_path, ["data=digits", "extractor=raw", "metrics=[fid]"])


def test_the_command_prints_a_table(run, tmp_path):
    arguments = ["evaluate", str(run), "evaluate.seeds=2", "evaluate.samples=20", "--out", str(tmp_path / "a.json")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "fid_raw" in result.output
    assert "± over seeds" in result.output
    text = " ".join(result.output.split())
    assert "fid_raw ↓" in text
    assert "warning: fid: N=20 <= d=" in text
    assert "held-out: 20 real samples of the test split; noise: 20 samples uniform in [-1, 1]" in text
    written = read(tmp_path / "a.json")
    assert written["protocol"]["sample_seeds"] == [0, 1]
    assert written["baselines"].keys() == written["scores"].keys()
    beside = written["baselines"]["fid_raw"]
    assert 0 < beside["real"] < written["scores"]["fid_raw"] and beside["real"] < beside["noise"]


def test_baselines_are_left_out_if_asked(run, tmp_path):
    arguments = [
        "evaluate",
        str(run),
        "evaluate.samples=20",
        "evaluate.baselines=false",
        "--out",
        str(tmp_path / "a.json"),
    ]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "noise" not in result.output
    assert read(tmp_path / "a.json")["baselines"] == {}


def test_paths_and_warnings_are_printed_as_they_are(run, tmp_path):
    out = tmp_path / "a[ema]" / "[" / "b] :smile:.json"
    result = CliRunner().invoke(app, ["evaluate", str(run), "evaluate.samples=20", "--out", str(out)])
    assert result.exit_code == 0, result.exception
    assert str(out) in result.output


def test_a_folder_is_no_file_to_write_to(run, tmp_path):
    result = CliRunner().invoke(app, ["evaluate", str(run), "--out", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert f"--out {tmp_path} is an existing folder: name a file" in str(result.exception)


@pytest.fixture
def fruits(tmp_path):
    """A folder of two classes of ten images each."""
    content = {f"{kind}/{i}.png": encoded(picture(i, (16, 16))) for kind in ("apple", "berry") for i in range(10)}
    return write(tmp_path / "fruits", content)


def of_fruits(fruits, compose, folder, model):
    """Make the run of a model for these classes, as `launch` leaves one."""
    settings = ["data=folder", f"data.path={fruits}", "data.test_share=0", "data.channels=3"]
    config = compose("debug=smoke", f"model={model}", *settings, "data.num_classes=2", *SMALL)
    config["data"]["classes"] = ["apple", "berry"]
    run = save_untrained(config, folder)
    path = run / "checkpoints" / "step_0000001.pt"
    data = {"": identity(build_source(config["data"]).load("train"))}
    checkpoint.save(path, {**checkpoint.load(path), "data": data})
    return run


def test_classes_of_other_names_are_refused_where_the_model_is_asked_for_them(fruits, compose, cache, tmp_path):
    conditional = of_fruits(fruits, compose, tmp_path / "conditional", "cgan_mlp")
    free = of_fruits(fruits, compose, tmp_path / "free", "mlp")
    (fruits / "apple").rename(fruits / "cherry")
    for overrides in ([], ["data=folder", f"data.path={fruits}", "data.image_size=16", "extractor=raw"]):
        with pytest.raises(ConfigError, match=r"are \[apple, berry\], and the data have \[berry, cherry\]"):
            evaluate(conditional, overrides)
    evaluate(free, [])  # which class an image is of does not matter here
    more = write(
        fruits.parent / "more", {f"{kind}/{i}.png": encoded(picture(i, (16, 16))) for kind in "abc" for i in range(3)}
    )
    evaluate(free, [f"data.path={more}"])  # nor of how many


def test_data_that_are_others_than_those_trained_on_are_named(fruits, compose, cache, tmp_path):
    run = of_fruits(fruits, compose, tmp_path / "run", "mlp")
    said = "scored against other data than the model was trained on: data: 20 training samples then, "
    assert not [warning for warning in evaluate(run, [])[0].warnings if said in warning]
    (fruits / "apple" / "0.png").unlink()
    (warning,) = [warning for warning in evaluate(run, [])[0].warnings if said in warning]
    assert warning.startswith(f"{said}19 now (content ")
    ((_, found),) = history(run, [])[0]
    assert warning in found.warnings


def test_classes_are_drawn_by_name(fruits, compose, cache, tmp_path):
    run = of_fruits(fruits, compose, tmp_path / "run", "cgan_mlp")
    for classes, code in (("berry,apple", 0), ("1", 0), ("cherry", 2), ("2", 2)):
        result = CliRunner().invoke(app, ["sample", str(run), "--classes", classes, "--n", "4"])
        assert getattr(result.exception, "exit_code", 0) == code, (classes, result.output)


@pytest.mark.parametrize(
    ("names", "wanted", "numbers"),
    [
        (["apple", "berry"], ["berry", "apple", "0"], [1, 0, 0]),
        (["1", "10", "2"], ["2", "10"], [2, 1]),
        ([], ["3", "1"], [3, 1]),
    ],
)
def test_a_name_comes_before_a_number(names, wanted, numbers):
    assert class_numbers(wanted, names) == numbers


@pytest.mark.parametrize(("names", "wanted"), [(["1", "10", "2"], "0"), (["apple"], "1"), ([], "apple"), ([], "")])
def test_a_class_that_there_is_not_is_named(names, wanted):
    with pytest.raises(ConfigError, match=f"there is no class {wanted}"):
        class_numbers([wanted], names)
