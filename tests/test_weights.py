"""What a checkpoint keeps of the weights: the rounding errors, and that a run is its checkpoint to the bit."""

import numpy as np
import pytest
from small import digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.weights import packed, unpacked


def kernels():
    rng = np.random.default_rng(2)
    scales = 10.0 ** np.arange(-3, 3)  # of the output channels, which differ a lot
    return [rng.normal(size=shape).astype("float32") * scales.astype("float32") for shape in [(30, 6), (5, 5, 4, 6)]]


def vector():
    return np.random.default_rng(3).normal(size=50).astype("float32")


def test_float16_is_the_nearest_and_its_range_is_minded():
    large = np.array([[1.0, 70_000.0]], "float32")
    arrays = packed([*kernels(), large])
    assert {name: array.dtype for name, array in arrays.items()} == {"w0": "f2", "w1": "f2", "w2": "f4"}
    for before, after in zip([*kernels(), large], unpacked(arrays, 3), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=2**-11, atol=2**-25)
    np.testing.assert_array_equal(arrays["w2"], large)


def test_int8_is_wrong_by_at_most_half_a_step_of_its_own_channel():
    arrays = packed([*kernels(), vector()], int8=True)
    for i, before in enumerate(kernels()):
        assert arrays[f"w{i}"].dtype == np.int8 and arrays[f"s{i}"].dtype == np.float32
        largest = abs(before).reshape(-1, 6).max(axis=0)
        np.testing.assert_allclose(arrays[f"s{i}"], largest / 127, rtol=1e-6)
        error = abs(unpacked(arrays, 3)[i] - before).reshape(-1, 6).max(axis=0)
        assert (error <= largest / 254 * (1 + 1e-4)).all() and (error > largest / 300).all()
        np.testing.assert_array_equal(abs(arrays[f"w{i}"].astype(int)).reshape(-1, 6).max(axis=0), 127)


def test_int8_leaves_biases_in_float16():
    arrays = packed([vector()], int8=True)
    assert list(arrays) == ["w0"] and arrays["w0"].dtype == np.float16


def test_a_channel_of_zeros_stays_zero():
    kernel = kernels()[0]
    kernel[:, 2] = 0
    kernel[:, 3] = 1e-44  # a step of this divided by 127 is 0 in float32
    (after,) = unpacked(packed([kernel], int8=True), 1)
    assert (after[:, 2:4] == 0).all() and np.isfinite(after).all()


@pytest.mark.parametrize("int8", [False, True])
def test_rounding_twice_changes_nothing(int8):
    once = unpacked(packed([*kernels(), vector()], int8=int8), 3)
    twice = unpacked(packed(once, int8=int8), 3)
    for first, second in zip(once, twice, strict=True):
        np.testing.assert_allclose(second, first, rtol=3e-7)  # the last bit of a step may change; no integer does
    before, after = packed([*kernels()], int8=int8), packed(unpacked(packed(kernels(), int8=int8), 2), int8=int8)
    np.testing.assert_array_equal(before["w1"], after["w1"])


def test_a_missing_weight_is_an_error():
    with pytest.raises(KeyError, match="w1"):
        unpacked(packed([vector()]), 2)


@pytest.mark.parametrize("keep", ["weights", "int8"])
def test_a_loaded_run_predicts_as_the_run_itself_to_the_bit(keep, tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    monkeypatch.setenv("MNIST_PROFILE", "full")
    digits = digits_of()
    first = train(tiny(), digits, **settings(epochs=1, keep=keep))
    second = train(tiny(), digits, **settings(epochs=1, keep=keep))
    assert second.from_checkpoint and not first.from_checkpoint
    scores = [run.model.predict(digits.test.images, verbose=0) for run in (first, second)]
    np.testing.assert_array_equal(*scores)
    with np.load(tmp_path / first.checkpoint) as stored:
        assert stored["w0"].dtype == (np.int8 if keep == "int8" else np.float16)
    (kernel,) = [weight for weight in first.model.get_weights() if weight.shape == (784, 8)]
    assert (len(np.unique(kernel[:, 0])) <= 255) == (keep == "int8")


def test_what_is_kept_is_part_of_the_key(tmp_path, monkeypatch):
    from mnist_helpers.training.plan import make_plan

    digits = digits_of(20, 10, 10)
    rest = (digits, 1, 10, "adam", "sparse_categorical_crossentropy", 0, (), False)
    keys = {make_plan(tiny(), *rest, keep).key for keep in ("weights", "int8", "predictions")}
    assert len(keys) == 3
