"""Committees: averages and votes against counts by hand, resumption member by member, one model of many, bad input."""

import itertools

import numpy as np
import pytest
from small import bare, digits_of, settings, split_of, tiny

from mnist_helpers import evaluate, train
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.data.mnist import Split
from mnist_helpers.evaluation import CommitteeEvaluation
from mnist_helpers.models.augmentation import RandomAffine, augmented
from mnist_helpers.training import committees
from mnist_helpers.training.committees import Committee, average_model, train_committee
from mnist_helpers.training.run import Run

pytestmark = pytest.mark.usefixtures("store")
ROUNDING = 1e-5  # probabilities behind sums of some hundred float32 terms, each rounded to 2 ** -24


@pytest.fixture(scope="module")
def digits():
    return digits_of(120, 30, 30)


def quick(**changes):
    return settings(epochs=1, seed=3) | changes


def run_of(model):
    figures = {"history": None, "seconds": 2.0, "train_accuracy": 0.5, "validation_accuracy": 0.5, "seed": 0}
    figures |= {"device": "x", "precision": "float32", "full": False, "from_checkpoint": False, "checkpoint": None}
    return Run(name="made", parameters=10, training_flops=None, settings={}, **figures, model=model)


def committee_of(*models):
    return Committee(tuple(run_of(model) for model in models))


def dense(size=28, classes=10):
    stack = [keras.Input((size, size, 1)), layers.Flatten(), layers.Dense(classes, activation="softmax")]
    return keras.Sequential(stack, name="dense")


def opinions(*members):
    """Probabilities (n, 10) of each member from {digit: probability} an image; what is left is spread evenly."""
    rows = np.empty((len(members), len(members[0]), 10), np.float32)
    for row, told in zip(rows.reshape(-1, 10), itertools.chain(*members), strict=True):
        row[:] = (1 - sum(told.values())) / (10 - len(told))
        for digit, probability in told.items():
            row[digit] = probability
    return rows


def judged(probabilities, labels, name="test"):
    split = Split(np.zeros((len(labels), 4, 4, 1), np.float32), np.array(labels), name, "mnist")
    return CommitteeEvaluation(tuple(evaluate(rows, split) for rows in probabilities))


# Five images; the truth is 3, 3, 7, 1, 0.
THREE = opinions(
    [{3: 0.9}, {3: 0.4, 8: 0.35}, {1: 0.6, 7: 0.4}, {1: 0.50, 2: 0.10}, {5: 0.9}],
    [{3: 0.8}, {3: 0.4, 8: 0.35}, {7: 0.7, 1: 0.3}, {2: 0.45, 1: 0.40}, {6: 0.8}],
    [{5: 0.6}, {8: 0.9, 3: 0.05}, {9: 0.5, 7: 0.1}, {4: 0.30, 1: 0.25}, {6: 0.7}],
)
TRUTH = [3, 3, 7, 1, 0]


def test_averaging_and_voting_by_hand():
    result = judged(THREE, TRUTH)
    # Image 1: two of three vote for 3, but 8 has the larger sum (1.6 against 0.85). Image 2: three different votes,
    # 1, 7 and 9; of these 7 has the largest sum (1.2). Image 3: votes 1, 2 and 4; 1 has the largest sum.
    assert result.average.predictions.tolist() == [3, 8, 7, 1, 6]
    assert result.vote.predictions.tolist() == [3, 3, 7, 1, 6]
    assert (result.average.errors, result.vote.errors) == (2, 1)
    assert [member.errors for member in result.members] == [2, 2, 5]
    np.testing.assert_allclose(result.average.probabilities[0, [3, 5]], [(1.7 + 0.4 / 9) / 3, (0.6 + 0.3 / 9) / 3])
    assert result.average.probabilities.dtype == np.float32 and result.vote.probabilities is None
    assert len(result) == 3
    assert str(result).startswith("members 60.00%, 60.00%, 0.00%; vote 80.00%; average: test accuracy 60.00% (")


