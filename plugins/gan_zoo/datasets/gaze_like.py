"""Eyes that look in a known direction, drawn plainly and as a camera would see them."""

from __future__ import annotations

import torch

from gan_zoo.datasets.rendered import Rendered, Scenes, clouds, inside, places, uniform

WIDEST = 0.5
"""The greatest angle to either side, in radians."""

NOISE = 0.03
"""The deviation of the camera's noise: little, because a refiner has no randomness to make it of."""


class GazeLike(Rendered):
    """An ellipse (the eye) with a disc (the pupil) where it looks; `b` has it under a lid, with texture and noise.

    It stands for UnityEyes and MPIIGaze. The extra `angles` (2,), across and down, is given in `a` alone.
    """

    name = "gaze_like"
    extras = {"angles": (2,)}

    def render(self, n: int, random: torch.Generator) -> Scenes:
        """Return n eyes."""
        x, y = places(self.size)
        angles = WIDEST * (2 * torch.rand(n, 2, generator=random) - 1)
        across, down = (angle[:, None, None] for angle in torch.sin(angles).unbind(1))
        height = uniform(n, 0.45, 0.65, random)
        eye = inside((x / 0.85).square() + (y / height).square() - 1, 0.15)
        pupil = inside(((x - 0.9 * across).square() + (y - 0.9 * down).square()).sqrt() - 0.28, 0.04)
        plain = 0.35 + 0.6 * eye * (1 - 0.95 * pupil)
        lid = 0.25 * (1 - y) * uniform(n, 0.5, 1.0, random)
        texture = 0.3 * (clouds(n, self.size, 6, random)[:, 0] - 0.5)
        noise = NOISE * torch.randn(n, self.size, self.size, generator=random)
        real = 0.75 * plain * (1 - lid) + texture * (1 - 0.7 * eye) + noise
        return Scenes(plain[:, None], real[:, None], {"angles": angles})
