"""A pool of images that were generated before, shown to discriminators in the place of some of the newest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Meeting
from gan_zoo.ranges import require_not_negative


class ImagePool(nn.Module):
    """Gives back, for each new image, itself or an older one (Shrivastava et al. 2017; Zhu et al. 2017, section 4).

    Until it is full every new image is kept and returned; from then on a new image is returned, or with a probability
    of one half an older one, whose place it takes. It is a player's look-ahead, and it changes after an update alone:
    what was only measured leaves it as it was. The meeting is changed in place, so that what is reported and what
    adapts sees what the player saw. Chance follows from the step's seed.

    Args:
        size: the number of images kept; 0 returns all as they are.
        shapes: the shapes of generated images by the name of their pair.
    """

    def __init__(self, size: int, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        require_not_negative(pool=size)
        self.size = size
        for name, shape in shapes.items():
            self.register_buffer(f"images_{name}", torch.zeros(size, *shape))
            self.register_buffer(f"held_{name}", torch.zeros((), dtype=torch.int64))
        self._next: dict[str, Tensor] = {}

    def look(self, meeting: Meeting) -> Meeting:
        """Return the meeting with the images in it that the pool gives for those that were generated."""
        if not self.size:
            return meeting
        for name in meeting:
            if hasattr(self, f"images_{name}"):
                meeting[name] = meeting[name].detached()
                meeting[name].fake = self._exchange(name, meeting[name].fake)
        return meeting

    @torch.no_grad()
    def _exchange(self, name: str, new: Tensor) -> Tensor:
        stored, held = getattr(self, f"images_{name}").clone(), int(getattr(self, f"held_{name}"))
        given = []
        for image in new:
            if held < self.size:
                stored[held] = image
                held += 1
                given.append(image)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                given.append(stored[place].to(image.dtype, copy=True))
                stored[place] = image
            else:
                given.append(image)
        self._next |= {f"images_{name}": stored, f"held_{name}": torch.tensor(held, device=new.device)}
        return torch.stack(given)

    def forward(self) -> None:
        """Keep what the last look has put into it."""
        for name, value in self._next.items():
            getattr(self, name).copy_(value)
        self._next = {}
