"""Tables: what columns are found to be, that rows come back, and what CTGAN and medGAN are given and compute."""

import csv
import io
import math

import pytest
import torch

from gan_framework.api import Batch, ConfigError, Latent, Pair
from gan_zoo.columns import Column, Layout
from gan_zoo.columns_found import find_layout, values_of
from gan_zoo.datasets.asked_rows import Asked, AskedRows, as_condition, log_frequencies
from gan_zoo.datasets.made_tables import MixedTable, Records, latent_classes
from gan_zoo.datasets.table import TableFile, read_table
from gan_zoo.metrics.tables import as_categories, cramers_v, ks_distance, marginal_distances
from gan_zoo.normal_modes import fit_modes
from gan_zoo.systems.ctgan import AskedCategory, AskedValue, CTGANDiscriminator, CTGANGenerator
from gan_zoo.systems.medgan import MedGANGenerator, RecordEncoder, RecordReconstruction, with_mean

TEXT = """id, age,income,joined,score,country,note
1,39,"<=50K, or so",2010-02-03,1.25,US,a
2,50,>50K,2011-12-30,,US,b
3,38,<=50K,2012-01-01,-7.5,US,?
4,61,>50K,2012-06-15,0.125,US,a
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TEXT)
    return path


def table(path, **changes):
    settings = {
        **{"path": path, "test_path": path, "test_share": 0.0, "separator": ",", "columns": {"age": "number"}},
        **{"encoding": "modes", "most_values": 100, "most_modes": 3, "layout": None, "channels": None},
        **{"num_classes": None, **changes},
    }
    return TableFile(**settings)


@pytest.mark.parametrize("encoding", ["modes", "unit"])
def test_a_table_comes_back_as_it_was(file, encoding):
    source = table(file, encoding=encoding, columns={"age": "number", "id": "leave_out"})
    rows = source.load("train")
    assert rows.samples.shape == (4, source.layout.size) and rows.samples.isfinite().all()
    back = [*csv.reader(io.StringIO(source.layout.table(rows.samples)))]
    expected = [row[1:] for row in csv.reader(io.StringIO(TEXT), skipinitialspace=True)]
    assert back[0] == expected[0]
    for found, wanted in zip(back[1:], expected[1:], strict=True):
        for value, original in zip(found, wanted, strict=True):
            assert value == original or abs(float(value) - float(original)) < 1e-3


def test_without_held_out_rows_there_is_no_split_test(file):
    source = table(file, test_path=None)
    assert len(source.load("train")) == 4
    with pytest.raises(ConfigError, match="no split 'test': not one of 4 rows is held out; raise data.test_share"):
        source.load("test")


def test_the_kinds_of_columns_are_found(file):
    kinds = {column.name: column for column in table(file).layout.columns}
    assert {name: column.kind for name, column in kinds.items()} == {
        **{"id": "category", "age": "number", "income": "category", "joined": "date", "score": "number"},
        **{"country": "constant", "note": "category"},
    }
    assert kinds["score"].blank == "" and kinds["note"].blank == "?" and kinds["score"].decimals == 3
    assert kinds["note"].counts == (2, 1, 1)


def test_a_layout_goes_through_a_configuration_and_other_rows_are_encoded_alike(file):
    source = table(file)
    assert Layout.of(source.found["layout"]) == source.layout
    again = table(file, layout=source.found["layout"])
    torch.testing.assert_close(again.load("train").samples, source.load("train").samples)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": {"agee": "number"}}, "data.columns names 'agee'"),
        ({"columns": {"income": "number"}}, "row 1 of the column 'income'"),
        ({"columns": {"age": "text"}}, "data.columns.age=text must be one of"),
        (
            {"most_values": 2, "columns": {"age": "category", "id": "leave_out"}},
            "the column 'age' has 4 different values",
        ),
        ({"path": "nowhere.csv"}, "there is no such file"),
        ({"path": None}, "data.path is missing"),
    ],
)
def test_what_is_wrong_is_refused_by_name(file, changes, said):
    changes = {"columns": {"id": "leave_out"}, **changes}
    with pytest.raises(ConfigError, match=said):
        table(**{"path": file, **changes})


@pytest.mark.slow
@pytest.mark.parametrize("typed", [["data.columns={id: leave_out}"], ["+data.columns.id=leave_out"]])
def test_kinds_of_columns_are_typed_together_or_one_by_one(compose, file, typed):
    config = compose("experiment=ctgan", "data=table", f"data.path={file}", *typed)
    assert config["data"]["columns"] == {"id": "leave_out"}
    assert "id" not in [column["name"] for column in config["data"]["layout"]["columns"]]


def test_ragged_and_empty_files_are_refused_by_line(tmp_path):
    for text, said in (("a,b\n1,2\n3\n", "line 3 has 1 values"), ("a,b\n", "no rows"), ("a,a\n1,2\n", "named 'a'")):
        path = tmp_path / "bad.csv"
        path.write_text(text)
        with pytest.raises(ConfigError, match=said):
            read_table(path)


def test_a_value_is_said_in_deviations_of_its_mode():
    column = Column("v", "number", (), None, 0.0, 20.0, 0, (10.0,), (2.0,), (1.0,))
    layout = Layout((column,), "modes")
    row = layout.encode([torch.tensor([11.0], dtype=torch.float64)], torch.Generator())
    torch.testing.assert_close(row, torch.tensor([[0.125, 1.0]]))
    torch.testing.assert_close(layout.decode(row)[0], torch.tensor([11.0], dtype=torch.float64))


def test_values_are_asked_for_by_their_log_frequency():
    odds = log_frequencies(torch.tensor([9000, 900, 100]))
    expected = torch.tensor([0.4436375, 0.3314948, 0.2248677], dtype=torch.float64)
    torch.testing.assert_close(odds, expected, atol=1e-6, rtol=0)


def test_asked_rows_have_what_was_asked_for():
    of = {"name": "mixed_table", "samples": 300, "encoding": "modes", "most_modes": 3, "layout": None, "channels": None}
    source = AskedRows(of)
    data = source.load("train")
    assert isinstance(data, Asked) and len(data) == 3000
    rows, condition = data.read(range(500)), data.read_extra(range(500))["condition"]
    assert (condition.sum(1) == 1).all()
    entries = torch.cat([rows[:, block.place] for block in source.layout.asked], 1)
    assert ((entries * condition).sum(1) == 1).all()
    rare = source.layout.asked[-1].size
    assert condition[:, -rare:].sum(0)[-1] > 10  # of 500, where three rows in 300 have it


def test_modes_of_a_mixture_have_its_density():
    random = torch.Generator().manual_seed(0)
    x = torch.cat([torch.randn(3000, generator=random) - 5, 0.5 * torch.randn(1000, generator=random) + 3]).double()
    means, stds, shares = (torch.tensor(of).double() for of in fit_modes(x[torch.randperm(4000, generator=random)], 10))
    assert sum(shares.tolist()) == pytest.approx(1)
    assert float((shares * means).sum()) == pytest.approx(float(x.mean()), abs=0.05)
    spread = (shares * (stds.square() + means.square())).sum() - (shares * means).sum().square()
    assert float(spread) == pytest.approx(float(x.var()), rel=0.03)
    assert float(shares[means > 0].sum()) == pytest.approx(0.25, abs=0.01)


def test_made_tables_are_what_they_say():
    source = MixedTable(4000, "modes", 5, None, None)
    region = next(column for column in source.layout.columns if column.name == "region")
    plan = next(column for column in source.layout.columns if column.name == "plan")
    assert len(region.values) == 5 and plan.values == ("basic", "full", "rare")
    assert plan.counts[2] / 4000 == pytest.approx(0.01, abs=0.005)
    records = Records(16, 4000, None, None).load("train").samples.double()
    shares, odds = latent_classes(16)
    marginal, joint = shares @ odds, torch.einsum("g,gi,gj->ij", shares, odds, odds)
    joint.diagonal().copy_(marginal)
    torch.testing.assert_close(records.mean(0).float(), marginal, atol=0.03, rtol=0)
    torch.testing.assert_close((records.T @ records / 4000).float(), joint, atol=0.03, rtol=0)


# -- CTGAN -----------------------------------------------------------------------------------------

LAYOUT = find_layout(
    {"size": ["1.5", "2.5", "9.0", "8.5"] * 5, "kind": ["a", "b", "a", "c"] * 5}, {"size": "number"}, "modes", 10, 2
).plain()


def test_rows_follow_from_z_and_have_the_value_that_is_asked_for_in_it():
    prior = AskedCategory(4, LAYOUT)
    layout = Layout.of(LAYOUT)
    latent = prior.draw(6, torch.device("cpu"), torch.Generator().manual_seed(0))
    assert latent.z.shape == (6, prior.dim) and (latent.z[:, 4:7].sum(1) == 1).all()
    generator = CTGANGenerator(4, LAYOUT, [8], 0.2).eval()
    rows = generator(latent.z)
    torch.testing.assert_close(rows, generator(latent.z))
    torch.testing.assert_close(rows[2:3], generator(latent.z[2:3]))
    for block in layout.blocks:
        if block.kind == "choice":
            assert (rows[:, block.place].sum(1) == 1).all()
    varied = prior.vary(latent, "kind")
    assert len(varied) == 3 and all((one.z[:, 4 + i] == 1).all() for i, one in enumerate(varied))
    with pytest.raises(ConfigError, match="no column 'size' can be asked for; those are kind"):
        prior.vary(latent, "size")


def test_what_was_asked_for_is_a_cross_entropy_of_its_column_alone():
    layout = Layout.of(LAYOUT)
    logits = torch.randn(3, layout.size, dtype=torch.float64, requires_grad=True)
    condition = as_condition(layout, torch.zeros(3).long(), torch.tensor([0, 2, 1])).double()
    pair = Pair(
        None,
        Batch(torch.zeros(3, 1)),
        Latent(torch.zeros(3, 0)),
        logits,
        made={"logits": logits, "condition": condition},
    )
    block = layout.asked[0]
    loss = AskedValue(layout)(pair, None)
    expected = torch.nn.functional.cross_entropy(logits[:, block.place].float(), torch.tensor([0, 2, 1]))
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, logits)
    outside = torch.ones(layout.size, dtype=torch.bool)
    outside[block.place] = False
    assert gradient[:, outside].eq(0).all() and gradient[:, block.place].ne(0).all()


def test_a_discriminator_of_packs_sees_all_of_a_pack():
    network = CTGANDiscriminator(LAYOUT, 2, [8], 0.0).double()
    x = torch.randn(3, 2, Layout.of(LAYOUT).size, dtype=torch.float64, requires_grad=True)
    given = torch.zeros(3, 2, 3, dtype=torch.float64)
    said = network(x, None, given)
    assert said.logits.shape == (3,)
    (gradient,) = torch.autograd.grad(said.logits[1], x)
    assert gradient[1].ne(0).all() and gradient[[0, 2]].eq(0).all()


# -- medGAN ----------------------------------------------------------------------------------------


def test_records_stand_beside_the_mean_of_their_batch():
    rows = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    expected = torch.tensor([1, 0, 1, 0.5, 0, 1], dtype=torch.float64)
    torch.testing.assert_close(with_mean(rows)[0], expected)


def test_the_error_of_records_is_a_sum_over_columns():
    x, made = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.8, 0.5], [0.5, 0.5]])
    pair = Pair(None, Batch(x), Latent(torch.zeros(2, 0)), made, made={"reconstructed": made})
    expected = -(math.log(0.8) + 3 * math.log(0.5)) / 2
    assert float(RecordReconstruction(False)(pair, None)) == pytest.approx(expected, rel=1e-6)
    assert float(RecordReconstruction(True)(pair, None)) == pytest.approx((0.04 + 0.75) / 4, rel=1e-6)  # their mean


def test_codes_of_counts_have_no_upper_bound():
    counts = 50 * torch.rand(20, 6)
    codes = RecordEncoder(6, 8, True)(counts)
    assert codes.min() == 0 and codes.max() > 1 and RecordEncoder(6, 8, False)(counts).abs().max() <= 1
    z = torch.randn(20, 8)
    assert (MedGANGenerator(8, 0, True)(z) >= z).all() and not (MedGANGenerator(8, 0, False)(z) >= z).all()


def test_the_decoder_moves_with_the_generator_and_only_after_its_stage(compose, tmp_path):
    from tests.helpers.runs import make_run

    stages = "schedule.stages=[{players:[autoencoder],until:1},{players:[discriminator,generator]}]"
    config = compose("experiment=medgan", "debug=smoke", "data.samples=50", "data.bits=8", "train.batch_size=8", stages)
    run = make_run(config, tmp_path)
    before = {name: p.detach().clone() for name, p in run.game.networks.named_parameters()}

    def moved():
        now = dict(run.game.networks.named_parameters())
        changed = {name.split(".")[0] for name, p in before.items() if not torch.equal(p, now[name])}
        before.update({name: p.detach().clone() for name, p in now.items()})
        return changed

    run.game.step(run.batches)
    assert moved() == {"encoder", "decoder"}
    run.game.step(run.batches)
    assert moved() == {"discriminator", "generator", "decoder"}


# -- scores ----------------------------------------------------------------------------------------


def test_scores_are_best_on_the_same_rows_and_worse_on_others():
    source = MixedTable(1500, "modes", 5, None, None)
    layout, rows = source.layout, source.load("train").samples
    held_out = source.load("test").samples
    assert max(marginal_distances(layout, rows, rows)) == 0
    assert max(marginal_distances(layout, held_out, rows)) < 0.06
    shuffled = torch.cat(
        [rows[torch.randperm(1500)][:, block.place] for block in layout.blocks if block.of == "category"], 1
    )
    others = rows.clone()
    others[:, -shuffled.shape[1] :] = shuffled
    of = [as_categories(layout, x, rows) for x in (rows, held_out, others)]
    strong = [cramers_v(x[0].T @ x[2] / 1500) for x in of]  # income, member
    assert strong[0] > 0.3 and abs(strong[1] - strong[0]) < 0.1 and strong[2] < 0.2


def test_distances_of_known_distributions():
    a = torch.arange(10, dtype=torch.float64)
    assert ks_distance(a, a) == 0 and ks_distance(a, a + 100) == 1 and ks_distance(a, a + 5) == pytest.approx(0.5)
    assert cramers_v(torch.eye(3, dtype=torch.float64) / 3) == pytest.approx(1)
    assert cramers_v(torch.full((3, 3), 1 / 9, dtype=torch.float64)) == pytest.approx(0, abs=1e-9)


def test_values_that_were_never_seen_are_refused(file):
    layout = table(file).layout
    rows = {column.name: ["zzz"] for column in layout.columns}
    with pytest.raises(ConfigError, match="which"):
        values_of(layout, rows)
