"""Made tokens and series: their laws, and what metrics say of the truth."""

import math

import pytest
import torch

from gan_framework.core import seeding
from gan_framework.errors import ConfigError
from gan_zoo.datasets.series import Series
from gan_zoo.datasets.token_grammar import TokenGrammar, TokenPairs
from gan_zoo.datasets.tokens import UNKNOWN, Tokens
from gan_zoo.grammars import Arithmetic, Markov, OracleLSTM, Templates
from gan_zoo.metrics.ngrams import jensen_shannon, self_bleu
from gan_zoo.metrics.series_scores import discriminative_score, predictive_score
from gan_zoo.metrics.series_statistics import autocorrelation, marginal_distance


def drawn(grammar, n):
    return grammar.sample(n, seeding.generator(0, "test"))


def entropy_of_markov(length):
    """Return the entropy of a sequence of the source `markov`, in nats."""
    return math.log(10) - (length - 1) * sum(p * math.log(p) for _, p in Markov.ways)


def test_the_entropy_of_markov():
    assert entropy_of_markov(2) - math.log(10) == pytest.approx(0.8979457, abs=1e-7)
    assert entropy_of_markov(12) == pytest.approx(12.1799881, abs=1e-7)


def test_markov_says_of_its_own_samples_their_entropy():
    grammar = Markov(12, 10)
    found = -grammar.log_likelihood(drawn(grammar, 20_000))
    assert found.mean().item() == pytest.approx(entropy_of_markov(12), abs=4 * found.std().item() / 20_000**0.5)


def test_markov_is_a_distribution_of_which_little_is_valid_by_chance():
    grammar = Markov(4, 10)
    every = torch.cartesian_prod(*[torch.arange(10)] * 4)
    probability = grammar.steps(every).prod(1)
    assert probability.sum().item() == pytest.approx(1)
    assert grammar.valid(every).double().mean().item() == pytest.approx(0.3**3)
    assert torch.equal(grammar.valid(every), probability > 0)


def test_impossible_steps_are_counted_with_one_in_a_million():
    tokens = torch.tensor([[0, 1, 4, 5]])  # 1 to 4 cannot be
    assert Markov(4, 10).log_likelihood(tokens).item() == pytest.approx(math.log(0.1 * 0.6 * 1e-6 * 0.6))


def test_arithmetic_is_a_distribution_over_balanced_terms():
    grammar = Arithmetic(5, 6)
    every = torch.cartesian_prod(*[torch.arange(6)] * 5)
    probability = grammar.steps(every).prod(1)
    assert probability.sum().item() == pytest.approx(1)
    written = {"".join(grammar.symbols[i] for i in row) for row in every[probability > 0].tolist()}
    assert {"x", "x+x", "x-x+x", "(x)", "((x))", "(x+x)", "x+(x)"} <= written
    for term in written:
        assert isinstance(eval(term, {"x": 1}), int)  # noqa: S307 (terms of x, +, - and brackets)
    assert grammar.valid(drawn(Arithmetic(15, 6), 500)[:, :15]).numel() == 500


def test_long_terms_come_to_an_end():
    grammar = Arithmetic(15, 6)
    tokens = drawn(grammar, 2000)
    assert grammar.valid(tokens).all()
    assert torch.isfinite(grammar.log_likelihood(tokens)).all()


def test_the_oracle_is_the_same_every_time_and_all_can_be():
    first, second = OracleLSTM(6, 20), OracleLSTM(6, 20)
    tokens = drawn(first, 300)
    assert torch.equal(first.steps(tokens), second.steps(tokens))
    assert first.steps(tokens[:, :1].expand(-1, 6)).min() > 0
    uniform = torch.randint(20, (300, 6), generator=torch.Generator().manual_seed(0))
    assert first.log_likelihood(tokens).mean() > first.log_likelihood(uniform).mean() + 5


