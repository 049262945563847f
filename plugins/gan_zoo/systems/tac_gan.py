"""TAC-GAN (Dash et al. 2017, arXiv 1703.06412): GAN-CLS whose discriminator also tells the class."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, ConfigError, Pair, Player, Term, TermPlan
from gan_zoo.describing import MADE, RIGHT, WRONG, Described
from gan_zoo.layers import class_vectors


class ClassEntropies(Term):
    """The mean of the binary cross entropies of the logits of all classes with the class as a one-hot vector (2.2).

    Args:
        side: of the pair's samples those that are classified, `real` or `fake`.
    """

    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples of the side."""
        output = pair.real_output if self.side == "real" else pair.fake_output
        labels = pair.real_labels if self.side == "real" else pair.fake_labels
        logits = output.heads["class"].float()
        return F.binary_cross_entropy_with_logits(logits, class_vectors(labels, logits.shape[1], logits.dtype))


class TACGAN(Described):
    """GAN-CLS with weights of 1, and a classifier on the discriminator's last layer (section 2.2).

    D minimises BCE₁(x, t) + BCE₀(x, t̃) + BCE₀(G(z, t), t) and the binary cross entropies of the class with each of the
    three, the image's own class also beside another's text; G minimises BCE₁(G(z, t), t) and that of the class that
    comes with t.

    Args:
        components: what the game is made of.
        wrong: the weight of images with another's text, and of their class: 1.
        made: the weight of generated images, and of their class, in D's loss: 1.
    """

    def __init__(self, components: Components, wrong: float, made: float) -> None:
        super().__init__(components, wrong, made)
        discriminator, generator = (self.player(name) for name in self.players)
        for name, side in ((RIGHT, "real"), (WRONG, "fake"), (MADE, "fake")):
            if name in self.weights:
                plan = TermPlan(self.weights[name], pairs=(name,))
                discriminator.add_term(f"class_{name}", ClassEntropies(side), plan=plan)
        generator.add_term("class", ClassEntropies("fake"))

    def check(self) -> None:
        """See that there are classes to be told.

        Raises:
            ConfigError: there are none, or the discriminator does not tell them.
        """
        classes = self.data.num_classes
        if not classes:
            raise ConfigError("TACGAN tells the class of samples, and the data have none: choose data=shapes")
        head = getattr(self.network("discriminator"), "heads", {})
        if "class" not in head:
            raise ConfigError(
                f"TACGAN needs a discriminator that tells the class: set networks.discriminator.num_classes={classes}"
            )
        super().check()
