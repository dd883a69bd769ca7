"""Random rotation, zoom, shear and shift: images against SciPy, the drawn parameters, and bad arguments."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, stats

from mnist_helpers.common.backend import keras
from mnist_helpers.models import augmentation
from mnist_helpers.models.augmentation import RandomAffine, affine_transform

SETTINGS = {"rotation": 15.0, "zoom": 0.12, "width_shift": 0.15, "height_shift": 0.1}
HEIGHT, WIDTH = 28, 20  # not square: a mixed-up axis shows


def blurred(n=3, height=HEIGHT, width=WIDTH):
    noise = np.random.default_rng(7).random((n, height, width))
    return np.clip(ndimage.gaussian_filter(noise, (0, 1, 1)), 0, 1)[..., None].astype("float32")


def backwards(rotation, zoom, shift, shear=0.0):
    """The matrix that takes (row, column) from the centre of the result to the centre of the image."""
    turn = np.deg2rad(rotation)
    # a step to the right, (0, 1), becomes (-sin, cos): up on the screen, where rows count downwards
    forwards = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(zoom)
    forwards = forwards @ [[1, 0], [-shear, 1]]  # the row above the centre, -1, goes to the right
    return np.linalg.inv(forwards), -np.linalg.inv(forwards) @ np.asarray(shift)


def by_scipy(image, rotation, zoom, shift, fill_value=0.0, shear=0.0):
    matrix, offset = backwards(rotation, zoom, shift, shear)
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = offset + middle - matrix @ middle
    plane = image[:, :, 0].astype("float64")
    return ndimage.affine_transform(plane, matrix, offset, order=1, mode="grid-constant", cval=fill_value)


CASES = {
    "nothing": {},
    "rotation": {"rotation": 25.0},
    "rotation clockwise": {"rotation": -140.0},
    "zoom": {"zoom": 1.4},
    "two zooms": {"zoom": (0.8, 1.3)},
    "shift": {"shift": (2.6, -4.3)},
    "shear": {"shear": 0.4},
    "all": {"rotation": 33.0, "zoom": (1.2, 0.7), "shift": (-3.25, 1.5), "shear": -0.3, "fill_value": 0.8},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_affine_transform_is_scipys(case):
    images = blurred()
    known = {"rotation": 0.0, "zoom": 1.0, "shift": (0.0, 0.0)} | case
    known["zoom"] = known["zoom"] if isinstance(known["zoom"], tuple) else (known["zoom"],) * 2
    result = affine_transform(images, **case)
    assert result.shape == images.shape and result.dtype == np.float32
    expected = np.stack([by_scipy(image, **known) for image in images])[..., None]
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_a_quarter_turn_and_whole_pixels_are_exact():
    images = blurred(2, 9, 9)
    np.testing.assert_allclose(affine_transform(images, rotation=90), np.rot90(images, axes=(1, 2)), atol=1e-5)
    moved = affine_transform(images, shift=(2, -3), fill_value=0.5)
    np.testing.assert_allclose(moved[:, 2:, :-3], images[:, :-2, 3:], atol=1e-6)
    assert (moved[:, :2] == 0.5).all() and (moved[:, :, -3:] == 0.5).all()
    np.testing.assert_array_equal(affine_transform(images), images)


def test_each_image_of_a_batch_has_its_own_parameters():
    images, rng = blurred(40), np.random.default_rng(1)
    turns, zooms = rng.uniform(-60, 60, 40), rng.uniform(0.6, 1.5, (40, 2))
    shifts = rng.uniform(-5, 5, (40, 2))
    columns = [turns * np.pi / 180, *zooms.T, *shifts.T]
    result = augmentation._transformed(images, *[tf.constant(column, tf.float32) for column in columns], 0.25)
    expected = [by_scipy(*known, 0.25) for known in zip(images, turns, zooms, shifts, strict=True)]
    np.testing.assert_allclose(np.asarray(result)[..., 0], expected, atol=2e-5)


def recovered(layer, n=1, picture=None):
    """Augment n images and read each one's parameters from the pixels; returns them and the augmented pictures.

    Two channels hold each pixel's own row and column (from the centre). Interpolation is exact on such ramps, so three
    pixels of the result tell where they came from, and hence the whole transform.
    """
    ramps = np.indices((HEIGHT, WIDTH)).transpose(1, 2, 0) - (np.array([HEIGHT, WIDTH]) - 1) / 2
    channels = ramps if picture is None else np.concatenate([ramps, picture], axis=-1)
    result = np.asarray(layer(np.tile(channels.astype("float32"), (n, 1, 1, 1)), training=True))
    row, column = HEIGHT // 2, WIDTH // 2
    corner, below, right = (result[:, r, c, :2] for r, c in ((row, column), (row + 4, column), (row, column + 4)))
    matrix = np.stack([below - corner, right - corner], axis=2) / 4  # result -> image
    shift = ramps[row, column] - np.einsum("nij,nj->ni", np.linalg.inv(matrix), corner)
    zoom = 1 / np.linalg.norm(matrix, axis=2)
    rotation = np.rad2deg(np.arctan2(matrix[:, 0, 1], matrix[:, 0, 0]))
    return np.column_stack([rotation, zoom, shift]), result[..., 2:]


def test_parameters_are_uniform_between_their_limits_and_independent():
    found, _ = recovered(RandomAffine(**SETTINGS, seed=3), 4000)
    limits = {  # centre and reach
        "rotation": (0, 15),
        "vertical zoom": (1, 0.12),
        "horizontal zoom": (1, 0.12),
        "down": (0, 0.1 * HEIGHT),
        "right": (0, 0.15 * WIDTH),
    }
    for (name, (centre, reach)), values in zip(limits.items(), found.T, strict=True):
        scaled = (values - centre) / reach
        assert abs(scaled).max() < 1.0001, name
        assert scaled.min() < -0.995 and scaled.max() > 0.995, name
        assert stats.kstest(scaled, stats.uniform(-1, 2).cdf).pvalue > 0.01, name
    correlation = np.corrcoef(found.T)
    assert abs(correlation - np.eye(5)).max() < 0.05  # 0.016 is one standard deviation


@pytest.mark.parametrize("only", ["rotation", "zoom", "width_shift", "height_shift"])
def test_what_is_not_asked_for_does_not_change(only):
    found, _ = recovered(RandomAffine(**{only: SETTINGS[only]}, seed=3), 20)
    columns = {"rotation": [0], "zoom": [1, 2], "height_shift": [3], "width_shift": [4]}[only]
    np.testing.assert_array_equal(found.std(axis=0) > 1e-3, [column in columns for column in range(5)])


def test_the_shear_is_uniform():
    ramps = np.indices((HEIGHT, WIDTH)).transpose(1, 2, 0) - (np.array([HEIGHT, WIDTH]) - 1) / 2
    images = np.tile(ramps.astype("float32"), (2000, 1, 1, 1))
    result = np.asarray(RandomAffine(shear=0.2, seed=3)(images, training=True))
    row, column = HEIGHT // 2, WIDTH // 2
    slants = (result[:, row + 1, column, 1] - result[:, row, column, 1]).astype(float)  # columns per row
    assert stats.kstest(slants / 0.2, stats.uniform(-1, 2).cdf).pvalue > 0.01
    np.testing.assert_allclose(result[:, row + 1, column, 0] - result[:, row, column, 0], 1, atol=1e-4)


def test_without_shear_the_draws_are_those_of_the_stored_networks():
    """One draw, in this order: with another one, a stored run that is trained again would see other images."""
    found, _ = recovered(RandomAffine(**SETTINGS, seed=3), 20)
    draws = np.asarray(keras.random.uniform((5, 20), -1.0, 1.0, seed=keras.random.SeedGenerator(3)))
    expected = draws * [[15], [0.12], [0.12], [0.1 * HEIGHT], [0.15 * WIDTH]] + [[0], [1], [1], [0], [0]]
    np.testing.assert_allclose(found, expected.T, atol=1e-3)


def test_the_layer_is_one_interpolation():
    """The digit that comes out is SciPy's single interpolation with the parameters that were drawn."""
    picture = blurred(1)[0]
    found, pictures = recovered(RandomAffine(**SETTINGS, seed=5), 10, picture)
    for (rotation, *numbers), result in zip(found, pictures, strict=True):
        expected = by_scipy(picture, rotation, numbers[:2], numbers[2:])
        np.testing.assert_allclose(result[..., 0], expected, atol=1e-4)


