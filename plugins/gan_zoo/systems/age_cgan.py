"""Age-cGAN (Antipov et al. 2017, arXiv 1702.01983): faces at other ages, by latents that keep who they are."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import EMPTY, SAMPLES, Batch, Components, Game, Latent, evaluation_mode
from gan_zoo.editing import identity_features, learn_identity
from gan_zoo.layers import given
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.systems.icgan import IcGAN

OWN = "own"
"""The labels that given images have, beside those that are asked for."""


class AgeCGAN(IcGAN):
    """A conditional GAN of images and ages, an encoder that inverts it, and latents that are refined for each image.

    z₀ = E_z(x) finds an image as the GAN would make it, and z* lowers |F(x) - F(G(z, y₀))|² from there, F a frozen
    network that tells whom images show and y₀ the image's own age: G(z*, y) is the same at another age y (section 2.3).
    F is trained before the first step on the extra `digit`, or on labels where there is none: a classifier stands for
    the paper's FaceNet. L-BFGS finds z* for all images of a batch together, and an image whose distance it does not
    lower keeps z₀.

    Args:
        components: what the game is made of.
        mismatched: the weight of real images beside wrong labels; 0 as in a plain conditional GAN.
        refinement: the most iterations of L-BFGS; 0 for none.
        identity_steps: batches on which F is trained.
        identity_lr: its learning rate.
    """

    def __init__(
        self, components: Components, mismatched: float, refinement: int, identity_steps: int, identity_lr: float
    ) -> None:
        require_not_negative(refinement=refinement)
        require_positive(identity_steps=identity_steps)
        super().__init__(components, mismatched)
        self.refinement = refinement
        learn_identity(self, identity_steps, identity_lr)

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images with their own labels and those that are asked for."""
        latent = super().latent_for(batch)
        return latent._replace(given={**latent.given, OWN: given(batch.labels)})

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the given images with other labels (N, C, H, W)."""
        x = latent.given[SAMPLES]
        with evaluation_mode(self.networks):
            z = self.refined(x, latent.given[OWN], self.code_of(x))
        return Game.sample(self, latent._replace(z=z, given=EMPTY))

    def distances(self, x: Tensor, labels: Tensor, z: Tensor) -> Tensor:
        """Return |F(x) - F(G(z, y))|² for each image (N,), means over entries."""
        made = self.generate(Latent(z, labels), self.sampling_network)
        return (identity_features(self, made) - identity_features(self, x)).square().mean(1)

    def refined(self, x: Tensor, labels: Tensor, start: Tensor) -> Tensor:
        """Return latents (N, latent_dim) with no greater distances than those they start from."""
        if not self.refinement:
            return start
        z = start.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([z], max_iter=self.refinement, line_search_fn="strong_wolfe")

        def total() -> Tensor:
            found = self.distances(x, labels, z).sum()
            (gradient,) = torch.autograd.grad(found, z)
            z.grad = gradient.contiguous()
            return found.detach()

        with torch.enable_grad():
            optimizer.step(total)
        nearer = self.distances(x, labels, z.detach()) < self.distances(x, labels, start)
        return torch.where(nearer[:, None], z.detach(), start)