def test_a_vote_that_is_tied_ignores_digits_with_fewer_votes():
    # Two votes for 4, two for 6, one for 9. 9 has the largest sum of all, 6 the larger of the tied ones.
    members = [[{4: 0.40, 9: 0.35}], [{4: 0.40, 9: 0.35}], [{6: 0.45, 9: 0.40}], [{6: 0.45, 9: 0.40}], [{9: 1.0}]]
    result = judged(opinions(*members), [6])
    assert result.average.predictions == [9] and result.vote.predictions == [6]


def test_probabilities_are_averaged_in_float64():
    tied = np.zeros((2, 1, 10), np.float32)
    tied[0, 0, [2, 5]], tied[1, 0, [2, 5]] = 0.5, [0, 1e-9]  # in float32, 0.5 + 1e-9 is 0.5
    assert judged(tied, [5]).average.predictions == [5]


def test_every_subset_against_a_loop_over_combinations():
    labels = np.arange(200) % 10
    probabilities = np.random.default_rng(0).dirichlet(np.full(10, 0.3), (4, 200)).astype(np.float32)
    probabilities[:, np.arange(200), labels] += np.random.default_rng(1).random((4, 200), np.float32) / 2
    result = judged(probabilities, labels)
    table = result.by_size()
    expected = [chosen for size in (1, 2, 3, 4) for chosen in itertools.combinations(range(4), size)]
    assert list(table.columns) == ["size", "members", "accuracy", "errors"] and list(table["members"]) == expected
    for size, chosen, accuracy, errors in table.itertuples(index=False):
        mean = np.mean([probabilities[i].astype(float) for i in chosen], axis=0)
        assert errors == sum(mean.argmax(axis=1) != labels) and size == len(chosen)
        assert accuracy == pytest.approx(1 - errors / 200)
    assert table["errors"].nunique() > 5
    assert list(table["errors"][:4]) == [member.errors for member in result.members]
    assert table.iloc[-1]["accuracy"] == result.average.accuracy
    part = CommitteeEvaluation((result.members[0], result.members[2]))
    assert part.average.errors == table.loc[[m == (0, 2) for m in table["members"]], "errors"].item()


def test_a_thousand_subsets_of_ten_thousand_images_are_measured():
    rows = np.random.default_rng(0).random((10, 10_000, 10), np.float32)
    result = judged(rows, np.arange(10_000) % 10)
    assert len(result.by_size()) == 1023  # seconds; tests are no place to measure how many


def test_members_are_trained_and_filed_one_by_one_as_train_does_it(digits, store, monkeypatch):
    def interrupted(model, digits, *, seed, **others):
        if seed == 4:
            raise KeyboardInterrupt
        return train(model, digits, seed=seed, **others)

    stop = keras.callbacks.EarlyStopping("loss", mode="max", patience=1)  # stops as soon as the loss falls
    common = quick(epochs=4, callbacks=[stop])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(committees, "train", interrupted)
        train_committee(tiny, digits, members=2, **common)
    assert len(list(store.iterdir())) == 1
    first = train_committee(tiny, digits, members=2, **common)
    assert [run.from_checkpoint for run in first.runs] == [True, False]
    (store / first.runs[0].checkpoint).unlink()
    second = train_committee(tiny, digits, members=2, **common)
    assert [run.from_checkpoint for run in second.runs] == [False, True]
    kernels = [[model.get_weights()[0] for model in committee.models] for committee in (first, second)]
    np.testing.assert_array_equal(*kernels)
    assert not np.array_equal(*kernels[0]) and [run.seed for run in second.runs] == [3, 4]
    assert [run.epochs for run in second.runs] == [2, 2] and stop.wait == 0  # each member used its own copy
    assert train(tiny(), digits, **common | {"seed": 4}).checkpoint == first.runs[1].checkpoint
    last = train_committee(tiny, digits, members=1, **common | {"seed": 4})
    assert last.runs[0].from_checkpoint  # a member is filed under its own seed, not under its place


