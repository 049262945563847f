"""What several processes cannot do together."""

import pytest
import torch

from gan_framework.config.schema import EvaluateConfig, TrainConfig
from gan_framework.errors import ConfigError
from gan_framework.runs.device import check_processes


@pytest.mark.parametrize(
    ("world", "batch_size", "parts", "instead"), [(2, 10, 2, 8), (2, 8, 8, 16), (4, 24, 4, 16), (3, 6, 6, 18)]
)
def test_the_parts_of_a_process_s_share_are_of_one_size(monkeypatch, world, batch_size, parts, instead):
    """Of 5 samples in parts of 2, 2 and 1, each a third of the gradient, the last would count twice."""
    monkeypatch.setenv("WORLD_SIZE", str(world))
    settings = [TrainConfig(batch_size=size, accumulate=parts) for size in (batch_size, instead)]
    with pytest.raises(
        ConfigError, match=f"train.accumulate={parts} does not divide the .*train.batch_size={instead}$"
    ) as said:
        check_processes(settings[0], EvaluateConfig(), torch.device("cpu"))
    assert f"each of {world} processes has" in str(said.value)
    check_processes(settings[1], EvaluateConfig(), torch.device("cpu"))
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_processes(settings[0], EvaluateConfig(), torch.device("cpu"))
