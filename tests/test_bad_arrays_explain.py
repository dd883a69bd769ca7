"""No wrong array is explained; and every public function that takes arrays is tried with wrong ones."""

import bad_arrays as bad
import numpy as np
import pytest
import test_bad_arrays
import test_bad_arrays_plotting
from bad_arrays import IMAGES, JUNK, LABELS, NOTHING, Case, assert_refused
from explained import convolutional
from hypothesis import strategies as st
from public import NOTEBOOKS, parameters_for_arrays, public_functions, used_in

from mnist_helpers import RandomAffine, explain, layers
from mnist_helpers.backend import keras

NET = convolutional()
HEAT = IMAGES[..., 0]
OTHER_SIZE = st.just(IMAGES[:, :5])
PICTURES = bad.bad_images() | OTHER_SIZE
ONE_FOR_ALL = bad.bad_labels(or_one=True)
COUNTS = NOTHING | st.sampled_from([[], [0], [7], [2.0], [np.nan], [[1, 2]], np.ones((2, 2), int)])
UNITS = st.sampled_from([[], [10], [-1], [2.0], [np.nan], [[1, 2]], np.ones((2, 2), int)])
CLASSES = JUNK | UNITS | st.just([1, 1])
FILLINGS = st.sampled_from([None, "dark", -0.1, 1.5, np.nan, [0.5]]) | bad.bad_images(IMAGES[0])
SHARES = NOTHING | st.sampled_from([[], [1.5], [-0.1], [np.nan], ["0.5"], [[0.5]]])


def explaining(name, *more, **settings):
    """The call of a function of the package with its first arguments: images, and what more it takes."""
    return lambda x: getattr(explain, name)(NET, x, *more, **settings)


def curve(**changes):
    given = {"model": NET, "images": IMAGES, "targets": LABELS, "importance": HEAT} | changes
    return explain.deletion_curve(**given)


CASES = [
    *[
        Case(name, "images", explaining(name, *more), PICTURES)
        for name, more in {
            "saliency": [LABELS],
            "integrated_gradients": [LABELS],
            "occlusion": [LABELS],
            "deletion_curve": [LABELS, HEAT],
            "activations": ["conv_1"],
            "shap_values": [IMAGES],
            "target_shap_values": [LABELS, IMAGES],
            "background_agreement": [IMAGES, [1]],
        }.items()
    ],
    Case("saliency", "targets", lambda x: explain.saliency(NET, IMAGES, x), ONE_FOR_ALL),
    Case("integrated_gradients", "targets", lambda x: explain.integrated_gradients(NET, IMAGES, x), ONE_FOR_ALL),
    Case(
        "integrated_gradients",
        "baseline",
        lambda x: explain.integrated_gradients(NET, IMAGES, LABELS, baseline=x),
        FILLINGS | OTHER_SIZE,
    ),
    Case("occlusion", "targets", lambda x: explain.occlusion(NET, IMAGES, x), ONE_FOR_ALL),
    Case("occlusion", "value", lambda x: explain.occlusion(NET, IMAGES, LABELS, value=x), FILLINGS),
    Case("deletion_curve", "targets", lambda x: curve(targets=x), ONE_FOR_ALL),
    Case("deletion_curve", "importance", lambda x: curve(importance=x), bad.bad_numbers(HEAT, right=[HEAT.shape])),
    Case("deletion_curve", "fractions", lambda x: curve(fractions=x), SHARES),
    Case("deletion_curve", "value", lambda x: curve(value=x), FILLINGS),
    Case("random_importance", "images", explain.random_importance, bad.bad_images()),
    Case("shap_values", "background", lambda x: explain.shap_values(NET, IMAGES, x), PICTURES),
    Case("shap_values", "classes", lambda x: explain.shap_values(NET, IMAGES, IMAGES, classes=x), CLASSES),
    Case("target_shap_values", "targets", lambda x: explain.target_shap_values(NET, IMAGES, x, IMAGES), ONE_FOR_ALL),
    Case("target_shap_values", "background", lambda x: explain.target_shap_values(NET, IMAGES, 1, x), PICTURES),
    Case("background_agreement", "background", lambda x: explain.background_agreement(NET, IMAGES, x, [1]), PICTURES),
    Case("background_agreement", "sizes", lambda x: explain.background_agreement(NET, IMAGES, IMAGES, x), COUNTS),
    Case(
        "background_agreement",
        "classes",
        lambda x: explain.background_agreement(NET, IMAGES, IMAGES, [1], classes=x),
        CLASSES,
    ),
    # each try builds a network: here the junk, which every case meets in any event, is not drawn once more
    Case("maximise", "unit", lambda x: explain.maximise(NET, unit=x), UNITS | st.none()),
    Case("randomised", "layers", lambda x: explain.randomised(NET, seed=0, layers=x), JUNK),
    *[
        Case(name, "model", getattr(explain, name), NOTHING | st.sampled_from([IMAGES, keras.Sequential()]))
        for name in ("inference_model", "layer_names", "first_kernels")
    ],
]
EVERY = [*test_bad_arrays.CASES, *test_bad_arrays_plotting.CASES, *CASES]

