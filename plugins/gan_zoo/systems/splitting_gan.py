"""Splitting GAN: Grinblat, Uzal & Granitto 2017, arXiv 1709.07359: classes become two where D's features fall apart."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    Batch,
    Components,
    ConfigError,
    Latent,
    NextBatch,
    Pair,
    distributed,
    evaluation_mode,
)
from gan_zoo.classifying import CLASS, ClassError, ClassifyingGame, require_classes
from gan_zoo.heads import add_head
from gan_zoo.layers import PlainEmbedding
from gan_zoo.ranges import require_not_negative

PASSES = 3
"""Through the data, at most, to see every sample: batches leave out an epoch's remainder."""

ITERATIONS = 100


def two_means(x: Tensor) -> Tensor:
    """Return which of two clusters (N,), 0 or 1, each row of x (N, F) is in: Lloyd's k-means.

    It starts from the row farthest from the mean and the one farthest from that, so that nothing is random.
    """
    first = x[(x - x.mean(0)).square().sum(1).argmax()]
    centres = torch.stack([first, x[(x - first).square().sum(1).argmax()]])
    cluster = torch.cdist(x, centres).argmin(1)
    for _ in range(ITERATIONS):
        if cluster.min() == cluster.max():
            break
        centres = torch.stack([x[cluster == one].mean(0) for one in (0, 1)])
        moved = torch.cdist(x, centres).argmin(1)
        if torch.equal(moved, cluster):
            break
        cluster = moved
    return cluster


class Tree(nn.Module):
    """The base of layers that know a class by the sum of its own part and its ancestors'.

    The own parts of classes that there are not yet are 0 and have no gradient, so a split changes no parameter.

    Args:
        most: how many classes there may come to be.
    """

    ancestry: Tensor

    def __init__(self, most: int) -> None:
        super().__init__()
        self.register_buffer("ancestry", torch.eye(most))

    def split(self, parent: int, child: int) -> None:
        """Let the classes `child` and `child` + 1 begin as what `parent` is."""
        for one in (child, child + 1):
            self.ancestry[one] = self.ancestry[parent]
            self.ancestry[one, one] = 1


class TreeEmbedding(Tree):
    """A vector of each class.

    Args:
        roots: the vectors of the first classes.
        most: how many classes there may come to be.
    """

    def __init__(self, roots: nn.Embedding, most: int) -> None:
        super().__init__(most)
        self.own = PlainEmbedding(most, roots.embedding_dim)
        nn.init.zeros_(self.own.weight)
        self.own.weight.data[: roots.num_embeddings] = roots.weight.data

    def forward(self, labels: Tensor) -> Tensor:
        """Map classes (N,) to vectors (N, F)."""
        weight = self.own.weight
        return F.embedding(labels, self.ancestry.to(weight.dtype) @ weight)