def test_every_image_and_every_call_differs_and_the_seed_decides():
    first, second = RandomAffine(**SETTINGS, seed=8), RandomAffine(**SETTINGS, seed=8)
    batches = [recovered(layer, 50)[0] for layer in (first, first, second, second)]
    assert len(np.unique(np.concatenate(batches[:2])[:, 0].round(4))) == 100
    np.testing.assert_array_equal(batches[0], batches[2])
    np.testing.assert_array_equal(batches[1], batches[3])
    assert not np.allclose(recovered(RandomAffine(**SETTINGS, seed=9), 50)[0], batches[0])


@pytest.mark.parametrize("fill_value", [0.0, 0.6])
def test_what_comes_in_from_outside_has_the_fill_value(fill_value):
    layer = RandomAffine(width_shift=1.0, fill_value=fill_value, seed=1)
    result = np.asarray(layer(np.ones((20, 6, 6, 1), "float32"), training=True))
    assert result.min() == pytest.approx(fill_value) and result.max() == pytest.approx(1)


def test_config_round_trip():
    layer = RandomAffine(12, 0.2, 0.3, 0.4, 0.5, seed=6, name="shake")
    config = layer.get_config()
    own = {"rotation": 12, "zoom": 0.2, "width_shift": 0.3, "height_shift": 0.4, "fill_value": 0.5, "seed": 6}
    own["shear"] = 0.0
    assert {name: config[name] for name in own} == own and config["name"] == "shake"
    assert RandomAffine.from_config(config).get_config() == config
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is RandomAffine and again.get_config() == config
    assert keras.saving.get_registered_name(RandomAffine) == "mnist_helpers>RandomAffine"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rotation": -1}, ValueError, r"'rotation' parameter of RandomAffine must be in \[0, 180\]. Got -1"),
        ({"rotation": 181}, ValueError, r"'rotation'.*\[0, 180\]. Got 181"),
        ({"rotation": "10"}, TypeError, "'rotation' parameter of RandomAffine must be a number. Got '10'"),
        ({"rotation": (-5, 5)}, TypeError, "'rotation'.*a number"),
        ({"zoom": 1.0}, ValueError, r"'zoom' parameter of RandomAffine must be in \[0, 1\). Got 1.0"),
        ({"zoom": -0.1}, ValueError, "'zoom'.*-0.1"),
        ({"zoom": float("nan")}, ValueError, "'zoom'.*nan"),
        ({"width_shift": 2}, ValueError, r"'width_shift' parameter of RandomAffine must be in \[0, 1\]. Got 2"),
        ({"height_shift": -0.2}, ValueError, "'height_shift' parameter.*-0.2"),
        ({"height_shift": None}, TypeError, "'height_shift'.*a number.*None"),
        ({"fill_value": 255}, ValueError, r"'fill_value' parameter of RandomAffine must be in \[0, 1\]. Got 255"),
        ({"shear": 1.5}, ValueError, r"'shear' parameter of RandomAffine must be in \[0, 1\]. Got 1.5"),
        ({"seed": 1.5}, TypeError, "'seed' parameter of RandomAffine must be an integer. Got 1.5"),
        ({"seed": -1}, ValueError, "'seed' parameter of RandomAffine must be at least 0. Got -1"),
    ],
)
def test_the_layer_refuses_bad_settings(change, error, message):
    with pytest.raises(error, match=message):
        RandomAffine(**change)


