"""The picture of real samples beside the generated ones."""

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.runs import panel, tracking
from gan_framework.runs.tracker import RunInfo, Tracker
from tests.helpers.runs import make_run

SMALL = ("debug=smoke", "data.image_size=8", "metrics=[]", "tracker=[]", "sample.count=20")


class Recorder(Tracker):
    def __init__(self):
        self.pictures = []

    def start(self, run):
        pass

    def log(self, record):
        pass

    def image(self, name, path, record):
        self.pictures.append((name, path.name, record["step"]))


def show(run, folder):
    """Show the data and return the pictures that trackers were told of."""
    recorder = Recorder()
    run.trackers = tracking.Trackers({"recorder": recorder})
    run.trackers.start(RunInfo(folder, {}))
    panel.show_data(run)
    run.trackers.finish({})
    return recorder.pictures


def test_real_images_are_laid_out_as_the_samples_are(compose, tmp_path):
    run = make_run(compose("model=mlp", *SMALL, "sample.columns=5"), tmp_path)
    assert show(run, tmp_path) == [("real", "real_0000000.png", 0)]
    drawn = np.asarray(Image.open(tmp_path / "samples" / "real_0000000.png").convert("L"))
    assert drawn.shape == (4 * 10 + 2, 5 * 10 + 2)
    first = run.batches.data.read(panel.chosen(run)[:1])[0, 0]
    shades = ((first + 1) * 127.5).round() if first.is_floating_point() else first
    assert np.array_equal(drawn[2:10, 2:10], shades.numpy().astype(np.uint8))


def test_each_is_of_the_class_of_the_sample_in_its_place(compose, tmp_path):
    run = make_run(compose("model=cgan_mlp", *SMALL), tmp_path)
    places = panel.chosen(run)
    assert torch.equal(run.batches.data.labels[places], run.grid.labels.cpu())
    assert len(set(places.tolist())) == 20  # two of each class, and not the same one twice
    show(run, tmp_path)
    assert Image.open(tmp_path / "samples" / "real_0000000.png").size == (10 * 10 + 2, 2 * 10 + 2)


def test_a_class_without_a_sample_and_fewer_samples_than_places_are_no_trouble(compose, tmp_path):
    run = make_run(compose("model=cgan_mlp", *SMALL), tmp_path)
    data = run.batches.data
    data.labels = torch.where(data.labels == 3, 4, data.labels)
    assert 3 not in data.labels[panel.chosen(run)] and 4 in data.labels[panel.chosen(run)]
    data.labels = None
    assert len(panel.chosen(run)) == 20


@pytest.mark.parametrize("experiment", ["mixture_2d", "gaussian_1d"])
def test_of_what_is_no_image_there_is_no_picture(compose, tmp_path, experiment):
    run = make_run(compose(f"experiment={experiment}", "debug=smoke", "metrics=[]", "tracker=[]"), tmp_path)
    assert show(run, tmp_path) == []
    assert not (tmp_path / "samples").exists()
