import pytest
import torch
from gan_framework.testing import PluginContract, check_plugin

from gan_framework_example.cppn import CPPN, grid


class TestContract(PluginContract):
    kind = "generators"
    name = "cppn"


@pytest.mark.parametrize(("size", "channels"), [(8, 3), (17, 1)])
def test_it_fits_any_size(size, channels):
    check_plugin("generators", "cppn", [f"data.image_size={size}", f"data.channels={channels}"])


def test_the_number_of_parameters_does_not_depend_on_the_size():
    small, large = (sum(p.numel() for p in CPPN(10, size, 1, 16, 2).parameters()) for size in (8, 64))
    assert small == large


def test_places_are_measured_from_the_centre():
    places = grid(3)
    assert places[1, 1].tolist() == [0, 0, 0]
    assert places[0, 2, :2].tolist() == [1, -1]
    assert torch.isclose(places[0, 2, 2], torch.tensor(2.0).sqrt())
