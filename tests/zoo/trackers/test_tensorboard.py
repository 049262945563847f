"""TensorBoard: what is written, read back from the events."""

import numpy as np
import pytest
from PIL import Image

from gan_framework.errors import ConfigError
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers


def play(folder, steps, resumed=False):
    trackers = build_trackers({"tensorboard": {"name": "tensorboard"}})
    trackers.start(RunInfo(folder, {}, resumed=resumed))
    for step in steps:
        trackers.log({"step": step, "metrics": {"train/generator/adversarial": 0.5 * step}})
    trackers.warn("mode_collapse: alike", {"step": steps[-1]})
    trackers.image("samples", folder / "grid.png", {"step": steps[-1]})
    trackers.finish({"status": "finished", "step": steps[-1], "best": {"metric": "fid", "value": 7.5}})


def test_scalars_images_and_the_summary_are_there_and_a_resumed_run_repeats_no_step(tmp_path, caplog):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    Image.fromarray(pixels).save(tmp_path / "grid.png")
    play(tmp_path, [0, 10, 20, 30])
    play(tmp_path, [20, 30, 40], resumed=True)
    assert caplog.text == ""

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    scalars = [(event.step, event.value) for event in events.Scalars("train/generator/adversarial")]
    assert scalars == [(0, 0.0), (10, 5.0), (20, 10.0), (30, 15.0), (40, 20.0)]
    image = events.Images("samples")[-1]
    assert (image.step, image.height, image.width) == (40, 4, 6)
    assert b"mode_collapse: alike" in events.Tensors("warnings/text_summary")[-1].tensor_proto.string_val[0]
    assert b"7.5" in events.Tensors("summary/text_summary")[-1].tensor_proto.string_val[0]


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr("gan_zoo.trackers.tensorboard.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'gan-framework\[tensorboard\]'"):
        build_trackers({"tensorboard": {"name": "tensorboard"}})
