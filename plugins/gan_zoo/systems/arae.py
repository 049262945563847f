"""ARAE (Zhao et al. 2018, arXiv 1706.04223): a GAN on the codes of an auto-encoder of tokens."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.generators.lstm_tokens import LSTMCell
from gan_zoo.layers import activations
from gan_zoo.lengths import are_padded, counted, mean_inside
from gan_zoo.ranges import require_not_negative, require_positive, require_share
from gan_zoo.token_policy import length_of


class CodeEncoder(nn.Module):
    """An LSTM whose last output, brought to length 1, is the code.

    Args:
        vocabulary: V, the number of symbols.
        embedding: the size of a symbol's vector.
        code: the size of the code.
    """

    def __init__(self, vocabulary: int, embedding: int, code: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, embedding=embedding, code=code)
        self.embedding = nn.Linear(vocabulary, embedding, bias=False)
        self.cell = LSTMCell(embedding, code)

    def forward(self, x: Tensor) -> Tensor:
        """Map sequences (N, T, V) to codes (N, code) of length 1."""
        state = self.cell.start(len(x))
        for step in self.embedding(x).unbind(1):
            state = self.cell(step, state)
        return F.normalize(state[0], dim=1)


class CodeDecoder(nn.Module):
    """An LSTM that is given the code, and the style, at every step.

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        embedding: the size of a symbol's vector.
        code: the size of the code.
        width: of the LSTM.
        styles: the number of styles, each with a decoder of its own; 0 for one decoder.
    """

    def __init__(self, vocabulary: int, length: int, embedding: int, code: int, width: int, styles: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, embedding=embedding, code=code, width=width)
        self.vocabulary, self.length, self.styles = vocabulary, length, styles
        count = max(styles, 1)
        self.embedding = nn.Linear(vocabulary, embedding, bias=False)
        self.cells = nn.ModuleList(LSTMCell(embedding + code, width) for _ in range(count))
        self.outputs = nn.ModuleList(nn.Linear(width, vocabulary) for _ in range(count))

    def forward(self, code: Tensor, styles: Tensor | None = None, told: Tensor | None = None) -> Tensor:
        """Map codes (N, code) to logits (N, T, V).

        Args:
            code: the codes.
            styles: the style (N,) of each, where there are several decoders.
            told: the true sequences (N, T, V), each step of which the next one is given; None to give each the most
                probable symbol that the decoder has said.
        """
        if not self.styles:
            return self._decode(0, code, told)
        assert styles is not None, "a decoder of several styles is told which"
        each = torch.stack([self._decode(style, code, told) for style in range(self.styles)])
        return each[styles, torch.arange(len(code), device=code.device)]

    def _decode(self, style: int, code: Tensor, told: Tensor | None) -> Tensor:
        cell, output = cast(LSTMCell, self.cells[style]), self.outputs[style]
        state, said = cell.start(code.shape[0]), code.new_zeros(code.shape[0], self.vocabulary)
        logits = []
        for step in range(self.length):
            state = cell(torch.cat([self.embedding(said), code], 1), state)
            logits.append(output(state[0]))
            said = told[:, step] if told is not None else F.one_hot(logits[-1].argmax(1), self.vocabulary).to(code)
        return torch.stack(logits, 1)


class CodeGenerator(Generator):
    """A multilayer perceptron from z to codes of length 1.

    Args:
        latent_dim: the size of z.
        code: the size of the code.
        hidden: of the layers between.
    """

    def __init__(self, latent_dim: int, code: int, hidden: list[int]) -> None:
        super().__init__()
        sizes = [latent_dim, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], code))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to codes (N, code)."""
        return F.normalize(self.layers(z), dim=1)


