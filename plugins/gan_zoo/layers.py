"""Small pieces that several networks share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.ranges import require_above_zero

ImageSize = int | tuple[int, int]
"""The setting `image_size` of a network: of square images, or height and width."""

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Projection(nn.ConvTranspose2d):
    """A transposed convolution without bias of a single pixel: a matrix product, and many times as fast as one."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, inputs, 1, 1) to (N, outputs, size, size), in the layout that the weights have."""
        last = not self.weight.is_contiguous()
        weight = self.weight.permute(0, 2, 3, 1) if last else self.weight
        maps: Tensor = torch.mm(x.flatten(1), weight.flatten(1)).unflatten(1, weight.shape[1:])
        return maps.permute(0, 3, 1, 2) if last else maps


class SigmoidImage(nn.Module):
    """A sigmoid rescaled to [-1, 1] by 2x - 1, for networks that were published with pixels in [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """Map logits of any shape to [-1, 1]."""
        # The same function, in half the operations.
        return torch.tanh(0.5 * x)


OUTPUTS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "sigmoid": SigmoidImage,
    "linear": nn.Identity,
}


class UnitPixels(nn.Module):
    """Rescales [-1, 1] to [0, 1], for discriminators that were published with such pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Map images of any shape from [-1, 1] to [0, 1]."""
        return (x + 1).mul_(0.5)


PIXELS: dict[str, Callable[[], nn.Module]] = {
    "unit": UnitPixels,
    "symmetric": nn.Identity,
}
"""What a discriminator does first with pixels in [-1, 1]."""


class PlainEmbedding(nn.Embedding):
    """Vectors of classes that are no weights of a layer (gains of a norm), so that spectral norm leaves them alone."""


def choose(options: dict[str, Callable[[], nn.Module]], setting: str, value: str) -> nn.Module:
    """Make the layer that a setting names.

    Raises:
        ValueError: there is no such layer.
    """
    if value not in options:
        raise ValueError(f"{setting}={value!r}: choose one of {', '.join(options)}")
    return options[value]()


def sides(image_size: ImageSize) -> tuple[int, int]:
    """Return the height and width that a setting `image_size` says."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return height, width


def sample_shape(channels: int, image_size: ImageSize | None) -> tuple[int, ...]:
    """Return (C, H, W) for images, or (channels,) for vectors, which have no image size."""
    return (channels, *sides(image_size)) if image_size else (channels,)


def one_hot(labels: Tensor, num_classes: int) -> Tensor:
    """Return class indices (N,) as float vectors (N, num_classes)."""
    return F.one_hot(labels, num_classes).float()


class Maxout(nn.Module):
    """The largest of several linear functions for every unit (Goodfellow et al. 2013, arXiv 1302.4389, section 3).

    Args:
        inputs: the size of the input.
        units: the size of the output.
        pieces: linear functions per unit.
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(inputs, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs) to (N, units)."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)  # type: ignore[no-any-return]


def given(labels: Tensor | None) -> Tensor:
    """Return the labels of a conditional network.

    Raises:
        ValueError: there are none.
    """
    if labels is None:
        raise ValueError("a conditional network was given no labels")
    return labels


def as_weights(x: Tensor, network: nn.Module) -> Tensor:
    """Return x, of any shape, in the precision of a network's weights, which is asked outside of a game's autocast."""
    return x.to(next(network.parameters()).dtype)


def class_vectors(labels: Tensor | None, num_classes: int, dtype: torch.dtype) -> Tensor:
    """Return class indices (N,) as one-hot vectors (N, num_classes) of a type.

    Raises:
        ValueError: there are no labels.
    """
    return one_hot(given(labels), num_classes).to(dtype)


def with_labels(x: Tensor, labels: Tensor | None, num_classes: int) -> Tensor:
    """Concatenate one-hot labels to flat inputs (N, D), giving (N, D + num_classes).

    Raises:
        ValueError: there are no labels to concatenate.
    """
    return torch.cat([x, class_vectors(labels, num_classes, x.dtype)], dim=1)


def activations(layers: Iterable[nn.Module], x: Tensor) -> tuple[Tensor, ...]:
    """Return what each of the layers, one after another, makes of samples or maps x (N, ...)."""
    found = []
    for layer in layers:
        x = layer(x)
        found.append(x)
    return tuple(found)


def init_normal(module: nn.Module, std: float) -> None:
    """Draw all convolution and linear weights from N(0, std), batch-norm scales from N(1, std); biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)