def test_strings_are_of_their_templates():
    grammar = Templates(10, 40)
    tokens = drawn(grammar, 3000)
    assert grammar.valid(tokens).all()
    # log 200 words, log 3 lengths, one digit in the mean, log 4 marks
    entropy = math.log(200) + math.log(3) + math.log(10) + math.log(4)
    assert -grammar.log_likelihood(tokens).mean().item() == pytest.approx(entropy, abs=0.15)


@pytest.mark.parametrize("text", ["xx", "{}123", "{}1!!", "1{}", "{}!1", "{}A"])
def test_what_no_template_makes_is_not_valid(text):
    grammar = Templates(10, 40)
    written = text.format(grammar.words[0])
    known = [symbol for symbol in written if symbol in grammar.symbols]
    tokens = torch.zeros(1, 10, dtype=torch.int64)
    tokens[0, : len(known)] = torch.tensor([grammar.symbols.index(symbol) for symbol in known])
    if len(known) == len(written):
        assert not grammar.valid(tokens).item()
    tokens[0] = torch.tensor([0, *[grammar.symbols.index(s) for s in grammar.words[0]]] + [0] * 9)[:10]
    assert not grammar.valid(tokens).item()  # padding before a word


def test_pairs_are_reversed_and_relabelled():
    data = TokenPairs(5, 10, 20).load("train")
    source, target = data.read_extra([3])["source"][0].tolist(), data.read([3])[0].tolist()
    assert target == [(symbol + 3) % 10 for symbol in reversed(source)]


def test_a_source_says_what_it_refuses():
    with pytest.raises(ConfigError, match=r"data.kind='english'.*markov"):
        TokenGrammar("english", 12, 10, 5)
    with pytest.raises(ConfigError, match="vocabulary=12.*markov has 10"):
        TokenGrammar("markov", 12, 12, 5)


def test_sines_have_their_variance_and_autocorrelation():
    series = Series("sines", 1, 30, 0, 40_000).load("train").samples.double()
    assert series.var().item() == pytest.approx(0.1516667, abs=0.003)
    expected = torch.tensor([0.785565, 0.274118, -0.233872, -0.480201, -0.413497, -0.189207])
    assert torch.allclose(autocorrelation(series, 6)[0].float(), expected, atol=0.02)


def test_ar1_forgets_a_tenth_in_each_step():
    series = Series("ar1", 2, 50, 0, 8000).load("train").samples.double()
    assert torch.allclose(
        autocorrelation(series, 3), torch.tensor([[0.9, 0.81, 0.729]]).double().expand(2, 3), atol=0.01
    )
    assert series.var().item() == pytest.approx(1, abs=0.03)


def test_a_smooth_process_has_the_correlation_of_its_kernel():
    series = Series("smooth", 1, 40, 0, 8000).load("train").samples.double()
    expected = torch.exp(-0.5 * (torch.arange(1.0, 4) / 4) ** 2)
    # Of pairs of places, without the border that another mean would cost.
    centre = series[:, 0, 18]
    found = torch.stack([(centre * series[:, 0, 18 + lag]).mean() for lag in (1, 2, 3)])
    assert torch.allclose(found.float(), expected, atol=0.05)


def test_divergence_of_two_distributions():
    first = {(0,): 2, (1,): 2}
    second = {(0,): 1, (1,): 1, (2,): 2}
    assert jensen_shannon(first, second) == pytest.approx(0.2157616, abs=1e-7)
    assert jensen_shannon(first, {(0,): 50, (1,): 50}) == 0
    assert jensen_shannon({(0,): 1}, {(1,): 1}) == pytest.approx(math.log(2))


def test_repetition_is_one_of_the_same_and_nothing_of_strangers():
    assert self_bleu(torch.tensor([[1, 2, 3, 4]] * 3), 2) == pytest.approx(1)
    assert self_bleu(torch.tensor([[1, 2, 3], [4, 5, 6]]), 2) < 1e-4
    # Of each sequence two of three symbols and one of two pairs stand in the other.
    assert self_bleu(torch.tensor([[1, 2, 3], [1, 2, 4]]), 2) == pytest.approx(math.sqrt(2 / 3 * 1 / 2))