MADE_HERE = "the library makes these objects; nobody else has to"
BY_KERAS = "Keras calls it with tensors; wrong ranks are refused when the layer is built, see below"
ANY_LOSS = "Keras's own names, functions and objects; tests/test_training.py has the wrong ones"
EXCEPTIONS = {
    **dict.fromkeys(("Run", "EstimatorRun", "RangeTest"), MADE_HERE),
    **dict.fromkeys(("ShapValues", "IntegratedGradients", "Maximised"), MADE_HERE),
    **dict.fromkeys(("RandomAffine", "LocalResponseNormalization", "Inception", "leaky_relu"), BY_KERAS),
    **dict.fromkeys(("train.loss", "learning_rate_range_test.loss"), ANY_LOSS),
    "train_committee.settings": "train's, which refuses wrong ones",
    "record.run": "takes what the library trained; tests/test_leaderboard.py has the wrong ones",
    "check": "takes whatever a learner gives as an answer, and never raises",
    "show_source": "takes a function",
    "claim": "takes any truth value, and evidence that can be printed",
}


def excepted(function, parameter):
    """Return which exceptions say so."""
    return {function, function.split(".")[0], f"{function}.{parameter}"} & set(EXCEPTIONS)


def is_tried(function, parameter):
    return any(case.function == function and parameter in case.parameter.split("|") for case in EVERY)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_wrong_input_is_refused_by_name(case):
    assert_refused(case)


def test_every_parameter_that_may_hold_arrays_is_tried_or_has_a_reason_not_to_be():
    found = list(parameters_for_arrays())
    assert len(found) > 80 and ("evaluate", "split") in found
    left = [pair for pair in found if not is_tried(*pair) and not excepted(*pair)]
    assert not left
    assert set(EXCEPTIONS) == set().union(*(excepted(*pair) for pair in found if not is_tried(*pair)))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem[:2])
def test_all_that_a_notebook_takes_from_the_library_is_public(notebook):
    used, public = used_in(notebook), [function for _, function in public_functions()]
    assert {"Budget", "load_mnist"} <= set(used)
    own = {name: each for name, each in used.items() if getattr(each, "__module__", "").startswith("mnist_helpers")}
    assert not [name for name, each in own.items() if not any(each is function for function in public)]


def test_every_case_and_every_exception_is_of_a_public_function():
    names = {name for name, _ in public_functions()}
    assert {case.function for case in EVERY} <= names
    assert {name.split(".")[0] for name in EXCEPTIONS} <= names


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(layers.LocalResponseNormalization(), (8,)), (layers.Inception([1] * 6), (2, 8, 8)), (RandomAffine(), (2, 8))],
)
def test_layers_refuse_other_ranks_when_they_are_built(layer, shape):
    name = type(layer).__name__
    with pytest.raises(ValueError, match=rf"'(x|images)' parameter of {name} must be of shape \(batch, .* Got shape"):
        layer(np.zeros(shape, np.float32))
