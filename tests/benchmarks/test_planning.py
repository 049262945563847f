"""What the benchmarks of many runs plan."""

import everything
import fine_tuning
import gallery
import objectives
import pytest
import small_data
import systems
import techniques
from evidence.objective_rows import ROWS as OBJECTIVES
from evidence.small_data import ROWS as SMALL
from evidence.technique_rows import ROWS as TECHNIQUES
from evidence.technique_rows import START

from gan_framework.config.compose import compose


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(objectives, "LINE_DATA", tmp_path / "line.npz")
    monkeypatch.setattr(objectives, "OUTLIER_DATA", tmp_path / "outliers.npz")


def names(jobs):
    return [job.name for job in jobs]


def test_seed_0_of_all_techniques_comes_first_and_the_start_is_measured_second(tmp_path):
    planned = names(techniques.jobs(tmp_path / "r.csv", range(3)))
    assert planned[:3] == ["baseline, seed 0", f"{START}, seed 0", "baseline_layer_norm, seed 0"]
    assert len(planned) == 3 * len(TECHNIQUES) + 1 == len(set(planned))
    assert planned.index("baseline, seed 1") == len(TECHNIQUES) + 1


def test_a_technique_comes_with_its_control(tmp_path):
    assert names(techniques.jobs(tmp_path / "r.csv", [0], ["r1"])) == [
        "baseline_layer_norm, seed 0",
        f"{START}, seed 0",
        "r1, seed 0",
    ]


def test_what_has_a_line_is_not_planned(tmp_path):
    record = tmp_path / "r.csv"
    record.write_text("run,seed,status,fid_classifier,kid_classifier,cpu_seconds\nring,0,finished,1,2,3\n")
    assert names(objectives.jobs(record, [0, 1], ["ring", "grid"])) == ["grid, seed 0", "ring, seed 1", "grid, seed 1"]


def test_all_of_it_begins_with_three_seeds_and_ends_with_further_ones(monkeypatch, tmp_path):
    monkeypatch.setattr(everything, "DATA", tmp_path)
    (tmp_path / "few.npz").touch()
    monkeypatch.setattr(gallery, "missing", lambda: ["mlp"])
    planned = names(everything.plan(tmp_path / "out", None, tmp_path / "pictures"))
    per_seed = len(TECHNIQUES) + len(OBJECTIVES) + len(SMALL)
    assert planned.index("mlp") == 3 * per_seed + 1
    assert len(planned) == 5 * per_seed + 2
    assert all(name.endswith(", seed 0") for name in planned[: per_seed + 1])


def test_few_images_are_taken_class_by_class(tmp_path):
    images = {"b": [1, 2, 3], "a": [4, 5, 6]}
    assert small_data.cut(images, 1, 3) == {"a": [5, 6], "b": [2, 3]}


def test_a_system_comes_with_its_control(tmp_path):
    assert names(systems.jobs(tmp_path / "r.csv", [0], ["arda", "dann, features without bounds"])) == [
        "source alone, seed 0",
        "arda, seed 0",
        "dann, features without bounds, seed 0",
    ]
    assert {row.control for row in systems.ROWS.values() if isinstance(row.control, str)} < systems.ROWS.keys()


def test_what_is_fine_tuned_is_trained_first(monkeypatch, tmp_path):
    monkeypatch.setattr(fine_tuning, "TRAINED", tmp_path)
    planned = names(fine_tuning.jobs(tmp_path / "r.csv", [0, 1], ["from scratch", "both"]))
    assert planned == [
        *("trained, seed 0", "from scratch, seed 0", "both, seed 0"),
        *("trained, seed 1", "from scratch, seed 1", "both, seed 1"),
    ]
    assert names(fine_tuning.jobs(tmp_path / "r.csv", [0], ["from scratch"])) == ["from scratch, seed 0"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "job",
    [
        *(("techniques", name) for name in TECHNIQUES),
        *(("objectives", name) for name in OBJECTIVES),
        *(("small_data", name) for name in SMALL),
        *(("fine_tuning", name) for name in fine_tuning.ROWS),
        *(("systems", name) for name in systems.ROWS),
    ],
    ids=" ".join,
)
def test_every_run_can_be_composed(job, tmp_path):
    module, name = job
    modules = {module.__name__: module for module in (techniques, objectives, small_data, fine_tuning, systems)}
    (planned,) = modules[module].jobs(tmp_path / "r.csv", [0], [name])[-1:]
    assert compose([*planned.overrides])["seed"] == 0