def test_marginals_are_as_far_apart_as_they_are_shifted():
    values = torch.randn(200, 1, 5, generator=torch.Generator().manual_seed(0)).double()
    assert marginal_distance(values, values + 0.25).item() == pytest.approx(0.25)
    assert marginal_distance(values, values.flip(2)).item() == 0


def test_series_of_another_law_are_told_apart_and_teach_less():
    real, same = (Series("sines", 1, 8, 0, 300).load(split).samples for split in ("train", "test"))
    assert discriminative_score(real, same + 0.8, 40, 8) > 0.35 > discriminative_score(real, same, 40, 8) + 0.1
    other = same * torch.tensor([1.0, -1.0]).repeat(4)
    assert predictive_score(real, same, 60, 8) < predictive_score(real, other, 60, 8) - 0.05


def tokens(tmp_path, text, **settings):
    path = tmp_path / "lines.txt"
    path.write_text(text, encoding="utf-8")
    return Tokens(
        path,
        None,
        **{"test_share": 0.0, "unit": "characters", "length": None, "vocabulary": None, "lower": False} | settings,
    )


def test_lines_become_characters_with_padding(tmp_path):
    source = tokens(tmp_path, "ba\n\nabc\n")
    assert (source.symbols, source.shape.sample, source.shape.vocabulary) == (("", "a", "b", "c"), (3, 4), 4)
    assert source.load("train").read([0, 1]).tolist() == [[2, 1, 0], [1, 2, 3]]


def test_rare_words_are_one_symbol(tmp_path):
    source = tokens(tmp_path, "to be or not to be\nTo err is not to be\n", unit="words", vocabulary=4, lower=True)
    assert source.symbols == ("", UNKNOWN, "be", "to")
    assert source.load("train").read([1]).tolist() == [[3, 1, 1, 1, 3, 2]]


def test_lines_end_where_those_of_text_files_do(tmp_path):
    source = tokens(tmp_path, "a\u2028b\r\nc\x1dd\n\ne", test_share=0.0)
    assert len(source.load("train")) == 3 and source.shape.sample[0] == 3
    assert "\u2028" in source.symbols


def test_long_lines_are_left_out_and_this_is_said(tmp_path):
    data = tokens(tmp_path, "ab\nabcdef\nb\n", length=2).load("train")
    assert len(data) == 2
    assert data.notes == ("1 lines of more than 2 characters left out",)


def test_a_held_out_line_is_never_trained_on(tmp_path):
    source = tokens(tmp_path, "".join(f"{number}\n" for number in range(300)) * 2, test_share=0.2)
    train, test = ({tuple(row) for row in source.load(split).samples.tolist()} for split in ("train", "test"))
    assert not train & test
    assert len(train | test) == 300
    assert 30 < len(test) < 90


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("\n\n", {}, "no line that is not empty"),
        ("ab\n", {"unit": "letters"}, "data.unit=letters must be characters or words"),
        ("abc\n", {"length": 2, "vocabulary": None}, "none of its 1 lines has at most data.length=2"),
        ("abc\n", {"vocabulary": 3}, "data.vocabulary=3: .* has 4 symbols"),
        ("a ${b}\n", {"unit": "words"}, "has the word '\\$\\{b\\}'"),
        (" ".join(map(str, range(5000))), {"unit": "words"}, "has 5,001 symbols, and there can be 5,000"),
    ],
)
def test_what_a_text_file_cannot_give_is_said(tmp_path, text, settings, message):
    with pytest.raises(ConfigError, match=message):
        tokens(tmp_path, text, **settings).load("train")


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nothing.txt: there is no such file"):
        Tokens(tmp_path / "nothing.txt", None, 0.1, "words", None, None, False)
