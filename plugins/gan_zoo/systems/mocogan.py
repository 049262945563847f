"""MoCoGAN (Tulyakov et al. 2018, arXiv 1707.04993): content that stays, motion that goes on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Prior,
    Term,
    TermPlan,
)
from gan_zoo.ndims import cut, init_dcgan, up
from gan_zoo.ranges import require_positive

FRAMES = "frames"
"""The pair of single frames."""

CATEGORY = "category"
"""The code of z, and the head of D."""


class ContentAndMotion(Prior):
    """z = [content, category (one-hot), noise of the motion's first state, noise of each frame].

    Args:
        content: its size; 50 in the paper.
        categories: how many; 0 for none.
        motion: the size of a frame's noise; 10 in the paper.
        frames: T.
    """

    def __init__(self, content: int, categories: int, motion: int, frames: int) -> None:
        super().__init__()
        require_positive(content=content, motion=motion, frames=frames)
        self.categories, self.content = categories, content
        self.dim = content + categories + motion * (frames + 1)

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents, with the category as a code."""
        noise = torch.randn(n, self.dim - self.categories, generator=generator)
        if not self.categories:
            return Latent(noise.to(device))
        category = torch.randint(self.categories, (n,), generator=generator)
        chosen = F.one_hot(category, self.categories).float()
        z = torch.cat([noise[:, : self.content], chosen, noise[:, self.content :]], 1)
        return Latent(z.to(device), code={CATEGORY: category.to(device)})

    def vary(self, latent: Latent, code: str) -> list[Latent]:
        """Return the same content and motion in each category."""
        if code != CATEGORY or not self.categories:
            raise ConfigError(f"there is no code {code!r}; there is {CATEGORY if self.categories else 'none'}")
        varied = []
        for number in range(self.categories):
            z = latent.z.clone()
            z[:, self.content : self.content + self.categories] = 0
            z[:, self.content + number] = 1
            varied.append(latent._replace(z=z, code={CATEGORY: torch.full_like(latent.code[CATEGORY], number)}))
        return varied


class MotionContent(Generator):
    """A GRU makes a motion code of each frame's noise; a 2-D DCGAN makes each frame of content, category and motion.

    Args:
        shape: of a video (T, C, H, W).
        content: the size of the content's code.
        categories: how many.
        motion: the size of a motion's code.
        width: channels of the layer before the frames; 64 in the paper.
    """

    def __init__(self, shape: list[int], content: int, categories: int, motion: int, width: int) -> None:
        super().__init__()
        self.frames, self.sizes, self.motion = shape[0], shape[2:], motion
        self.still = content + categories
        self.gru = nn.GRUCell(motion, motion)
        self.image = up(self.still + motion, shape[1:], width, 4, 2, 4, "batch", "tanh")
        for layer in self.image:
            if isinstance(layer, nn.ConvTranspose2d):
                layer.bias = None
        init_dcgan(self)

    def motions(self, noise: Tensor) -> Tensor:
        """Return motion codes (N, T, motion) of noise (N, (T + 1) motion): that of the state, and of each frame."""
        state, *steps = noise.split(self.motion, 1)
        codes = []
        for step in steps:
            state = self.gru(step, state)
            codes.append(state)
        return torch.stack(codes, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) to videos (N, T, C, H, W) in [-1, 1]."""
        still, moving = z[:, : self.still], self.motions(z[:, self.still :])
        both = torch.cat([still[:, None].expand(-1, self.frames, -1), moving], 2).flatten(0, 1)
        videos: Tensor = cut(self.image(both), self.sizes).unflatten(0, (-1, self.frames))
        return videos


class CategorySaid(Term):
    """Cross entropy of the category that D's head `category` reads: of real videos' labels, or of made ones' codes.

    Args:
        real: whether it is of real videos (D's part) or of made ones (G's part).
    """

    def __init__(self, real: bool) -> None:
        super().__init__()
        self.real = real

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        if self.real:
            assert pair.real_labels is not None, "the game sees to it that there are labels"
            return F.cross_entropy(pair.real_output.heads[CATEGORY].float(), pair.real_labels)
        return F.cross_entropy(pair.fake_output.heads[CATEGORY].float(), pair.latent.code[CATEGORY])


class MoCoGAN(Game):
    """D_V judges videos and reads their category, D_I single frames, one drawn of each video; G fools both.

    Args:
        components: what the game is made of.
        category: the weight of the cross entropies; 0 for data without classes.
    """

    def __init__(self, components: Components, category: float) -> None:
        super().__init__(components)
        if len(self.data.sample) != 4:
            raise ConfigError(f"game=mocogan makes videos (T, C, H, W), and the data are {self.data.sample}")
        if category:
            categories = getattr(self.prior, "categories", 0)
            if categories != self.data.num_classes or not categories:
                raise ConfigError(
                    f"game.category={category}: prior.categories={categories} must be the data's number of classes, "
                    f"{self.data.num_classes}; or set it to 0"
                )
            features = self.probe().features[-1].flatten(1).shape[1]
            self.discriminator.heads[CATEGORY] = nn.Linear(features, categories)
            plan = TermPlan(category, pairs=(MAIN,))
            self.player("discriminator").add_term("category", CategorySaid(True), plan=plan)
            self.player("generator").add_term("category", CategorySaid(False), plan=plan)

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, and G."""
        both = dict.fromkeys((MAIN, FRAMES), "discriminator")
        return [
            Player("discriminator", ("discriminator", "discriminator_frames"), "discriminator", both),
            Player("generator", ("generator",), "generator", dict.fromkeys((MAIN, FRAMES), "generator")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return videos before D_V, and a frame of each before D_I."""
        latent = latent._replace(labels=None)
        made = self.generate(latent)
        real_frames, fake_frames = (one_frame(videos) for videos in (batch.samples, made))
        of_frames = self.judge("discriminator_frames")
        return {
            MAIN: Pair(self.judge("discriminator"), batch, latent, made),
            FRAMES: Pair(of_frames, Batch(real_frames, batch.labels), latent, fake_frames),
        }


def one_frame(videos: Tensor) -> Tensor:
    """Return a frame (N, C, H, W) drawn of each of the videos (N, T, C, H, W)."""
    drawn = torch.randint(videos.shape[1], (len(videos),), device=videos.device)
    return videos[torch.arange(len(videos), device=videos.device), drawn]
