"""Images of plain shapes with all that can be said of them, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.shapes import COLOURS, SHAPES, SIDE, Scenes, drawn, random_scenes

TEXT = "text"


class Drawn(NamedTuple):
    """Scenes as they are drawn.

    Attributes:
        scenes: what is in them.
        images: (N, 3, H, W) uint8.
        masks: each object's (N, K, H, W), bool.
        ground: the grey of the ground (N,) in [0, 1].
        brightness: of objects (N, K) in [0, 1].
    """

    scenes: Scenes
    images: Tensor
    masks: Tensor
    ground: Tensor
    brightness: Tensor


def layout(made: Drawn) -> Tensor:
    """Return one-hot maps (N, 4, H, W) float32: ground, circle, square, triangle."""
    of_shape = [(made.masks & (made.scenes.shape == s)[:, :, None, None]).any(1) for s in range(len(SHAPES))]
    return torch.stack([~made.masks.any(1), *of_shape], 1).float()


def depth(made: Drawn) -> Tensor:
    """Return how near pixels are (N, 1, H, W) uint8: a plane that comes nearer downwards, objects in front of it."""
    size = made.images.shape[-1]
    plane = torch.linspace(0.2, 0.6, size)[:, None].expand(size, size)
    height = torch.where(made.scenes.large, 0.35, 0.2)[:, :, None, None] * made.masks
    return ((plane + height.sum(1)) * 255).round().to(torch.uint8)[:, None]


EXTRAS: dict[str, Callable[[Drawn], Tensor]] = {
    "attributes": lambda made: made.scenes.attributes(),
    "caption": lambda made: made.scenes.captions(),
    "mask": lambda made: made.masks.any(1, keepdim=True).float(),
    "layout": layout,
    "box": lambda made: made.scenes.boxes(),
    "points": lambda made: made.scenes.points(),
    "depth": depth,
}
"""What comes with images, by name; `text` is beside these, because it needs random numbers."""


EDITS: dict[str, Callable[[Scenes], Scenes]] = {
    "shape": lambda scenes: scenes._replace(shape=(scenes.shape + 1) % len(SHAPES)),
    "colour": lambda scenes: scenes._replace(colour=(scenes.colour + 1) % len(COLOURS)),
    "large": lambda scenes: scenes._replace(large=~scenes.large),
}
"""What a scene becomes where an attribute of its object is changed: the next shape or colour, or the other size."""

ASKED = "asked"
"""The extra that holds the attributes of the changed image."""


class Edited(InMemory):
    """Images that know what they become where an attribute is changed."""

    def __init__(self, images: Tensor, labels: Tensor, extra: Mapping[str, Tensor], truth: Tensor) -> None:
        super().__init__(images, labels, extra)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the changed images (n, 3, H, W) uint8."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


class Shapes(DataSource):
    """Circles, squares and triangles of six colours and two sizes on a grey ground; the class is the first one's shape.

    What is drawn can be read back from the pixels by rules alone (`gan_zoo.shapes.read_scenes`). Objects are in the
    order of their colours. Their extras:

    - `attributes` (12 K,): the bits of each object, see `gan_zoo.shapes.BITS`, 0 where there is none;
    - `text` (64,): a fixed random projection of the attributes, with noise, in place of an encoder's sentence;
    - `caption` (9 K,) int64: a sentence for each object, indices into `gan_zoo.shapes.WORDS`;
    - `mask` (1, H, W): 1 where an object is; `layout` (4, H, W): one-hot ground and shapes;
    - `box` (4 K,): each object's least x and y and greatest, as shares of the image's sides;
    - `points` (5 K, 3): key points, the centre and four of the outline: x, y, and 1 where there is one;
    - `depth` (1, H, W) uint8: how near pixels are.

    With `edit` there is another image of each that differs in one attribute, which scores compare with (the truth of
    games that make images of images), and the extra `asked` with its attributes.

    Three combinations of shape and colour may be left out of the split `train`; `test` has all.

    Args:
        image_size: height and width in pixels, at least 16.
        channels: 3.
        num_classes: 3, the shapes.
        samples: images in the split `train`; `test` has a fifth.
        objects: the most objects in an image, 1 to 3.
        hold_out: whether `train` lacks yellow squares, cyan triangles and magenta circles.
        text_dim: the size of a text.
        text_noise: the deviation of a text's noise; the entries of the projection have deviation 1.
        extras: the names of those that are wanted; null for all.
        edit: the attribute that is changed in images to compare edits with: shape, colour or large, where there is one
            object; null for none.
    """

    mirrors = {"mask": True, "layout": True, "depth": True}  # noqa: RUF012 (declared by the base class)
    classes = SHAPES

    def __init__(
        self,
        image_size: int,
        channels: int | None,
        num_classes: int | None,
        samples: int,
        objects: int,
        hold_out: bool,
        text_dim: int,
        text_noise: float,
        extras: list[str] | None,
        edit: str | None = None,
    ) -> None:
        known_classes("shapes", num_classes, len(SHAPES))
        check_drawing("shapes", image_size, channels, samples)
        if not 1 <= objects <= 3:
            raise ConfigError(f"data.objects={objects} must be 1, 2 or 3")
        require_positive(text_dim=text_dim)
        require_not_negative(text_noise=text_noise)
        known = [*EXTRAS, TEXT]
        for name in extras or ():
            if name not in known:
                raise ConfigError(f"data.extras: {name!r} must be one of {', '.join(known)}")
        if edit is not None and (edit not in EDITS or objects != 1):
            raise ConfigError(
                f"data.edit={edit} must be {', '.join(EDITS)} or null, and null with data.objects above 1"
            )
        self.shape = DataShape((3, image_size, image_size), len(SHAPES))
        self.edit = edit
        self.samples, self.objects, self.hold_out = samples, objects, hold_out
        self.text_dim, self.text_noise = text_dim, text_noise
        self.extras = tuple(known if extras is None else extras)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("shapes", split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 5
        random = seeding.generator(0, "shapes", split)
        scenes = random_scenes(n, self.objects, split == "test" or not self.hold_out, random)
        made = in_random_light(scenes, self.shape.sample[1], random)
        extra = {name: make(made) for name, make in EXTRAS.items() if name in self.extras}
        if TEXT in self.extras:
            extra[TEXT] = self.texts(scenes.attributes(), random)
        if self.edit is None:
            return InMemory(made.images, scenes.shape[:, 0], extra)
        changed = EDITS[self.edit](scenes)
        extra[ASKED] = changed.attributes()
        truth, _ = drawn(changed, self.shape.sample[1], made.ground, made.brightness)
        return Edited(made.images, scenes.shape[:, 0], extra, truth)

    def texts(self, attributes: Tensor, random: torch.Generator | None = None) -> Tensor:
        """Return the texts (N, text_dim) of attributes (N, 12 K), without noise where there are no random numbers."""
        projection = torch.randn(attributes.shape[1], self.text_dim, generator=seeding.generator(0, "shapes", TEXT))
        text = attributes @ projection / 2.0  # of one object about five bits are set: the entries' deviation is near 1
        if random is None:
            return text
        return text + self.text_noise * torch.randn(text.shape, generator=random)


def in_random_light(scenes: Scenes, size: int, random: torch.Generator) -> Drawn:
    """Draw scenes on a dark ground of random grey, objects of random brightness."""
    ground = 0.05 + 0.2 * torch.rand(len(scenes.shape), generator=random)
    brightness = 0.8 + 0.2 * torch.rand(scenes.shape.shape, generator=random)
    return Drawn(scenes, *drawn(scenes, size, ground, brightness), ground, brightness)


def check_drawing(name: str, image_size: int, channels: int | None, samples: int) -> None:
    """Raise ConfigError for settings that no image of this kind can have."""
    if not isinstance(image_size, int) or image_size < SIDE // 2:
        raise ConfigError(f"data.image_size={image_size} must be a whole number, at least {SIDE // 2}")
    if channels not in (None, 3):
        raise ConfigError(f"data.channels={channels}: the images of {name} have 3 channels")
    if samples < 10:
        raise ConfigError(f"data.samples={samples} must be at least 10")
