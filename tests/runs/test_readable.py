"""What a run writes of its settings can be read again, however many names its data bring."""

import pytest

from gan_framework.config import saved
from gan_framework.config.compose import compose
from gan_framework.errors import ConfigError
from gan_framework.runs import launch
from gan_framework.storage import plain
from gan_framework.storage.foreign import Damaged
from gan_framework.storage.layout import RunFolder

SMALL = [
    *("data.image_size=16", "networks.generator.width=8", "networks.discriminator.width=8", "evaluate.samples=0"),
    *("tracker=[]", "train.batch_size=8", "train.steps=1"),
]


@pytest.mark.parametrize("most, kept", [(10, [str(number) for number in range(10)]), (9, None)])
def test_the_names_of_very_many_classes_are_left_out(tmp_path, monkeypatch, most, kept):
    monkeypatch.setattr(launch, "MOST_CLASSES", most)
    launch.launch(compose(SMALL), tmp_path, SMALL)
    config = saved.read(RunFolder(tmp_path).config)
    assert config["data"].get("classes") == kept and config["data"]["num_classes"] == 10


def test_settings_that_could_not_be_read_again_are_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "YAML_BYTES", 500)
    with pytest.raises(ConfigError, match=r"could be read again: it holds .* bytes; up to 500 are read; most of it is"):
        launch.launch(compose(SMALL), tmp_path, SMALL)
    assert not RunFolder(tmp_path).config.exists()


def test_what_is_refused_when_it_is_read_is_refused_when_it_is_written():
    for text, says in (
        ("a: " + "x" * plain.YAML_BYTES, "up to 2,097,152 are read"),
        ("a: [" + "1," * 70_000 + "]", "more than 30,000 values"),
    ):
        with pytest.raises(Damaged, match=says):
            plain.require_readable(text)
    plain.require_readable("a: [" + "1," * 20_000 + "]")
