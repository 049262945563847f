"""Names that are proposed are near to what was typed; a common ending brings no two together."""

import pytest

from gan_framework.registry.near import near

NAMES = (
    "dcgan",
    "timegan",
    "aegan",
    "simgan",
    "cyclegan",
    "stylegan2",
    "stylegan2_ada",
    "projected_gan",
    "wasserstein",
)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("animegan", []),
        ("gan", []),
        ("qwertz", []),
        ("", []),
        ("cylcegan", ["cyclegan"]),
        *((slip, ["dcgan"]) for slip in ("dcgna", "dcga", "dcgann", "dxgan")),
        ("cyclegna", ["cyclegan"]),
        ("CycleGAN", ["cyclegan"]),
        ("stylegan5", ["stylegan2", "stylegan2_ada"]),
        ("projected", ["projected_gan"]),
        ("wasserstien", ["wasserstein"]),
        ("ada", ["stylegan2_ada"]),
    ],
)
def test_names_that_are_near(typed, found):
    assert near(typed, NAMES) == found


def test_no_more_than_three_the_nearest_first():
    assert near("width", ["widths", "width_of", "of_width", "with_width", "depth"]) == [
        "widths",
        "width_of",
        "of_width",
    ]