class TreeScores(Tree):
    """Scores of the classes that have not been split; all others' are -∞.

    Either half of a class begins with half its probability, so that the others keep theirs.

    Args:
        inputs: the size of the features.
        classes: how many there are at first.
        most: how many there may come to be.
    """

    leaf: Tensor

    def __init__(self, inputs: int, classes: int, most: int) -> None:
        super().__init__(most)
        self.own = nn.Linear(inputs, most)
        self.register_buffer("leaf", torch.arange(most) < classes)
        with torch.no_grad():
            for parameter in self.own.parameters():
                parameter[classes:] = 0

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, inputs) to scores (N, most)."""
        halved = math.log(2) * (self.ancestry.sum(1) - 1)
        scores: Tensor = self.own(features) @ self.ancestry.T.to(features.dtype) - halved
        return scores.masked_fill(~self.leaf, -math.inf)

    def split(self, parent: int, child: int) -> None:
        """Let two classes begin as what `parent` is, which there is no more."""
        super().split(parent, child)
        self.leaf[child : child + 2] = True
        self.leaf[parent] = False


class SplittingGAN(ClassifyingGame):
    """A GAN of classes with an auxiliary classifier, whose classes are split in two at set steps.

    Each class of more than `least` real samples becomes two clusters of D's penultimate features, which are normalised
    to length 1 before (in the authors' program over each batch). A class's vectors in G are the sums of its ancestors'
    and its own, as in that program. Here the own ones begin at 0, and the weights of D's classifier are such sums too,
    so that D and G are the same functions just after a split as before: either half of a class begins with half its
    probability. D learns the class of real samples, G makes samples that are told for theirs. In the published runs
    (WGAN-GP, residual networks) there was one split, at step 15,620.

    Samples and scores are asked for the classes of the data; which of its parts one is made of follows from z.

    Args:
        components: what the game is made of; the generator knows classes by embeddings alone.
        steps: the generator's updates after which classes are split.
        least: the number of samples that a class must have more of.
        most: how many classes there may come to be, those that have been split counted too.
        discriminator_weight: of the error on real samples' classes.
        generator_weight: of that on generated ones'.
    """

    sorted_into: Tensor
    child: Tensor
    share: Tensor
    root: Tensor
    counts: Tensor

    def __init__(
        self,
        components: Components,
        steps: list[int],
        least: int,
        most: int,
        discriminator_weight: float,
        generator_weight: float,
    ) -> None:
        require_not_negative(least=least, discriminator_weight=discriminator_weight, generator_weight=generator_weight)
        if [*steps] != sorted({*steps}) or any(step < 1 for step in steps):
            raise ValueError(f"steps={[*steps]}: rising numbers of updates, of at least 1")
        super().__init__(components)
        classes = require_classes(self)
        if most < classes:
            raise ValueError(f"most={most}: there are {classes} classes from the first")
        if not self.data.size:
            raise ConfigError("game=splitting_gan keeps the class of every sample, and nobody has counted these data")
        self.steps, self.least, self.most = [*steps], least, most
        self._grow_embeddings(classes)
        inputs = self.last_layer("discriminator").in_features
        add_head(self.discriminator, CLASS, TreeScores(inputs, classes, most))
        self.player("discriminator").add_term("class", ClassError("real"), discriminator_weight)
        self.player("generator").add_term("class", ClassError("fake"), generator_weight)
        nodes = torch.arange(most)
        self.register_buffer("sorted_into", torch.full((self.data.size,), -1))
        self.register_buffer("child", torch.full((most,), -1))  # the first of a class's two; -1 where it has none
        self.register_buffer("share", torch.full((most,), 0.5))  # of the first child among its parent's samples
        self.register_buffer("root", torch.where(nodes < classes, nodes, 0))
        self.register_buffer("counts", torch.tensor([classes, 0]))  # classes there are, and splits that have been

    def _grow_embeddings(self, classes: int) -> None:
        known = [
            (parent, name, layer)
            for parent in self.generator.modules()
            for name, layer in parent.named_children()
            if isinstance(layer, nn.Embedding) and layer.num_embeddings == classes
        ]
        if not known:
            raise ConfigError(
                f"game=splitting_gan splits a class's vectors, and {type(self.generator).__name__} has none: choose "
                "generator=resnet_projection"
            )
        for parent, name, layer in known:
            setattr(parent, name, TreeEmbedding(layer, self.most))

    def check(self) -> None:
        """See that one process sees all samples.

        Raises:
            ConfigError: there are several.
        """
        if distributed.world() > 1:
            raise ConfigError("game=splitting_gan sorts all samples in one process, and there are several: use one")
        super().check()

    # -- classes ------------------------------------------------------------------------------------------

    def leaf_of(self, batch: Batch) -> Tensor:
        """Return the classes (N,) that the samples of a batch have come to be of."""
        assert batch.labels is not None
        if batch.index is None:  # blank samples
            return self.leaf_below(batch.labels, torch.zeros(len(batch.samples), device=batch.labels.device))
        known = self.sorted_into[batch.index]
        return self.leaf_below(torch.where(known < 0, batch.labels, known), torch.zeros_like(known, dtype=torch.float))

    def leaf_below(self, classes: Tensor, chance: Tensor) -> Tensor:
        """Return what classes (N,) have been split into, each a part by a number (N,) from 0 to 1."""
        for _ in range(len(self.steps)):
            child, share = self.child[classes], self.share[classes].to(chance.dtype)
            second = chance >= share
            # What is left of the number is uniform again.
            left = torch.where(second, (chance - share) / (1 - share).clamp(min=1e-6), chance / share.clamp(min=1e-6))
            split = child >= 0
            classes = torch.where(split, child + second.long(), classes)
            chance = torch.where(split, left, chance).clamp(0, 1)
        return classes

    def classify(self, x: Tensor) -> Tensor:
        """Return the scores (N, K) of the classes of the data: those of all their parts together."""
        scores = super().classify(x)
        of_root = self.root[None] == torch.arange(self.data.num_classes, device=x.device)[:, None]
        return scores[:, None].expand(-1, len(of_root), -1).masked_fill(~of_root, -math.inf).logsumexp(2)

    # -- a step -------------------------------------------------------------------------------------------

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents with the classes that the samples have come to be of."""
        return super().latent_for(batch)._replace(labels=self.leaf_of(batch))

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return what G makes; of a class that has been split, one of its parts that follows from z."""
        assert latent.labels is not None
        chance = (latent.z[:, 0].abs() * 4096).frac()
        return super().make(latent._replace(labels=self.leaf_below(latent.labels, chance)), network)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated samples with what their classes have come to be."""
        pair = super().pair(batch, latent)
        pair.real_labels = self.leaf_of(batch)
        return pair

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Split classes if it is time, then play one step."""
        done = int(self.counts[1])
        if done < len(self.steps) and self.player("generator").updates >= self.steps[done]:
            self.split(next_batch)
        return super().step(next_batch)

    @torch.no_grad()
    def split(self, next_batch: NextBatch) -> None:
        """Sort every sample anew and split each class that is large enough, by D's features of its samples."""
        features, leaves, index = self._seen(next_batch)
        self.sorted_into[index] = leaves
        for parent in leaves.unique().tolist():
            own = leaves == parent
            count = int(self.counts[0])
            if own.sum() <= self.least or count + 2 > self.most:
                continue
            cluster = two_means(features[own])
            self.sorted_into[index[own]] = count + cluster
            self.child[parent] = count
            self.share[parent] = 1 - cluster.float().mean()
            self.root[count : count + 2] = self.root[parent]
            self.counts[0] += 2
            for layer in self.networks.modules():
                if isinstance(layer, Tree):
                    layer.split(parent, count)
        self.counts[1] += 1

    def _seen(self, next_batch: NextBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return D's features of all samples, of length 1, what they are sorted into, and their positions."""
        found: dict[int, tuple[Tensor, Tensor]] = {}
        drawn = 0
        with evaluation_mode(self.discriminator):
            while len(found) < self.data.size and drawn < PASSES * self.data.size:
                batch = next_batch()
                assert batch.index is not None
                drawn += len(batch.samples)
                inner = self.judge("discriminator")(batch.samples).features[-1].flatten(1)
                inner = F.normalize(inner.to(batch.samples.dtype))
                leaves = self.leaf_of(batch)
                for row, position in enumerate(batch.index.tolist()):
                    found.setdefault(position, (inner[row], leaves[row]))
        index = sorted(found)
        features, leaves = (torch.stack([found[position][part] for position in index]) for part in (0, 1))
        return features, leaves, torch.tensor(index, device=leaves.device)
