"""Games of descriptions in float64, with batches of drawn shapes, and pairs whose judge says what it is told to."""

import torch

from gan_framework.build import build_game
from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.data import Sources

CPU = torch.device("cpu")
FEW = ["data.samples=50", "data.image_size=16"]
NARROW = ["networks.generator.width=4", "networks.discriminator.width=4"]


def played(compose, *overrides, n=8):
    """A game in float64, and a batch of its data."""
    config = compose("debug=smoke", "metrics=[]", *overrides)
    sources = Sources(config["data"], config.get("sources") or {})
    game = build_game(config, sources.shape, CPU).double()
    if game.prior is not None:
        draw = game.prior.draw
        game.prior.draw = lambda *arguments: _wide_latent(draw(*arguments))
    return game, wide(sources.batches(n, 0, CPU)())


def _wide_latent(latent):
    return latent._replace(z=latent.z.double())


def wide(batch):
    """A batch in float64."""
    extra = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in batch.extra.items()}
    others = {name: wide(other) for name, other in batch.others.items()}
    labels = batch.labels.double() if batch.labels is not None and batch.labels.ndim == 2 else batch.labels
    return Batch(batch.samples.double(), labels, extra, batch.index, others)


def said(real, fake):
    """A pair of which all real samples have one logit and all generated ones another, (4,) each."""
    real, fake = (torch.as_tensor(logit, dtype=torch.float64).expand(4) for logit in (real, fake))
    x = torch.zeros(4, 1, dtype=torch.float64)
    pair = Pair(lambda x, labels=None: DiscriminatorOutput(x[:, 0]), Batch(x), Latent(x), x)
    pair.real_output, pair.fake_output = DiscriminatorOutput(real), DiscriminatorOutput(fake)
    return pair


def as_asked(game, name, meeting):
    """The sum of a player's losses in a meeting."""
    return sum(game.player(name).evaluate(meeting).values())
