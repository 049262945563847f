"""Context-RNN-GAN (Ghosh et al. 2017, arXiv 1609.09444): each image of a sequence, judged beside those before it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, SAMPLES, Batch, Discriminator, Generator, Latent, Pair
from gan_zoo.games.translation import Translation
from gan_zoo.ndims import cut, down, init_dcgan, up
from gan_zoo.translating import SOURCE

EACH = "each"
"""What a generator makes of every beginning of a sequence, the sample last."""


class ImageFeatures(nn.Module):
    """DCGAN's convolutions of each image of a sequence, without norms, which would mix images of a sequence.

    Weights begin by He et al.'s rule: of N(0, 0.02) ones next to nothing of an image would reach what follows.

    Args:
        image_size: of square images.
        width: channels of the first layer.
        size: of what is kept of an image.
    """

    def __init__(self, image_size: int, width: int, size: int) -> None:
        super().__init__()
        blocks, values = down((1, image_size, image_size), width, 4, 2, 4, "none")
        self.layers = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(values, size), nn.LeakyReLU(0.2))
        for layer in self.layers.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, 0.2)

    def forward(self, x: Tensor) -> Tensor:
        """Map sequences (N, T, H, W) to features (N, T, size)."""
        return self.layers(x.flatten(0, 1)[:, None]).unflatten(0, x.shape[:2])  # type: ignore[no-any-return]


class ContextGenerator(Generator):
    """A GRU over the features of the images before, and transposed convolutions of its state: an image at each step.

    Args:
        image_size: of square images.
        width: channels of the layers next to images.
        hidden: the size of features and of the state.
    """

    def __init__(self, image_size: int, width: int, hidden: int) -> None:
        super().__init__()
        self.size = image_size
        self.images = ImageFeatures(image_size, width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.image = up(hidden, (1, image_size, image_size), width, 4, 2, 4, "batch", "tanh")
        init_dcgan(self.image)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the next image (N, 1, H, W), `samples`, and those that follow `each` beginning (N, T, H, W)."""
        states = self.gru(self.images(given[SOURCE]))[0]
        made = cut(self.image(states.flatten(0, 1)), (self.size, self.size)).unflatten(0, states.shape[:2])[:, :, 0]
        return {SAMPLES: made[:, -1:], EACH: made}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the images before (N, T, H, W), `source`, to the next one (N, 1, H, W) in [-1, 1]."""
        return self.everything(z, labels, given)[SAMPLES]


class ContextDiscriminator(Discriminator):
    """A GRU over the features of the images before and of the one that is judged, linear at the end.

    Args:
        image_size: of square images.
        width: channels of the first layer.
        hidden: the size of features and of the state.
    """

    patches = True

    def __init__(self, image_size: int, width: int, hidden: int) -> None:
        super().__init__()
        self.images = ImageFeatures(image_size, width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.output = nn.Conv1d(hidden, 1, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the features of images (N, K, H, W) and the states after them (N, hidden, K), given those before.

        The last of K images is judged after all T images given (N, T, H, W), the one before it after T - 1, and so on.
        """
        context = torch.cat(given, 1) if given else x[:, :0]
        seen = self.images(torch.cat([context, x], 1))
        before, own = seen[:, : context.shape[1]], seen[:, context.shape[1] :]
        steps = x.shape[1]
        states = seen.new_zeros(len(x), steps, self.gru.hidden_size)
        if before.shape[1]:
            found = self.gru(before)[0][:, -steps:]
            # Where more are judged than are given the first of them comes after nothing.
            states = torch.cat([states[:, : steps - found.shape[1]], found], 1)
        _, after = self.gru(own.flatten(0, 1)[:, None], states.flatten(0, 1)[None].contiguous())
        return own.movedim(1, 2), after[0].unflatten(0, (len(x), steps)).movedim(1, 2)


class ContextRNNGAN(Translation):
    """G makes at each step the image that follows, and D judges it there, beside the true images before it.

    The losses are means over the steps and those of the game `translation`; a sample is the last step's image. With
    `beside: false` D sees single images alone, as in the paper's RNN-GAN.
    """

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the images from the second to the sample, and what G makes in the place of each."""
        made, source = self.make(latent), latent.given[SOURCE]
        real = torch.cat([source[:, 1:], batch.samples], 1)
        judge = self.judge("discriminator")
        given = (source,) if self.beside else ()
        return Pair(judge, batch, latent, made[EACH], real=real, real_given=given, fake_given=given, made=made)
