"""Keys: any setting, layer, seed or image changes them; names, wrappers and library versions do not."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from small import digits_of, tiny

from mnist_helpers import models
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.data.mnist import Split
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.plan import check_model, make_plan, targets_for
from mnist_helpers.training.signature import describe_model


@pytest.fixture(scope="module")
def digits():
    return digits_of(40, 20, 10)


def key(data, **changes):
    chosen = {
        "model": tiny(),
        "digits": data,
        "epochs": 3,
        "batch_size": 64,
        "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy",
        "seed": 0,
        "callbacks": (),
        "warm_start": False,
        "keep": "weights",
    }
    return make_plan(**(chosen | changes)).key


def other_images(digits, part):
    split = getattr(digits, part)
    images = split.images.copy()
    images[0, 0, 0, 0] += 1 / 255
    return replace(digits, **{part: Split(images, split.labels, split.name, split.source)})


def stop(**settings):
    return (keras.callbacks.EarlyStopping(**settings),)


CHANGES = {
    "epochs": lambda digits: {"epochs": 4},
    "batch size": lambda digits: {"batch_size": 65},
    "seed": lambda digits: {"seed": 1},
    "loss": lambda digits: {"loss": "mean_squared_error"},
    "setting of a loss": lambda digits: {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)},
    "optimizer": lambda digits: {"optimizer": "sgd"},
    "learning rate": lambda digits: {"optimizer": keras.optimizers.Adam(0.0011)},
    "setting of an optimizer": lambda digits: {"optimizer": keras.optimizers.Adam(beta_2=0.995)},
    "schedule": lambda digits: {"optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.001, 3))},
    "callback": lambda digits: {"callbacks": stop(patience=2)},
    "setting of a callback": lambda digits: {"callbacks": stop(patience=3)},
    "activation": lambda digits: {"model": tiny("tanh")},
    "dropout": lambda digits: {"model": tiny(rate=0.3)},
    "warm start": lambda digits: {"warm_start": True},
    "what is kept": lambda digits: {"keep": "predictions"},
    "training images": lambda digits: {"digits": other_images(digits, "train")},
    "validation images": lambda digits: {"digits": other_images(digits, "validation")},
}


def test_every_change_of_what_is_trained_changes_the_key(digits):
    keys = {name: key(digits, **change(digits)) for name, change in CHANGES.items()}
    keys["nothing"] = key(digits)
    assert len(set(keys.values())) == len(keys), keys


def test_what_does_not_matter_keeps_the_key(digits):
    assert key(digits) == key(digits, optimizer=keras.optimizers.Adam(0.001, name="mine"))
    assert key(digits) == key(digits, loss=keras.losses.sparse_categorical_crossentropy)
    assert key(digits) == key(other_images(digits, "test"))
    keras.layers.Dense(3)  # shifts the names that Keras gives to layers
    assert key(digits) == key(digits)


def test_a_new_option_of_a_newer_keras_that_is_off_keeps_the_key(monkeypatch):
    model = models.lenet_like(normalization=True)
    before = checkpoints.key_of(describe_model(model))
    config = copy.deepcopy(model.get_config())
    for layer in config["layers"]:
        layer["config"] |= {"new_option": None, "another": False, "name": layer["config"]["name"]}
        layer["module"] = "keras.moved"
    monkeypatch.setattr(model, "get_config", lambda: config)
    assert checkpoints.key_of(describe_model(model)) == before
    config["layers"][2]["config"]["new_option"] = "on"
    assert checkpoints.key_of(describe_model(model)) != before


def test_wiring_and_layer_kinds_change_the_key():
    def network(crossed, pooling):
        image = keras.Input((28, 28, 1))
        one, two = (layers.Conv2D(2, 3)(image) for _ in range(2))
        pooled = getattr(layers, pooling)(2)(one if crossed else two)
        joined = layers.Concatenate()([layers.Flatten()(one), layers.Flatten()(pooled)])
        return keras.Model(image, layers.Dense(10)(joined), name="net")

    kinds = [(False, "MaxPooling2D"), (True, "MaxPooling2D"), (True, "AveragePooling2D")]
    keys = [checkpoints.key_of(describe_model(network(*kind))) for kind in kinds]
    assert len(set(keys)) == 3
    assert keys[0] == checkpoints.key_of(describe_model(network(*kinds[0])))


def test_all_networks_of_the_series_have_keys_of_their_own():
    networks = [
        *(models.lenet5(activation) for activation in ("relu", "sigmoid", "tanh", "elu", "leaky_relu")),
        *(models.lenet5(output=output) for output in ("linear", "tanh")),
        *(models.lenet_like(rescale=rescale) for rescale in (1.0, 255.0)),
        models.lenet_like(dropout=0.45),
        models.lenet_like(normalization=True),
        models.small_cnn(),
        models.small_cnn(pool_stride=1),
    ]
    assert len({checkpoints.key_of(describe_model(network)) for network in networks}) == len(networks)


def test_keys_of_today_are_keys_of_tomorrow():
    # Written down once. If this fails after an upgrade, every stored checkpoint would be orphaned: mend the signature.
    assert checkpoints.key_of(describe_model(models.lenet5("leaky_relu"))) == "6cc91cbf90e84f54"
    assert checkpoints.key_of(describe_model(models.inception_net())) == "9133843e3267df1f"
    assert np.unique([len(path.stem.split("-")[-1]) for path in checkpoints.series_directory().glob("*.npz")]) == 16


@pytest.mark.parametrize("path", sorted(checkpoints.series_directory().glob("*.npz")), ids=lambda path: path.stem)
def test_every_checkpoint_of_the_series_is_whole_and_under_its_own_key(path):
    stored = checkpoints.read(path, path.stem.split("-")[-1])
    if "description" in stored.record:
        assert checkpoints.key_of(stored.record["description"]) == path.stem.split("-")[-1]


def ending_in(*outputs, shape=(28, 28, 1)):
    """A network of this many outputs, or several."""
    image = keras.Input(shape)
    flat = layers.Flatten()(image)
    ends = [layers.Dense(output)(flat) for output in outputs]
    return keras.Model(image, ends if len(ends) > 1 else ends[0], name="net")


@pytest.mark.parametrize(
    ("network", "got"),
    [
        (lambda: ending_in(7), r"\(None, 7\)"),
        (lambda: ending_in(11), r"\(None, 11\)"),
        (lambda: ending_in(10, 10), r"\[\(None, 10\), \(None, 10\)\]"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), layers.Dense(10)]), r"\(None, 28, 28, 10\)"),
    ],
)
def test_a_network_without_one_output_for_each_digit_is_refused(digits, network, got):
    wanted = r"'model' parameter of f must be a network with one output of shape \(None, 10\), a number for each digit"
    with pytest.raises(ValueError, match=rf"{wanted}\. Got {got} instead"):
        check_model(network(), digits, function="f")
    check_model(ending_in(10), digits, function="f")


def test_a_network_without_an_input_is_refused_although_it_was_called(digits):
    class Called(keras.Model):
        def call(self, images):
            return images[:, :10, 0, 0]

    called = Called(name="called")
    called(digits.train.images)
    with pytest.raises(ValueError, match="built, with an explicit Input. Got 'called', without one"):
        check_model(called, digits, function="f")


@pytest.mark.parametrize(("setting", "wrong"), [("loss", None), ("loss", {}), ("optimizer", {}), ("optimizer", None)])
def test_what_keras_makes_no_loss_or_optimizer_of_is_refused(digits, setting, wrong):
    with pytest.raises(ValueError, match=f"'{setting}' parameter of train must be the name of a Keras .* Got {wrong}"):
        key(digits, **{setting: wrong})


def test_targets_are_made_of_digits_alone():
    with pytest.raises(ValueError, match="'labels' parameter of targets_for must be digits from 0 to 9. Got .* 10"):
        targets_for("categorical_crossentropy", np.array([3, 10]))
    with pytest.raises(ValueError, match="'loss' parameter of targets_for must be the name of a Keras loss or a loss"):
        targets_for("cross", np.array([3]))


def test_a_sparse_loss_may_be_named_like_its_class():
    assert targets_for("SparseCategoricalCrossentropy", np.array([3, 1])).tolist() == [3, 1]
