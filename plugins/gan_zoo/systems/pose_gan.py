"""Pose-GAN (Walker et al. 2017, arXiv 1705.00053): poses to come, and a video of a frame and of the poses."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Game, Latent, Pair, Player, Term
from gan_zoo.stick_figures import JOINTS, joint_maps
from gan_zoo.translating import SOURCE


class PoseVAE(nn.Module):
    """Recurrent layers read past and future poses into a code; of the past and a code others make the future.

    Args:
        frames: T.
        hidden: the size of the recurrent states.
        code: the size of a code.
    """

    def __init__(self, frames: int, hidden: int, code: int) -> None:
        super().__init__()
        size = 2 * JOINTS
        self.frames, self.code = frames, code
        self.past = nn.LSTM(size, hidden, batch_first=True)
        self.future = nn.LSTM(size, hidden, batch_first=True)
        self.encoder = nn.Linear(2 * hidden, 2 * code)
        self.decoder = nn.LSTM(hidden + code, hidden, batch_first=True)
        self.change = nn.Linear(hidden, size)

    def forward(self, past: Tensor, z: Tensor | None = None, future: Tensor | None = None) -> Mapping[str, Tensor]:
        """Return the `poses` (N, T, 16) that follow on past ones, and, of a future, `mean` and `log_variance`.

        Args:
            past: (N, T, 16).
            z: the code (N, code); it is drawn of the future where there is one.
            future: (N, T, 16), or None.
        """
        seen = self.past(past)[0][:, -1]
        found: dict[str, Tensor] = {}
        if future is not None:
            mean, log_variance = self.encoder(torch.cat([seen, self.future(future)[0][:, -1]], 1)).chunk(2, 1)
            z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
            found = {"mean": mean, "log_variance": log_variance}
        assert z is not None, "a code, or a future that it follows from"
        inputs = torch.cat([seen, z], 1)[:, None].expand(-1, self.frames, -1)
        changes = self.change(self.decoder(inputs)[0])
        return found | {"poses": past[:, -1:] + changes.cumsum(1)}


class PoseLikelihood(Term):
    """The squared error of the poses, a sum over joints and a mean over frames, and `divergence` times the KL.

    Args:
        divergence: the weight of the KL.
    """

    def __init__(self, divergence: float) -> None:
        super().__init__()
        self.divergence = divergence

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        mean, log_variance = pair.made["mean"], pair.made["log_variance"]
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        error = F.mse_loss(pair.made["poses"], pair.batch.extra["poses"], reduction="none").sum(2).mean()
        return error + self.divergence * kl


class VideoError(Term):
    """The mean absolute difference of made and real videos."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over pixels."""
        return (pair.fake.float() - pair.real).abs().mean()


class PoseGAN(Game):
    """A VAE of poses to come, and a GAN whose generator is given a frame and maps of the joints.

    In training the video is made of the true poses, in samples of poses that the VAE makes of the past and of z. The
    weights `distance` and `divergence` are ours.

    Args:
        components: what the game is made of.
        distance: the weight of the absolute difference of videos.
        divergence: of the KL of the poses' codes.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, distance: float, divergence: float) -> None:
        super().__init__(components)
        if not {SOURCE, "poses", "past"} <= self.data.extra.keys():
            raise ConfigError(
                "game=pose_gan needs videos with the extras 'source', 'poses' and 'past': data=stick_figures"
            )
        self.player("poses").add_term("likelihood", PoseLikelihood(divergence), 1.0)
        self.player("generator").add_term("distance", VideoError(), distance)

    def make_players(self) -> list[Player]:
        """Return D, G and the poses' VAE."""
        return [*super().make_players(), Player("poses", ("poses",))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the frames with the poses before."""
        return super().latent_for(batch)._replace(given={key: batch.extra[key] for key in (SOURCE, "past")})

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the videos of poses that follow on those before, and the `poses`."""
        with self.autocast():
            poses = self.network("poses")(latent.given["past"], latent.z)["poses"]
        return {**self._of_poses(latent, poses, network), "poses": poses}

    def _of_poses(self, latent: Latent, poses: Tensor, network: str = "generator") -> Mapping[str, Tensor]:
        frame = latent.given[SOURCE]
        maps = joint_maps(poses.unflatten(2, (JOINTS, 2)).float(), frame.shape[-1])
        frames = frame[:, None].expand(-1, maps.shape[1], -1, -1, -1)
        return super().make(latent._replace(given={SOURCE: torch.cat([frames, maps], 2)}), network)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real videos and those of their true poses, beside the frame, and what the VAE makes of the poses."""
        made = self._of_poses(latent, batch.extra["poses"])
        with self.autocast():
            predicted = self.network("poses")(batch.extra["past"], None, batch.extra["poses"])
        frame = batch.extra[SOURCE][:, None].expand(-1, batch.samples.shape[1], -1, -1, -1)
        judge = self.judge("discriminator")
        return Pair(judge, batch, latent, made[SAMPLES], made=predicted, real_given=(frame,), fake_given=(frame,))
