"""Lists of what is found for a question: whether what is right stands at their top."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Comparison, ConfigError, FeatureSet, Game, Metric, evaluation_mode
from gan_zoo.datasets.interactions import TwoModal
from gan_zoo.ranges import require_positive


def precision(relevant: Tensor, k: int) -> Tensor:
    """Return the share (N,) of the first k of ranked items (N, M) that are relevant."""
    return relevant[:, :k].double().mean(1)


def ndcg(relevant: Tensor, k: int) -> Tensor:
    """Return the normalised discounted gain (N,) of the first k of ranked items (N, M): Σ rel_i / log2(i + 1)."""
    discount = 1 / torch.arange(2, min(k, relevant.shape[1]) + 2, dtype=torch.float64).log2()
    best = relevant.double().sort(1, descending=True).values
    gained, possible = (ranked[:, :k].double() @ discount for ranked in (relevant, best))
    return torch.where(possible > 0, gained / possible.clamp(min=1e-12), 0.0)


def average_precision(relevant: Tensor) -> Tensor:
    """Return the mean (N,) of the precision at each relevant one of ranked items (N, M)."""
    hits = relevant.double()
    at_each = hits.cumsum(1) / torch.arange(1, hits.shape[1] + 1, dtype=torch.float64)
    return (at_each * hits).sum(1) / hits.sum(1).clamp(min=1)


def _matrix(side: FeatureSet, users: int, items: int) -> Tensor:
    """Return what users (U, I) like of a split."""
    assert side.labels is not None
    chosen = side.read(torch.arange(len(side.features))).argmax(2).squeeze(1)
    found = torch.zeros(users, items, dtype=torch.bool)
    found[side.labels, chosen] = True
    return found


class Ranking(Metric):
    """Ranks all items that a user does not like in training by a game's `relevance`, against those liked in the test.

    Args:
        k: the length of the list.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"precision_at_k": True, "ndcg_at_k": True}
    legend: ClassVar[dict[str, str]] = {
        "precision_at_k": "share of the first k items that the user likes in the test, mean over users, 0 to 1",
        "ndcg_at_k": "normalised discounted gain of the first k items, mean over users, 0 to 1",
    }
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def __init__(self, k: int) -> None:
        require_positive(k=k)
        self.k = k

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game knows no relevance."""
        if not hasattr(game, "relevance"):
            raise ConfigError(
                f"metrics.ranking asks a game for the relevance of items, and {type(game).__name__} has none: it goes "
                "with game=irgan"
            )

    @torch.no_grad()
    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `precision_at_k` and `ndcg_at_k`."""
        game = comparison.game
        assert game is not None
        users, items = comparison.shape.num_classes, comparison.shape.vocabulary
        known, wanted = (_matrix(comparison.split(split), users, items) for split in ("train", "test"))
        with evaluation_mode(game.networks):
            said = game.relevance(torch.arange(users, device=game.device)).cpu()  # type: ignore[operator]
        order = said.masked_fill(known, -torch.inf).argsort(1, descending=True)
        ranked = wanted.gather(1, order)[wanted.any(1)]
        return {
            "precision_at_k": float(precision(ranked, self.k).mean()),
            "ndcg_at_k": float(ndcg(ranked, self.k).mean()),
        }


def cca(first: Tensor, second: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Return the maps (D, K) of canonical correlation analysis of two sets of vectors (N, D) that belong together."""
    whitened, back = [], []
    for vectors in (first.double(), second.double()):
        centred = vectors - vectors.mean(0)
        covariance = centred.T @ centred / len(centred) + 1e-6 * torch.eye(centred.shape[1], dtype=torch.float64)
        values, basis = torch.linalg.eigh(covariance)
        back.append(basis * values.rsqrt())
        whitened.append(centred @ back[-1])
    u, _, v = torch.linalg.svd(whitened[0].T @ whitened[1] / len(first))
    return back[0] @ u[:, :dimensions], back[1] @ v.T[:, :dimensions]


def retrieval_map(questions: Tensor, answers: Tensor, labels: Tensor) -> float:
    """Return the mean average precision of answers (N, D) ranked by their cosine with questions, by classes (N,)."""
    alike = F.normalize(questions.double(), dim=1) @ F.normalize(answers.double(), dim=1).T
    order = alike.argsort(1, descending=True)
    return float(average_precision(labels[order] == labels[:, None]).mean())


class CrossModal(Metric):
    """Retrieval of texts by images and of images by texts among the codes of a game, and by canonical correlations.

    Args:
        channels: of `data=two_modal`.
        text: of `data=two_modal`.
        num_classes: of `data=two_modal`.
        noise: of `data=two_modal`.
        samples: of `data=two_modal`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"cross_modal_map": True}
    legend: ClassVar[dict[str, str]] = {
        "cross_modal_map": "mean average precision of the other kind's vectors of a class, mean of both ways, 0 to 1",
        "cross_modal_map_cca": "the same by canonical correlation analysis of the training vectors",
    }
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    most: ClassVar[int] = 1_000

    def __init__(self, channels: int, text: int, num_classes: int, noise: float, samples: int) -> None:
        self._source = TwoModal(channels, text, num_classes, noise, samples)
        self.channels, self.text, self.num_classes, self.noise = channels, text, num_classes, noise
        self.samples = samples

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no codes of both kinds."""
        if not hasattr(game, "codes"):
            raise ConfigError(
                f"metrics.cross_modal asks a game for codes of both kinds, and {type(game).__name__} has none: it goes "
                "with game=cm_gan"
            )

    @torch.no_grad()
    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `cross_modal_map` and that of canonical correlations."""
        game = comparison.game
        assert game is not None
        train, test = self._source.load("train"), self._source.load("test")
        images, texts = test.samples[: self.most], test.extra["text"][: self.most]
        assert test.labels is not None
        labels = test.labels[: self.most]
        with evaluation_mode(game.networks):
            found = game.codes(images.to(game.device), texts.to(game.device))  # type: ignore[operator]
        maps = cca(train.samples, train.extra["text"], min(self.channels, self.text, self.num_classes + 3))
        linear = images.double() @ maps[0], texts.double() @ maps[1]
        scores = []
        for image, text in (tuple(code.cpu() for code in found), linear):
            image, text = image.double() - image.double().mean(0), text.double() - text.double().mean(0)
            scores.append((retrieval_map(image, text, labels) + retrieval_map(text, image, labels)) / 2)
        return {"cross_modal_map": scores[0], "cross_modal_map_cca": scores[1]}
