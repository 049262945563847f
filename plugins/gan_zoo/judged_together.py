"""Pairs whose two sides go through the judge as one batch."""

from __future__ import annotations

from functools import cached_property

import torch

from gan_framework.api import DiscriminatorOutput, Pair


class TogetherPair(Pair):
    """Real and generated samples that the judge sees in one pass, so that its batch norm takes both for one batch.

    In passes of their own each side has its own means and deviations, and the judge cannot see by how much they differ.
    """

    @cached_property
    def real_output(self) -> DiscriminatorOutput:
        """What the judge says of the real samples."""
        return self.outputs[0]

    @cached_property
    def fake_output(self) -> DiscriminatorOutput:
        """What the judge says of the generated samples."""
        return self.outputs[1]

    @property
    def outputs(self) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """What the judge says of the real and of the generated samples, in one pass."""
        if not {"real_output", "fake_output"} <= self.__dict__.keys():
            real, fake = self._seen("real"), self._seen("fake")
            both = self.real_labels, self.fake_labels
            labels = None if both[0] is None or both[1] is None else torch.cat([both[0], both[1]])
            given = (torch.cat(each) for each in zip(self.real_given, self.fake_given, strict=True))
            said = self.judge(torch.cat([real, fake.to(real.dtype)]), labels, *given)
            n = len(real)
            self.__dict__ |= {"real_output": said.part(slice(n)), "fake_output": said.part(slice(n, None))}
        return self.__dict__["real_output"], self.__dict__["fake_output"]