@pytest.mark.parametrize("shape", [(784,), (28, 28), (None, None, 1)])
def test_the_layer_refuses_what_are_no_images(shape):
    with pytest.raises(
        ValueError, match=r"'images' parameter of RandomAffine must be of shape \(batch, height, width, c"
    ):
        keras.Sequential([keras.Input(shape), RandomAffine(10)])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rotation": 361}, ValueError, r"'rotation' parameter of affine_transform must be in \[-360, 360\]. Got 361"),
        ({"rotation": "left"}, TypeError, "'rotation'.*a number. Got 'left'"),
        ({"zoom": 0}, ValueError, r"'zoom' parameter of affine_transform must be in \[0.001, 1000\]. Got 0"),
        ({"zoom": (1, -1)}, ValueError, "'zoom'.*-1"),
        ({"zoom": (1, 1, 1)}, ValueError, r"'zoom'.*two numbers, \(vertical, horizontal\). Got \(1, 1, 1\)"),
        ({"zoom": "big"}, TypeError, "'zoom'.*a number. Got 'big'"),
        ({"shift": 2.0}, TypeError, "'shift' parameter of affine_transform must be two numbers.*Got 2.0"),
        ({"shift": (1,)}, ValueError, r"'shift'.*two numbers.*Got \(1,\)"),
        ({"shift": (0, 29)}, ValueError, r"'shift'.*\[-28, 28\]. Got 29"),
        ({"shear": "steep"}, TypeError, "'shear' parameter of affine_transform must be a number. Got 'steep'"),
        ({"fill_value": -1}, ValueError, "'fill_value' parameter of affine_transform.*-1"),
        ({"images": np.ones((2, 28, 28), "float32")}, ValueError, r"'images' parameter of affine_transform.*shape"),
        ({"images": [[1]]}, TypeError, "'images' parameter of affine_transform.*list"),
    ],
)
def test_affine_transform_refuses_bad_arguments(change, error, message):
    with pytest.raises(error, match=message):
        affine_transform(**({"images": blurred()} | change))
