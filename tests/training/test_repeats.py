"""repeat(): one outcome per seed, the same whether stored or trained, and each the run that train makes."""

import numpy as np
import pytest
from small import bare, digits_of, settings, tiny

from mnist_helpers import repeat, train

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def digits():
    return digits_of(120, 40, 30)


def study(digits, **changes):
    chosen = settings(epochs=2, seeds=range(2)) | changes
    del chosen["seed"]
    return repeat(tiny, digits, **chosen)


def test_outcomes_are_the_same_stored_or_not_and_those_of_train(digits, store):
    first, second = study(digits), study(digits)
    assert [o.from_checkpoint for o in first] == [False] * 2 and [o.from_checkpoint for o in second] == [True] * 2
    for seed, (one, other) in enumerate(zip(first, second, strict=True)):
        assert one.seed == other.seed == seed and not hasattr(one, "model")
        run = train(tiny(), digits, **settings(epochs=2, seed=seed))
        for outcome in (one, other):
            assert outcome.evaluate(digits.test).errors == run.evaluate(digits.test).errors
            np.testing.assert_array_equal(
                outcome.predictions["validation"], run.evaluate(digits.validation).predictions
            )
            assert outcome.history.equals(run.history) and outcome.validation_accuracy == run.validation_accuracy
    assert all((store / outcome.checkpoint).stat().st_size < 10_000 for outcome in first)
    assert study(digits, seeds=[1, 5])[0].from_checkpoint


def test_a_study_is_a_sequence_with_a_history_for_seaborn(digits, capsys):
    repeats = study(digits, seeds=range(3), verbose=1)
    assert len(repeats) == 3 and [outcome.seed for outcome in repeats[1:]] == [1, 2]
    assert list(repeats.history[["seed", "epoch"]].itertuples(index=False, name=None)) == [
        (seed, epoch) for seed in range(3) for epoch in (1, 2)
    ]
    assert repeats.validation_accuracies.mean() == pytest.approx(np.mean([o.validation_accuracy for o in repeats]))
    told = capsys.readouterr().out
    assert told.startswith("3 x tiny: validation accuracy ") and told.count("\n") == 1
    assert [evaluation.split for evaluation in repeats.evaluate(digits.test)] == ["test"] * 3


def test_one_seed_has_no_deviation(digits):
    assert "deviation" not in repr(study(digits, seeds=[0]))


def test_other_images_have_no_predictions(digits):
    outcome = study(digits)[0]
    for split in (digits.train, digits.test.take(10)):
        with pytest.raises(ValueError, match="'split' parameter of Outcome.evaluate must be the digits' validation or"):
            outcome.evaluate(split)


def test_smoke_takes_one_seed_and_one_epoch(digits, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    repeats = study(digits)
    assert len(repeats) == 1 and repeats[0].epochs == 1 and repeats[0].checkpoint is None


@pytest.mark.parametrize(
    ("factory", "seeds", "error", "message"),
    [
        (tiny, [], TypeError, "Got no seeds"),
        (tiny, 3, TypeError, "'seeds' parameter of repeat must be a sequence of integers. Got int"),
        ("tiny", [0], TypeError, "'factory' parameter of repeat must be a function.*Got 'tiny'"),
        (bare, [0], ValueError, "must be compiled"),
    ],
)
def test_bad_arguments_are_refused(digits, factory, seeds, error, message):
    with pytest.raises(error, match=message):
        repeat(factory, digits, seeds=seeds, epochs=1)