def test_a_committee_is_measured_with_its_networks(digits):
    models = [tiny() for _ in range(3)]
    committee = committee_of(*models)
    assert repr(committee) == "3 x made: 30 parameters, trained in 6.0 s"
    assert (len(committee), committee.parameters, committee.seconds) == (3, 30, 6.0)
    result = committee.evaluate(digits.test)
    outputs = [model.predict(digits.test.images, verbose=0) for model in models]
    for member, output in zip(result.members, outputs, strict=True):
        np.testing.assert_allclose(member.probabilities, output, atol=ROUNDING)
    np.testing.assert_allclose(result.average.probabilities, np.mean(outputs, axis=0), atol=ROUNDING)
    assert result.average.split == "test" and result.vote.source == "mnist"
    np.testing.assert_array_equal(result.average.labels, digits.test.labels)


def test_test_time_shifts_are_whole_pixels_with_nothing_coming_in():
    corners = np.zeros((2, 28, 28, 1), np.float32)
    corners[0, 0, 27], corners[1, 5, 9] = 1.0, 0.5
    spy, seen = dense(), []
    spy.predict = lambda images, **keywords: seen.append(images.copy()) or keras.Model.predict(spy, images, **keywords)
    split = Split(corners, np.array([1, 2]), "test", "mnist")
    result = committee_of(spy).evaluate(split, shifts=1)
    assert len(seen) == 9 and all(images.shape == corners.shape for images in seen)
    places = {(int(y), int(x)) for images in seen for y, x in np.argwhere(images[1, :, :, 0] == 0.5)}
    assert places == set(itertools.product((4, 5, 6), (8, 9, 10)))
    # of the upper right corner, 2 x 2 shifts leave a pixel on the image, and nothing comes in at the other side
    rows = sorted(np.argwhere(images[0, :, :, 0])[:, 0].tolist() for images in seen)
    assert rows == [[]] * 5 + [[0], [0], [1], [1]]
    assert {float(images[0].sum()) for images in seen} == {0.0, 1.0}
    outputs = [keras.Model.predict(spy, images, verbose=0) for images in seen]
    np.testing.assert_allclose(result.members[0].probabilities, np.mean(outputs, axis=0), atol=ROUNDING)
    assert spy.predict_function.experimental_get_tracing_count() == 1
    plain = committee_of(spy).evaluate(split, shifts=0).members[0].probabilities
    assert np.abs(plain - result.members[0].probabilities).max() > 1e-4


def test_one_model_of_augmented_members_is_saved_and_loaded_safely(digits, tmp_path):
    members = [augmented(bare(), RandomAffine(rotation=30, width_shift=0.2)) for _ in range(3)]
    mean = np.mean([model.predict(digits.test.images, verbose=0) for model in members], axis=0)
    combined = average_model(members, name="three")
    combined.save(tmp_path / "three.keras")
    for weight in members[0].weights:
        weight.assign(weight * 0)  # the combined model has weights of its own
    loaded = keras.saving.load_model(tmp_path / "three.keras", safe_mode=True)
    for model in (combined, loaded):
        np.testing.assert_allclose(model.predict(digits.test.images, verbose=0), mean, atol=ROUNDING)
    assert loaded.name == "three" and loaded.count_params() == 3 * 6370 and not loaded.compiled
    assert members[0].name == members[1].name == "tiny_augmented"


def test_one_model_of_one_member_and_of_functional_members(digits):
    image = keras.Input((28, 28, 1))
    functional = keras.Model(image, dense()(image), name="dense")
    images = digits.test.images
    for members in ([dense()], [functional, dense()]):
        mean = np.mean([model.predict(images, verbose=0) for model in members], axis=0)
        np.testing.assert_allclose(average_model(members)(images), mean, atol=ROUNDING)