class CodeCritic(Discriminator):
    """A multilayer perceptron that scores codes.

    Args:
        code: the size of the code.
        hidden: of its layers.
    """

    batch_independent = True

    def __init__(self, code: int, hidden: list[int]) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: there is at least one layer")
        sizes = [code, *hidden]
        pairs = pairwise(sizes)
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in pairs)
        self.output = nn.Linear(sizes[-1], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations of codes (N, code)."""
        return activations(self.layers, x)


class Reconstruction(Term):
    """The cross entropy of the sequences decoded from their codes, with noise on these, up to their ends."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over tokens, and the decoders of their styles."""
        game = self.game
        assert isinstance(game, ARAE)
        code = pair.real + game.noise_now() * torch.randn_like(pair.real)
        logits = game.decode(code, pair.real_labels, pair.batch.samples)
        tokens = pair.batch.samples.argmax(2)
        if not are_padded(game.data):
            return F.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        return mean_inside(F.cross_entropy(logits.movedim(2, 1), tokens, reduction="none"), counted(tokens))


class RealScore(Term):
    """E D(encoder(x)): the encoder moves codes of real sequences towards what the critic takes for generated."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean score of real codes."""
        return pair.real_output.logits.mean()


class ARAE(Game):
    """An auto-encoder of tokens, and a Wasserstein GAN that makes codes like its.

        autoencoder  -log p(x | c + e), c the encoder's code of length 1, e ~ N(0, (noise · decay^k)²) after k steps
        critic       E D(G(z)) - E D(c), with a penalty;   encoder  E D(c);   generator  -E D(G(z))

    A sample is what the decoder says of G(z), at each step its most probable symbol.

    Args:
        components: what the game is made of.
        noise: the deviation of the noise on codes at first.
        decay: what is left of it after each step of the auto-encoder.
    """

    def __init__(self, components: Components, noise: float, decay: float) -> None:
        require_not_negative(noise=noise)
        require_share(decay=decay)
        length_of(components)
        super().__init__(components)
        self.noise, self.decay = noise, decay
        self.player("autoencoder").add_term("reconstruction", Reconstruction())
        self.player("encoder").add_term("real_score", RealScore())

    def make_players(self) -> list[Player]:
        """Return the auto-encoder, the critic, the encoder against it, and the generator."""
        discriminator, generator = super().make_players()
        encoder = Player("encoder", ("encoder",))
        return [Player("autoencoder", ("encoder", "decoder")), discriminator, encoder, generator]

    def noise_now(self) -> float:
        """Return the deviation of the noise at this point of training."""
        return self.noise * self.decay ** self.player("autoencoder").updates

    def encode(self, sequences: Tensor) -> Tensor:
        """Return the codes of sequences (N, T, V)."""
        with self.autocast():
            code: Tensor = self.network("encoder")(sequences)
        return code

    def decode(self, code: Tensor, styles: Tensor | None = None, told: Tensor | None = None) -> Tensor:
        """Return the logits (N, T, V) of what codes stand for; see `CodeDecoder`."""
        with self.autocast():
            logits: Tensor = self.network("decoder")(code, styles, told)
        return logits

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the codes of real sequences, and those that are made of z."""
        with self.autocast():
            made = self.generator(latent.z)
        return Pair(self.judge("discriminator"), batch, latent, made, real=self.encode(batch.samples))

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the sequences (N, T, V) that are decoded from what is made of latents."""
        code = super().sample(latent)
        return self._written(self.decode(code, latent.labels))

    def _written(self, logits: Tensor) -> Tensor:
        return F.one_hot(logits.argmax(2), logits.shape[2]).float()


class Styles(nn.Module):
    """Says of a code which style its sequence has.

    Args:
        code: the size of the code.
        hidden: of the layer between.
        styles: how many there are.
    """

    def __init__(self, code: int, hidden: int, styles: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, styles))

    def forward(self, code: Tensor) -> Tensor:
        """Map codes (N, code) to logits (N, styles)."""
        logits: Tensor = self.layers(code)
        return logits


class StyleTerm(Term):
    """The cross entropy of the style that the classifier reads from codes of real sequences.

    Args:
        hidden: of the other style, for the encoder, that hides the true one.
    """

    def __init__(self, hidden: bool) -> None:
        super().__init__()
        self.hidden = hidden

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean cross entropy, to the true style, or, for an encoder that hides it, to the other one."""
        assert pair.real_labels is not None
        logits = self.game.network("styles")(pair.real if self.hidden else pair.real.detach())
        labels = pair.real_labels
        return F.cross_entropy(logits, (labels + 1) % logits.shape[1] if self.hidden else labels)


class ARAETransfer(ARAE):
    """ARAE for unaligned transfer: a decoder for each style, and codes from which the style cannot be read (section 5).

    Beside ARAE's players a classifier learns to read the style from codes, and the encoder to have it read another one.
    A sample is a sequence of the data decoded in the other style.

    Args:
        components: what the game is made of.
        noise: see `ARAE`.
        decay: see `ARAE`.
        style_weight: of the encoder's word against the classifier.
    """

    generates_from: ClassVar[str | None] = SAMPLES

    def __init__(self, components: Components, noise: float, decay: float, style_weight: float) -> None:
        super().__init__(components, noise, decay)
        if self.data.num_classes != 2:
            raise ConfigError(
                f"game=arae_transfer needs data of two styles, and these have {self.data.num_classes} classes: choose "
                "data=token_styles"
            )
        self.player("styles").add_term("style", StyleTerm(hidden=False))
        self.player("encoder").add_term("style", StyleTerm(hidden=True), style_weight)

    def make_players(self) -> list[Player]:
        """Return ARAE's players and the classifier of styles."""
        return [*super().make_players(), Player("styles", ("styles",))]

    @property
    def conditional(self) -> bool:
        """Whether labels change what is generated: they say the style of what is transferred."""
        return True

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the sequences that are given, in the other style."""
        assert latent.labels is not None
        code = self.encode(latent.given[SAMPLES])
        return self._written(self.decode(code, 1 - latent.labels))
