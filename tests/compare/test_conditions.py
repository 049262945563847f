"""What conditions of `compare` may name."""

import pytest

from gan_framework.compare.conditions import Described, require_known
from gan_framework.errors import ConfigError

RUN = Described({"loss": {"name": "hinge"}, "metrics": {"fid": {"name": "fid"}}}, "finished", 4)


@pytest.mark.parametrize("score", ["fid", "fid_classifier"])
def test_runs_are_not_compared_by_a_choice_of_their_scores(score):
    with pytest.raises(ConfigError, match=f"{score}: no run has this setting; .*`gan-framework runs` filters by score"):
        require_known(score, [RUN])


def test_other_names_lead_to_what_is_closest():
    with pytest.raises(ConfigError, match="los: no run has this setting; closest: loss.name"):
        require_known("los", [RUN])
