"""Keys: any setting, layer, seed or image changes them; names, idle layers and library versions do not."""

import copy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from small import bare, compiled, digits_of, tiny

from mnist_helpers import models
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.data.mnist import Split
from mnist_helpers.models.augmentation import RandomAffine, augmented
from mnist_helpers.training import store
from mnist_helpers.training.keys import describe_callback, describe_loss, describe_model, describe_optimizer, key_of
from mnist_helpers.training.recipe import Recipe

DIGITS = digits_of(40, 20, 10)
STORED = sorted(store.series_directory().rglob("*.npz"))


def key(model=None, digits=DIGITS, **changes):
    return Recipe.of(model or tiny(), digits, **({"epochs": 3, "batch_size": 64, "seed": 0} | changes)).key


def other_images(part):
    split = getattr(DIGITS, part)
    images = split.images.copy()
    images[0, 0, 0, 0] += 1 / 255
    return replace(DIGITS, **{part: Split(images, split.labels, split.name, split.source)})


def stop(**settings):
    return [keras.callbacks.EarlyStopping(**settings)]


class Unfreeze(keras.callbacks.Callback):
    """A callback as a learner may write one, with any settings."""

    def __init__(self, **settings):
        super().__init__()
        vars(self).update(settings)


CHANGES = {
    "nothing": key,
    "epochs": lambda: key(epochs=4),
    "batch size": lambda: key(batch_size=65),
    "seed": lambda: key(seed=1),
    "loss": lambda: key(tiny(loss="mean_squared_error")),
    "setting of a loss": lambda: key(tiny(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1))),
    "optimizer": lambda: key(tiny(optimizer="sgd")),
    "learning rate": lambda: key(tiny(optimizer=keras.optimizers.Adam(0.0011))),
    "setting of an optimizer": lambda: key(tiny(optimizer=keras.optimizers.Adam(beta_2=0.995))),
    "schedule": lambda: key(tiny(optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.001, 3)))),
    "callback": lambda: key(callbacks=stop(patience=2)),
    "setting of a callback": lambda: key(callbacks=stop(patience=3)),
    "list in a callback": lambda: key(callbacks=[Unfreeze(epochs=[3, 6])]),
    "shorter list": lambda: key(callbacks=[Unfreeze(epochs=[10])]),
    "private setting": lambda: key(callbacks=[Unfreeze(_epochs=[10])]),
    "activation": lambda: key(tiny("tanh")),
    "dropout": lambda: key(tiny(rate=0.3)),
    "augmentation": lambda: key(compiled(augmented(bare(), RandomAffine(rotation=5)))),
    "more augmentation": lambda: key(compiled(augmented(bare(), RandomAffine(rotation=6)))),
    "warm start": lambda: key(warm_start=True),
    "what is kept": lambda: key(keep="predictions"),
    "training images": lambda: key(digits=other_images("train")),
    "validation images": lambda: key(digits=other_images("validation")),
}


def test_every_change_of_what_is_trained_changes_the_key(monkeypatch):
    monkeypatch.setattr("mnist_helpers.training.recipe.check_length", lambda *_: None)
    keys = {name: change() for name, change in CHANGES.items()}
    assert len(set(keys.values())) == len(keys), keys


def test_what_does_not_matter_keeps_the_key():
    assert key() == key(tiny(optimizer=keras.optimizers.Adam(0.001, name="mine")))
    assert key() == key(tiny(loss=keras.losses.sparse_categorical_crossentropy))
    assert key() == key(digits=other_images("test"))
    unnamed = keras.Sequential(
        [keras.Input((28, 28, 1)), *[type(x).from_config(x.get_config()) for x in bare().layers]]
    )
    assert unnamed.name.startswith("sequential") and key(compiled(unnamed)) == key()
    without = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(8, activation="relu")]
    assert key(tiny(rate=0.0)) == key(compiled(keras.Sequential([*without, layers.Dense(10, activation="softmax")])))


def test_an_idle_layer_in_a_branch_is_bridged():
    def network(idle, branch):
        image = keras.Input((28, 28, 1))
        one, two = layers.Conv2D(2, 3)(image), layers.Conv2D(2, 3)(image)
        chosen = (one, two)[branch]
        chosen = layers.Dropout(0.0)(chosen) if idle else chosen
        joined = layers.Concatenate()([layers.Flatten()(one), layers.Flatten()(layers.MaxPooling2D(2)(chosen))])
        return key_of(describe_model(keras.Model(image, layers.Dense(10)(joined))))

    assert network(True, 0) == network(False, 0) != network(True, 1) == network(False, 1)


def test_a_new_option_that_is_off_keeps_the_key(monkeypatch):
    model = models.lenet_like(normalization=True)
    before = key_of(describe_model(model))
    config = copy.deepcopy(model.get_config())
    for layer in config["layers"]:
        layer["config"] |= {"new_option": None, "another": False, "name": layer["config"]["name"]}
        layer["module"] = "keras.moved"
    monkeypatch.setattr(model, "get_config", lambda: config)
    assert key_of(describe_model(model)) == before
    config["layers"][2]["config"]["new_option"] = "on"
    assert key_of(describe_model(model)) != before


# -- any one setting, any value


