"""What was said of a side's samples in an update."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Meeting


def logits_of(meeting: Meeting, side: str) -> list[Tensor]:
    """Return the logits of a side's samples, one tensor for each pair.

    An update that looked ahead has asked other judges; then the present ones are asked.

    Args:
        meeting: what was met in the update.
        side: `real` or `fake`.
    """
    return [getattr(pair, f"{side}_output").logits.detach() for pair in meeting.values()]
