"""What a metric gives is looked at where it comes."""

from typing import ClassVar

import pytest
import torch

from gan_framework.errors import RunFailed
from gan_framework.evaluation.metric import Metric, scored


class Answers(Metric):
    higher_is_better: ClassVar[dict[str, bool]] = {"answer": True}

    def __init__(self, given):
        self.given = given

    def scores(self, comparison):
        return self.given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0.5, "the metric Answers gives float, not a dict of scores by name"),
        ({"answer": None}, "the metric Answers gives answer=None, not a number"),
        ({"answer": torch.ones(2)}, r"the metric Answers gives answer=tensor\(\[1., 1.\]\), not a number"),
        ({"anser": 0.5}, "says of answer which direction is better, but gives the scores anser"),
    ],
)
def test_what_is_no_score_is_said_with_the_metrics_name(given, said):
    with pytest.raises(RunFailed, match=said):
        scored(Answers(given), None)


def test_scores_are_handed_on():
    assert scored(Answers({"answer": 0.5, "spread": 1.0}), None) == {"answer": 0.5, "spread": 1.0}
