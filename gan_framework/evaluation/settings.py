"""How samples are drawn and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from gan_framework.errors import ConfigError

BATCH_NORM = ("running", "batch", "standing")


@dataclass(frozen=True)
class Settings:
    """How samples are drawn and what they are compared with.

    Attributes:
        samples: the number of generated samples for each sample seed.
        batch_size: samples at a time.
        split: the reference split, `train` or `test`.
        reference: use no more than so many real samples, evenly spaced; None uses all.
        seed: the first sample seed.
        seeds: the number of sample seeds over which scores are averaged.
        truncation: latents whose entries are larger in absolute value are drawn again (Brock et al.
            2019, arXiv 1809.11096, section 3.1); None leaves them.
        ema: whether samples come from the averaged weights; None follows the model.
        batch_norm: the statistics that batch norm uses: `running` ones, those of the `batch`, or
            `standing` ones, estimated anew (Brock et al. 2019, appendix C.1).
    """

    samples: int = 1000
    batch_size: int = 100
    split: str = "train"
    reference: int | None = None
    seed: int = 0
    seeds: int = 1
    truncation: float | None = None
    ema: bool | None = None
    batch_norm: str = "running"

    def __post_init__(self) -> None:
        for name, least in (("samples", 2), ("batch_size", 1), ("reference", 2), ("seeds", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"evaluate.{name}={value} must be at least {least}")
        if self.truncation is not None and self.truncation <= 0:
            raise ConfigError(f"evaluate.truncation={self.truncation} must be above 0, or null")
        if self.batch_norm not in BATCH_NORM:
            raise ConfigError(f"evaluate.batch_norm={self.batch_norm}: choose one of {', '.join(BATCH_NORM)}")