def init_truncated_normal(module: nn.Module, std: float, bias: float | None = 0.0) -> None:
    """Draw convolution and linear weights from N(0, std) cut off at two deviations; biases too, or they are set.

    Args:
        module: what is initialised.
        std: the deviation of what is cut off.
        bias: the value of all biases; None draws them from the distribution of the weights.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, 0.0, std, -2 * std, 2 * std)
            if layer.bias is None:
                continue
            if bias is None:
                nn.init.trunc_normal_(layer.bias, 0.0, std, -2 * std, 2 * std)
            else:
                nn.init.constant_(layer.bias, bias)


def init_within(module: nn.Module, bound: float | None) -> None:
    """Draw convolution and linear weights uniformly from [-bound, bound], biases 0; None leaves them as they are.

    Raises:
        ValueError: the bound is not positive.
    """
    if bound is None:
        return
    require_above_zero(init_range=bound)
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.uniform_(layer.weight, -bound, bound)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


INITS: dict[str, Callable[[Tensor], Tensor]] = {
    "he": nn.init.kaiming_normal_,
    "xavier": nn.init.xavier_uniform_,
}


def init_scaled(module: nn.Module, scheme: str) -> None:
    """Draw weights scaled by the layers' sizes, biases 0: `he` (normal, std sqrt(2/in)) or `xavier` (uniform).

    What goes in and out of a convolution is its channels times its kernel's entries.

    Raises:
        ValueError: there is no such scheme.
    """
    if scheme not in INITS:
        raise ValueError(f"init={scheme!r}: choose one of {', '.join(INITS)}")
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            # The weights of a transposed convolution are (in, out, ...), those of the others (out, in, ...).
            transposed = isinstance(layer, nn.ConvTranspose2d)
            INITS[scheme](layer.weight.transpose(0, 1) if transposed else layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_weights(module: nn.Module, init: str, std: float, bias: float = 0.0) -> None:
    """Draw weights as a setting `init` says.

    Args:
        module: what is initialised.
        init: `normal` or `truncated_normal` with the deviation `std`; `uniform` from -`std` to `std`; `he` or `xavier`
            scale with the layers' sizes.
        std: see `init`.
        bias: where biases start with `truncated_normal`; with the others at 0.

    Raises:
        ValueError: there is no such scheme.
    """
    if init == "normal":
        init_normal(module, std)
    elif init == "truncated_normal":
        init_truncated_normal(module, std, bias)
    elif init == "uniform":
        require_above_zero(init_std=std)
        init_within(module, std)
    elif init in INITS:
        init_scaled(module, init)
    else:
        raise ValueError(f"init={init!r}: choose one of normal, truncated_normal, uniform, {', '.join(INITS)}")


def in_order(norm: nn.Module, activation: nn.Module, norm_position: str) -> tuple[nn.Module, nn.Module]:
    """Return a norm and an activation in the order in which they run.

    Raises:
        ValueError: the norm is to stand neither `before` nor `after` the activation.
    """
    orders = {"before": (norm, activation), "after": (activation, norm)}
    if norm_position not in orders:
        raise ValueError(f"norm_position={norm_position!r}: choose before or after (the activation)")
    return orders[norm_position]


MOST_DOUBLINGS = 7
"""Maps whose channels double towards the first are doubled no more often: 2^6 times as many are plenty."""


def doublings(image_size: ImageSize, most: int | None = MOST_DOUBLINGS) -> tuple[tuple[int, int], int]:
    """Return the height and width of the first map, and how often it is doubled to become an image.

    The smaller side of the first map is from 4 to 7 pixels: 4x4 for images of 16, 32, 64, 128 and 256 pixels, 7x7 for
    28, 5x9 for 20x36. What is no multiple of the power of two is rounded up, and the image cropped (see `cropped`).

    Args:
        image_size: of square images, or height and width.
        most: doublings, beyond which the first map is larger; None where channels have a bound of their own.

    Raises:
        ValueError: a side has less than 8 pixels.
    """
    height, width = sides(image_size)
    if min(height, width) < 8:
        raise ValueError(f"image_size={_shown(image_size)}: the sizes that fit have at least 8 pixels on each side")
    n = int(math.log2(min(height, width) / 4))
    n = n if most is None else min(n, most)
    return (-(-height // 2**n), -(-width // 2**n)), n


def halved(image_size: ImageSize, times: int) -> int:
    """Return the number of positions of a map that has been halved a number of times, odd sides rounded down.

    Raises:
        ValueError: nothing is left.
    """
    height, width = sides(image_size)
    if min(height, width) < 2**times:
        raise ValueError(
            f"image_size={_shown(image_size)}: the sizes that fit have at least {2**times} pixels on each side, to be "
            f"halved {times} times"
        )
    return (height >> times) * (width >> times)


def cropped(images: Tensor, image_size: ImageSize) -> Tensor:
    """Return the centre (N, C, H, W) of images that are at least as large as a setting `image_size` says."""
    height, width = sides(image_size)
    down, across = images.shape[2] - height, images.shape[3] - width
    if not (down or across):
        return images
    return images[:, :, down // 2 : down // 2 + height, across // 2 : across // 2 + width]


def padded(images: Tensor, whole_size: tuple[int, int]) -> Tensor:
    """Return images (N, C, H, W) with zeros around them, of a height and width that are at least theirs."""
    down, across = whole_size[0] - images.shape[2], whole_size[1] - images.shape[3]
    if not (down or across):
        return images
    return F.pad(images, (across // 2, across - across // 2, down // 2, down - down // 2))


def _shown(image_size: ImageSize) -> str:
    return str(image_size) if isinstance(image_size, int) else f"[{image_size[0]},{image_size[1]}]"
