"""CM-GAN (Peng & Qi 2017, arXiv 1710.05106): one space of codes for two kinds of vectors, from memory of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Game, Latent, Pair, Player, Term
from gan_zoo.layers import as_weights

IMAGE, TEXT, COMMON = "image", "text", "common"


class VectorMLP(nn.Module):
    """Layers with ReLU between vectors.

    Args:
        inputs: the size of a vector.
        hidden: of the layers between.
        outputs: the size of what it is mapped to.
    """

    def __init__(self, inputs: int, hidden: list[int], outputs: int) -> None:
        super().__init__()
        sizes = [inputs, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (N, inputs) to (N, outputs)."""
        mapped: Tensor = self.layers(x)
        return mapped


class ReconstructionTerm(Term):
    """The squared error of a kind's vectors decoded from their codes."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over entries."""
        return (pair.fake - pair.real).square().mean()


class CodeClasses(Term):
    """The cross entropy of classes read from the codes of both kinds."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum over both kinds."""
        assert pair.real_labels is not None
        classes = self.game.network("classes")
        both = (as_weights(codes, classes) for codes in (pair.real, pair.fake))
        said = (F.cross_entropy(classes(codes), pair.real_labels) for codes in both)
        return torch.stack([*said]).sum()


class CMGAN(Game):
    """Auto-encoders of images and texts with shared top layers, judged within a kind and between the kinds.

        code of a kind = common(encoder(x)); made = decoder(code)
        D_image, D_text  tell vectors from what is made of their codes; D_common tells codes of images from texts'
        the rest         Σ ns + reconstruction · Σ MSE + classes · Σ CE(class, code)

    A sample is what the decoder of images makes of the code of a text.

    Args:
        components: what the game is made of.
        reconstruction: the weight of the errors of both auto-encoders.
        classes: the weight of the classes read from codes.
    """

    sampling_network = "decoder_image"
    generates_from: ClassVar[str | None] = TEXT

    def __init__(self, components: Components, reconstruction: float, classes: float) -> None:
        if TEXT not in components.data.extra or not components.data.num_classes:
            raise ConfigError("game=cm_gan needs labelled vectors with the extra `text`: choose data=two_modal")
        super().__init__(components)
        generator = self.player("generator")
        for kind in (IMAGE, TEXT):
            generator.add_term(f"reconstruction_{kind}", ReconstructionTerm(), reconstruction)
        generator.add_term("classes", CodeClasses(), classes)
        pairs = {f"reconstruction_{IMAGE}": IMAGE, f"reconstruction_{TEXT}": TEXT, "classes": COMMON}
        for name, pair in pairs.items():
            plan = generator.plans[name]
            generator.plans[name] = type(plan)(plan.weight, plan.every, (pair,))

    def make_players(self) -> list[Player]:
        """Return the three judges as one player, and all else as another."""
        judges = tuple(f"discriminator_{kind}" for kind in (IMAGE, TEXT, COMMON))
        made = ("encoder_image", "encoder_text", "common", "decoder_image", "decoder_text", "classes")
        return [
            Player("discriminator", judges, "discriminator", "discriminator"),
            Player("generator", made, "generator", "generator"),
        ]

    def codes(self, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes (N, K) of image and text vectors."""
        return self._code(IMAGE, images), self._code(TEXT, texts)

    def _code(self, kind: str, vectors: Tensor) -> Tensor:
        with self.autocast():
            code: Tensor = self.network(COMMON)(self.network(f"encoder_{kind}")(vectors))
        return code

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return vectors of each kind with what is made of their codes, and the codes of both."""
        text = batch.extra[TEXT]
        image_code, text_code = self.codes(batch.samples, text)
        with self.autocast():
            image_made = self.network("decoder_image")(image_code)
            text_made = self.network("decoder_text")(text_code)
        return {
            IMAGE: Pair(self.judge("discriminator_image"), batch, latent, image_made),
            TEXT: Pair(self.judge("discriminator_text"), batch, latent, text_made, real=text),
            COMMON: Pair(self.judge("discriminator_common"), batch, latent, text_code, real=image_code),
        }

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the image vectors that are made of texts."""
        decoded: Tensor = self.networks[self.sampling_network](self._code(TEXT, latent.given[TEXT]))
        return decoded.float()
