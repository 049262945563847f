"""What losses, terms and other parts report is logged beside the losses."""

import torch

from gan_framework.core.contracts.term import Term
from gan_framework.runs import diagnostics, trainer
from gan_zoo.losses.wasserstein import Wasserstein
from tests.helpers.runs import make_run
from tests.helpers.small import Draws, small_game


class Reporting(Wasserstein):
    def figures(self):
        return {"balance": torch.tensor(0.25), "calls": 3}


class ReportingTerm(Term):
    def forward(self, pair, player):
        return 0.0 * pair.fake_output.logits.mean()

    def figures(self):
        return {"share": 0.5}


class FollowUp(torch.nn.Module):
    def forward(self):
        pass

    def figures(self):
        return {"followed": 1.0}


class Transform(torch.nn.Module):
    def forward(self, x):
        return x

    def figures(self):
        return {"strength": torch.tensor(0.75)}


def reporting_game():
    game = small_game(loss=Reporting(), start=False)
    game.player("discriminator").add_term("mine", ReportingTerm())
    game.player("generator").after_step.append(FollowUp())
    game.transforms.append(Transform())
    game.schedule.figures = lambda: {"stage": 2}
    game.start(torch.device("cpu"))
    return game


def test_every_part_is_asked_and_named():
    game = reporting_game()
    game.step(Draws())
    assert diagnostics.reported(game) == {
        "train/loss/balance": 0.25,
        "train/loss/calls": 3.0,
        "train/discriminator/mine/share": 0.5,
        "train/generator/followup/followed": 1.0,
        "train/transforms/transform/strength": 0.75,
        "train/schedule/stage": 2.0,
    }


def test_a_game_in_which_nothing_reports_has_no_figures():
    assert diagnostics.reported(small_game()) == {}


def test_a_run_logs_them_with_its_losses(compose, tmp_path):
    run = make_run(compose("model=mlp", "debug=smoke", "data.image_size=8", "metrics=[]", "tracker=[]"), tmp_path)
    run.game.loss.figures = lambda: {"balance": torch.tensor(0.25)}
    measured = run.game.step(run.batches)
    metrics = trainer._look(run, [measured])
    assert metrics["train/loss/balance"] == 0.25
    assert metrics["train/generator/adversarial"] == measured["generator/adversarial"].item()


def test_learning_rates_are_those_of_the_next_step(compose, tmp_path):
    settings = ("strategy=[lr_decay]", "strategy.lr_decay.steps=4", "optimizer.generator.lr=0.5", "train.steps=4")
    run = make_run(compose("model=mlp", "debug=smoke", "data.image_size=8", "metrics=[]", *settings), tmp_path)
    for _ in range(2):
        measured = run.game.step(run.batches)
    metrics = trainer._look(run, [measured])
    rates = {name: run.game.player(name).optimizer.param_groups[0]["lr"] for name in run.game.players}
    assert {name: metrics[f"train/lr/{name}"] for name in rates} == rates
    assert 0 < rates["generator"] < 0.5


def test_an_optimizer_without_a_learning_rate_has_none():
    game = small_game()
    del game.player("generator").optimizer.param_groups[0]["lr"]
    game.player("discriminator").optimizer.param_groups[0]["lr"] = torch.tensor(0.25)
    assert diagnostics.learning_rates(game) == {"train/lr/discriminator": 0.25}