@pytest.mark.parametrize("models", [None, 3, "dense", {0: "dense"}])
def test_an_average_of_what_is_no_sequence_is_refused(models):
    with pytest.raises(TypeError, match=f"'models' parameter of average_model .*Got {type(models).__name__}"):
        average_model(models)


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        (lambda: [], ValueError, "must be one or more Keras models.*Got none"),
        (lambda: [dense(), "dense"], TypeError, "one or more Keras models.*Got str as member 1"),
        (lambda: [dense(), None], TypeError, "Got NoneType as member 1"),
        (lambda: [keras.Sequential([layers.Dense(10)], name="raw")], ValueError, "built.*Got 'raw' as member 0"),
        (
            lambda: [dense(), dense(), dense(size=32)],
            ValueError,
            r"input shape and class count, here \(28, 28, 1\) and \(10,\). Got \(32, 32, 1\) and \(10,\) in member 2",
        ),
        (lambda: [dense(), dense(classes=9)], ValueError, r"class count.*Got \(28, 28, 1\) and \(9,\) in member 1"),
    ],
)
def test_bad_members_are_refused_everywhere(digits, models, error, message):
    with pytest.raises(error, match=f"'models' parameter of average_model .*{message}"):
        average_model(models())
    with pytest.raises(error, match=f"'runs' parameter of Committee .*{message}"):
        committee_of(*models())
    if made := models():
        with pytest.raises(error, match=f"'factory' parameter of train_committee .*{message}"):
            train_committee(iter(made).__next__, digits, members=len(made), **quick())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"members": 0}, ValueError, "'members' parameter of train_committee must be at least 1. Got 0"),
        ({"members": 2.0}, TypeError, "'members'.*an integer"),
        ({"seed": -1}, ValueError, "'seed' parameter of train_committee must be at least 0"),
        ({"keep": "predictions"}, ValueError, "'keep' parameter of train must be one of {'weights', 'int8'}"),
        ({"factory": bare}, ValueError, "must be compiled"),
        ({"epochs": 0}, ValueError, "'epochs' parameter of train must be at least 1"),
        ({"factory": dense()}, TypeError, "'factory'.*be a function that returns a new Keras.*Got <Sequential"),
        ({"factory": "tiny"}, TypeError, "'factory' parameter of train_committee must be a function.*Got 'tiny'"),
    ],
)
def test_bad_arguments_are_refused(digits, change, error, message):
    arguments = {"factory": tiny, "members": 2} | quick(**change)
    with pytest.raises(error, match=message):
        train_committee(arguments.pop("factory"), digits, **arguments)


def test_a_factory_that_returns_one_object_twice_is_refused_before_training(digits, store):
    model = tiny()
    with pytest.raises(ValueError, match="returns a new Keras model each time. Got the same object twice"):
        train_committee(lambda: model, digits, members=2, **quick())
    assert not store.exists()


def test_bad_runs_and_evaluations_are_refused():
    result = judged(THREE, TRUTH)
    split = split_of(5, "test", 0)
    cases = [
        ((), ValueError, "'members' parameter of CommitteeEvaluation must be one or more evaluations.*Got none"),
        ((result.members[0], THREE[1]), TypeError, "Got ndarray as member 1"),
        ((result.members[0], result.vote), ValueError, "with probabilities.*Got predictions alone as member 1"),
        ((result.members[0], judged(THREE, [0, 1, 2, 3, 4]).members[0]), ValueError, "on the same images"),
        ((result.members[0], judged(THREE, TRUTH, "validation").members[0]), ValueError, r"5 of mnist \(validation\)"),
    ]
    for members, error, message in cases:
        with pytest.raises(error, match=message):
            CommitteeEvaluation(members)
    with pytest.raises(TypeError, match="'runs' parameter of Committee must be a sequence of Run objects. Got Seq"):
        Committee((dense(),))
    with pytest.raises(ValueError, match=r"by_size must be at most 14 \(of m members.*Got 15 instead"):
        CommitteeEvaluation(result.members * 5).by_size()
    committee = committee_of(dense())
    for shifts, error, message in [
        (-1, ValueError, "at least 0"),
        (0.5, TypeError, "an integer"),
        (28, ValueError, "sma"),
    ]:
        with pytest.raises(error, match=f"'shifts' parameter of Committee.evaluate must be {message}"):
            committee.evaluate(split, shifts=shifts)
    with pytest.raises(ValueError, match=r"split.images.*must be of shape \(n, 32, 32, 1\) for this model"):
        committee_of(dense(size=32)).evaluate(split)