plain = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from([0.0, 0.5, 3.0, 1e-5]) | st.sampled_from(["", "3", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", 1]), inner, max_size=2),
    max_leaves=4,
)


@trials(max_examples=200, deadline=None)
@given(plain, plain)
def test_callbacks_share_a_key_exactly_when_their_settings_are_the_same(one, other):
    keys = [key_of(describe_callback(Unfreeze(value=value))) for value in (one, other)]
    assert (keys[0] == keys[1]) == (repr(canonical(one)) == repr(canonical(other)))


def canonical(value):
    """The same value with the entries of dictionaries in one order; True, 1 and 1.0 stay different."""
    if isinstance(value, dict):
        return ["dict", sorted(([repr(k), canonical(v)] for k, v in value.items()), key=repr)]
    return [canonical(item) for item in value] if isinstance(value, list) else value


OPTIMIZERS = {
    "learning_rate": [0.001, 0.0011, 0.1],
    "beta_1": [0.9, 0.8],
    "epsilon": [1e-7, 1e-6],
    "amsgrad": [False, True],
    "weight_decay": [None, 0.01],
    "clipnorm": [None, 1.0],
}
LOSSES = {"label_smoothing": [0.0, 0.1], "from_logits": [False, True], "reduction": ["sum_over_batch_size", "sum"]}
LAYERS = {
    "filters": [4, 5],
    "kernel_size": [3, 5],
    "strides": [1, 2],
    "padding": ["valid", "same"],
    "use_bias": [True, False],
    "activation": ["relu", "tanh"],
    "kernel_initializer": ["glorot_uniform", "he_normal"],
}


def conv(**settings):
    return describe_model(keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(**settings)]))


MAKERS = {
    "optimizer": (lambda **settings: describe_optimizer(keras.optimizers.Adam(**settings)), OPTIMIZERS),
    "loss": (lambda **settings: describe_loss(keras.losses.CategoricalCrossentropy(**settings)), LOSSES),
    "layer": (conv, LAYERS),
}


@pytest.mark.parametrize("what", MAKERS)
@trials(max_examples=25, deadline=None)
@given(data=st.data())
def test_runs_that_differ_in_any_one_setting_never_share_a_key(what, data):
    describe, options = MAKERS[what]
    settings = {name: data.draw(st.sampled_from(values), label=name) for name, values in options.items()}
    changed = data.draw(st.sampled_from(sorted(options)))
    others = [{**settings, changed: value} for value in options[changed]]
    assert len({key_of(describe(**other)) for other in others}) == len(others)
    assert key_of(describe(**settings)) == key_of(describe(**settings))


ELSEWHERE = """
import sys
sys.path[:0] = {path!r}
from test_keys import Unfreeze, key
print(key(callbacks=[Unfreeze(epochs={{3, 6}}, rates={{"b": 0.1, "a": [0.2]}})]))
"""


@pytest.mark.system
def test_another_process_finds_the_same_key():
    code = ELSEWHERE.format(path=[entry for entry in sys.path if "tests" in entry])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == key(callbacks=[Unfreeze(rates={"a": [0.2], "b": 0.1}, epochs={6, 3})])


@pytest.mark.parametrize("setting", [lambda x: x, object(), [lambda x: x], {"a": object()}])
def test_a_setting_that_cannot_be_described_is_refused_by_name(setting):
    with pytest.raises(ValueError, match=r"'callbacks' parameter of train .*Got Unfreeze\.rule, a \w+"):
        describe_callback(Unfreeze(rule=setting))


class Untold(keras.layers.Layer):
    """A layer that hides its setting."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, images):
        return images * self.factor


def test_a_layer_that_does_not_tell_its_settings_is_refused():
    model = keras.Sequential([keras.Input((28, 28, 1)), Untold(3)])
    with pytest.raises((ValueError, NotImplementedError), match="Untold"):
        describe_model(model)


def test_an_array_counts_with_its_values_shape_and_type():
    arrays = [np.zeros(4), np.zeros((2, 2)), np.zeros(4, np.float32), np.ones(4)]
    assert len({key_of(describe_callback(Unfreeze(weights=array))) for array in arrays}) == 4


# -- what is stored


def test_keys_of_today_are_keys_of_tomorrow():
    # Written down once. If this fails after an upgrade, every stored checkpoint would be orphaned: mend the keys.
    assert key_of(describe_model(models.lenet5("leaky_relu"))) == "4c2436270c44a9f5"
    assert key_of(describe_model(models.inception_net())) == "6a8893cc61447d9b"


def test_keys_depend_on_values_and_not_on_order_or_float_noise():
    first = key_of({"a": 1, "b": [0.001, "x"]})
    assert first == key_of({"b": (float(np.float32(0.001)), "x"), "a": np.int64(1)})
    for other in ({"a": 2, "b": [0.001, "x"]}, {"a": 1, "b": [0.0011, "x"]}, {"a": 1, "b": ["x", 0.001]}, {"a": 1}):
        assert key_of(other) != first
    assert len({key_of({"a": value}) for value in (3, 3.0, "3", True, None, [3])}) == 6
    with pytest.raises(TypeError, match="may hold numbers"):
        key_of({"a": object()})


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_checkpoint_of_the_series_is_whole_and_under_its_own_key(path):
    stored = store.read(path, path.stem.split("-")[-1])
    if "description" in stored.record:
        assert key_of(stored.record["description"]) == path.stem.split("-")[-1]
        assert stored.record["precision"] in ("float32", "bfloat16")
