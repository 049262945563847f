"""GP-GAN (Di, Sindagi & Patel 2017, arXiv 1710.00962): images of key points whose class is kept."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, ConfigError, Game, Pair, Player, Term
from gan_zoo.games.translation import Translation
from gan_zoo.layers import as_weights
from gan_zoo.layers import given as labels_given
from gan_zoo.perceiving import FeatureClassifier, TrainOnClasses
from gan_zoo.ranges import require_not_negative


class KeptClass(Term):
    """CE(C(g), y): a classifier, trained on real images before the first step and then frozen, finds the class in g.

    Args:
        steps: batches on which it is trained.
        lr: its learning rate.
        width: channels of its first map.
    """

    def __init__(self, steps: int, lr: float, width: int) -> None:
        super().__init__()
        self.steps, self.lr, self.width = steps, lr, width
        self.classifier: FeatureClassifier | None = None

    def attach(self, game: Game) -> None:
        """Take up the game, and make the classifier."""
        super().attach(game)
        if self.classifier is None:
            self.classifier = FeatureClassifier(game.data.sample[0], game.data.num_classes, self.width).to(game.device)
            game.openings.append(TrainOnClasses(self.classifier, self.steps, self.lr))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's samples."""
        assert self.classifier is not None
        seen = self.classifier(as_weights(pair.fake, self.classifier))
        return F.cross_entropy(seen, labels_given(pair.batch.labels))


class GPGANLandmarks(Translation):
    """G minimises L_G + kept CE(C(g), y) + distance |x - g|₁, and a perceptual loss where `feature_distance` adds it.

    The paper's G is a U-Net of dense blocks, its classes are genders; what the weights are is not known to us.

    Args:
        components: what the game is made of.
        kept: λ_C, the weight of the class.
        distance: λ_1.
        classifier_steps: batches on which the classifier is trained.
        classifier_lr: its learning rate.
        classifier_width: channels of its first map.
    """

    def __init__(
        self,
        components: Components,
        kept: float,
        distance: float,
        classifier_steps: int,
        classifier_lr: float,
        classifier_width: int,
    ) -> None:
        require_not_negative(kept=kept)
        super().__init__(components, True, 0.5, 1.0, "l1", distance)
        if kept and not self.data.num_classes:
            raise ConfigError(f"game.kept={kept} keeps classes, and the data have none: choose labelled data, or 0")
        if kept:
            term = KeptClass(classifier_steps, classifier_lr, classifier_width)
            self.player("generator").add_term("kept", term, kept)
