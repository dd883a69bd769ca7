"""The graders of notebook 13: the solutions pass, and usual mistakes get the hint meant for them."""

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers import check
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.course.exercises import nb_13
from mnist_helpers.course.exercises.grading import in_words
from mnist_helpers.data import mnist

test_luckiest = judged(
    "13-1",
    [
        (1 - 0.933**11, RIGHT),
        (0.533, RIGHT),
        (..., OPEN),
        (0.737, "adds up"),
        (0.467, "none of them"),
        (0.067**11, "all of them"),
        (1 - 0.933**10, "not ten"),
        (11 * 0.067 * 0.933**10, "exactly one"),
        (0.9, "eleven times"),
        ("half", "one number"),
    ],
)

test_luckiest_of_eighteen = judged(
    "13-1",
    [
        (1 - 0.977**18, RIGHT),
        (18 * 0.023, "adds up the eighteen chances. With 45 candidates"),
        (0.977**18, "none of them"),
        (1 - 0.977**19, "there are eighteen comparisons, not nineteen"),
        (1 - 0.977**17, "there are eighteen comparisons, not seventeen"),
        (18 * 0.023 * 0.977**17, "exactly one"),
        (1 - 0.933**11, "0.977 x 0.977 x ..., eighteen times"),
    ],
    variant=3,
)


@pytest.mark.parametrize(("setting", "enough"), [*zip(nb_13.COMPARISONS, (16, 11, 27, 45), strict=True)])
def test_the_number_of_candidates_whose_chances_add_up_to_more_than_1(setting, enough):
    chance = setting["chance"]
    assert (enough - 2) * chance <= 1 < (enough - 1) * chance  # one of them is compared with all others
    hint = nb_13.luckiest(setting["comparisons"] * chance, **setting)
    assert f"With {in_words(enough)} candidates" in hint


def rule(ahead, error=np.sqrt, swapped=False):
    def decide(first, second):
        b, c = np.sum(first & ~second), np.sum(second & ~first)
        if b == c or abs(b - c) < ahead * error(b + c):
            return "undecided"
        return "first" if (b > c) == swapped else "second"

    return decide


def unpaired(first, second):
    b, c = first.sum(), second.sum()
    return "undecided" if b == c or abs(b - c) < 1.5 * np.sqrt(b + c) else "second" if b > c else "first"


test_decide = judged(
    "13-2",
    [
        (rule(1.5), RIGHT),
        (lambda first, second: ..., OPEN),
        (rule(1.5, swapped=True), "3.2 standard errors"),
        (rule(0.1), "standard error of 6.7"),
        (unpaired, "500 images that both misread"),
        (rule(1.96), "enough"),
        (rule(1.5, error=lambda total: total), "3.2 standard errors"),
        (lambda first, second: 3, "should be"),
        (lambda first, second: None, "returns None"),
    ],
)


@pytest.fixture
def known(monkeypatch):
    digits = digits_of(60, 60, 10)
    monkeypatch.setattr(mnist, "current", lambda: digits)
    return digits


def trained(digits, *inner, fit=True, outputs=10):
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), *inner, layers.Flatten(), layers.Dense(outputs, activation="softmax")]
    )
    network.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    if fit:  # on what it is judged by: these few digits are noise, and only whether it was fitted matters
        network.fit(digits.validation.images, digits.validation.labels, epochs=15, batch_size=10, verbose=0)
    return network


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        (trained, None),
        (lambda digits: trained(digits, layers.Flatten(), layers.Dense(13)), "10,000 are allowed"),
        (lambda digits: trained(digits, fit=False), "not trained"),
        (lambda digits: trained(digits, fit=False, outputs=9), "ten outputs"),
        (lambda digits: "network", "Keras network"),
    ],
)
def test_a_very_small_network(known, build, hint):
    result = check("13-3", build(known))
    assert result.passed is (hint is None), result.message
    assert hint is None or hint in result.message


def test_a_very_small_network_that_reads_too_little(known, monkeypatch):
    monkeypatch.setattr("mnist_helpers.course.exercises.nb_13.validation_accuracy", lambda network, digits: 0.2)
    result = check("13-3", trained(known, fit=False))
    assert not result.passed and "20.0%" in result.message
