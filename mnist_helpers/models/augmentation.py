"""Random rotation, zoom, shear and shift of digits, as a layer at the front of a network.

A digit that is turned by ten degrees or moved by two pixels is still the same digit. Showing a network such variants,
new ones in every epoch, is called data augmentation. As a layer it is active in training only: it is saved with the
model, and can never touch the images on which the model is measured.
"""

import math

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import check_fraction, check_images, check_positive_int, problem
from mnist_helpers.common.types import Plain, Tensor

_LAYER = "RandomAffine"
_FUNCTION = "affine_transform"


def affine_transform(
    images: Tensor,
    *,
    rotation: float = 0.0,
    zoom: float | tuple[float, float] = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    shear: float = 0.0,
    fill_value: float = 0.0,
) -> Tensor:
    """Rotate, zoom, shear and shift all images alike, around their centre.

    Parameters
    ----------
    images : ndarray of float, shape (n, height, width, 1)
        In [0, 1].
    rotation : float
        Degrees, counter-clockwise.
    zoom : float or tuple of float
        Magnification, greater than 0; one number, or (vertical, horizontal). The zoom comes before the rotation.
    shift : tuple of float
        Pixels (down, right), after the rotation.
    shear : float
        How far each row moves to the right for each row that it lies above the centre, before the zoom: a slant.
    fill_value : float
        Brightness outside the image, 0 to 1.

    Returns
    -------
    ndarray of float32
        Of the same shape, by one bilinear interpolation.

    Raises
    ------
    TypeError, ValueError
        A bad argument, naming it.
    """
    images = check_images(images, function=_FUNCTION)
    rotation = check_fraction(rotation, name="rotation", function=_FUNCTION, low=-360, high=360)
    zooms = _pair(zoom if isinstance(zoom, tuple | list) else (zoom, zoom), "zoom", low=1e-3, high=1e3)
    size = max(images.shape[1:3])
    shifts = _pair(shift, "shift", low=-size, high=size)
    shear = check_fraction(shear, name="shear", function=_FUNCTION, low=-size, high=size)
    fill_value = check_fraction(fill_value, name="fill_value", function=_FUNCTION)
    values = (math.radians(rotation), *zooms, *shifts, shear)
    angle, zoom_y, zoom_x, down, right, slant = [ops.full((len(images),), value) for value in values]
    tensor = ops.convert_to_tensor(images)
    return ops.convert_to_numpy(_transformed(tensor, angle, zoom_y, zoom_x, down, right, fill_value, slant))


def _pair(values: object, name: str, *, low: float, high: float) -> list[float]:
    """Check a parameter of two numbers, each in [low, high]."""
    if not isinstance(values, tuple | list) or len(values) != 2:
        error = ValueError if isinstance(values, tuple | list) else TypeError
        raise error(problem(name, _FUNCTION, "two numbers, (vertical, horizontal)", repr(values)))
    return [check_fraction(value, name=name, function=_FUNCTION, low=low, high=high) for value in values]


def _transformed(
    images: Tensor,
    angle: Tensor,
    zoom_y: Tensor,
    zoom_x: Tensor,
    down: Tensor,
    right: Tensor,
    fill_value: float,
    shear: Tensor | None = None,
) -> Tensor:
    """Transform each image by its own parameters, all of shape (batch,); the angle is in radians."""
    height, width = images.shape[1:3]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    cos, sin = ops.cos(angle), ops.sin(angle)
    # Each pixel of the result looks up where it came from: undo the shift, the rotation, the zoom, and then the shear.
    x_from_x, x_from_y = cos / zoom_x, -sin / zoom_x
    y_from_x, y_from_y = sin / zoom_y, cos / zoom_y
    if shear is not None:
        x_from_x, x_from_y = x_from_x + shear * y_from_x, x_from_y + shear * y_from_y
    x_start = middle_x - x_from_x * (middle_x + right) - x_from_y * (middle_y + down)
    y_start = middle_y - y_from_x * (middle_x + right) - y_from_y * (middle_y + down)
    zeros = ops.zeros_like(angle)
    rows = [x_from_x, x_from_y, x_start, y_from_x, y_from_y, y_start, zeros, zeros]
    return ops.image.affine_transform(
        images,
        ops.stack(rows, axis=1),  # (batch, 8)
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=fill_value,
        data_format="channels_last",
    )


@keras.saving.register_keras_serializable(package="mnist_helpers")
class RandomAffine(keras.layers.Layer):
    """Rotate, zoom, shear and shift each image at random, in training only, by one bilinear interpolation.

    Every image of every batch draws its own parameters, uniformly and independently.

    Parameters
    ----------
    rotation : float
        Largest angle in degrees, 0 to 180; drawn from [-rotation, rotation].
    zoom : float
        Largest change of size, in [0, 1); the magnifications in height and in width are drawn separately from
        [1 - zoom, 1 + zoom].
    width_shift, height_shift : float
        Largest shift to either side as a share of the width and of the height, 0 to 1.
    fill_value : float
        Brightness of what comes in from outside the image, 0 to 1.
    seed : int or None
        Of the random parameters; None draws one from Python's generator, which ``train`` seeds with the run's seed.
    shear : float
        Largest slant, 0 to 1: how far a row moves sideways for each row that it lies above the centre; drawn from
        [-shear, shear].

    Notes
    -----
    Input and output: float images of shape (batch, height, width, channels). Outside of training the input is returned
    as it is. The layer has no weights. Raises ``TypeError`` or ``ValueError`` for a bad parameter, naming it.

    A saved model that contains one loads in safe mode once this module is imported: ``import mnist_helpers`` alone,
    which loads nothing yet, is not enough, but ``from mnist_helpers import RandomAffine`` is.

    Source: Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied to visual
    document analysis". Unlike a chain of `RandomRotation`, `RandomZoom` and `RandomTranslation`, which interpolates
    three times, one interpolation keeps thin strokes sharp.
    """

    def __init__(
        self,
        rotation: float = 0.0,
        zoom: float = 0.0,
        width_shift: float = 0.0,
        height_shift: float = 0.0,
        fill_value: float = 0.0,
        seed: int | None = None,
        shear: float = 0.0,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation = check_fraction(rotation, name="rotation", function=_LAYER, high=180)
        self.zoom = check_fraction(zoom, name="zoom", function=_LAYER, high_included=False)
        self.width_shift = check_fraction(width_shift, name="width_shift", function=_LAYER)
        self.height_shift = check_fraction(height_shift, name="height_shift", function=_LAYER)
        self.shear = check_fraction(shear, name="shear", function=_LAYER)
        self.fill_value = check_fraction(fill_value, name="fill_value", function=_LAYER)
        self.seed = None if seed is None else check_positive_int(seed, name="seed", function=_LAYER, minimum=0)
        self.generator = keras.random.SeedGenerator(self.seed)
        self.supports_jit = keras.backend.backend() != "tensorflow"  # whose operation XLA cannot compile

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 4 or None in input_shape[1:3]:
            expected = "of shape (batch, height, width, channels), with a fixed height and width"
            raise ValueError(problem("images", _LAYER, expected, f"shape {tuple(input_shape)}"))
        super().build(input_shape)

    def call(self, images: Tensor, training: bool | None = False) -> Tensor:
        return self._augmented(images) if training else images

    def _augmented(self, images: Tensor) -> Tensor:
        batch = ops.shape(images)[0]
        height, width = images.shape[1:3]
        # (5, batch) numbers in [-1, 1) by one draw: a draw costs more than the numbers; a sixth only for shear
        draws = keras.random.uniform((6 if self.shear else 5, batch), -1.0, 1.0, seed=self.generator)
        return _transformed(
            images,
            draws[0] * (self.rotation * math.pi / 180),
            1 + draws[1] * self.zoom,
            1 + draws[2] * self.zoom,
            draws[3] * (self.height_shift * height),
            draws[4] * (self.width_shift * width),
            self.fill_value,
            draws[5] * self.shear if self.shear else None,
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Plain:
        names = ("rotation", "zoom", "width_shift", "height_shift", "fill_value", "seed", "shear")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def augmented(model: keras.Model, layer: keras.layers.Layer) -> keras.Model:
    """Return a fresh copy of a sequential network with an augmentation layer in front, named "<name>_augmented".

    The copy has weights of its own. Raises ``TypeError`` for what is no sequential model or no layer, ``ValueError``
    for a model that is not built.
    """
    if not isinstance(model, keras.Sequential):
        raise TypeError(problem("model", "augmented", "a keras.Sequential", type(model).__name__))
    if not isinstance(layer, keras.layers.Layer):
        raise TypeError(problem("layer", "augmented", "a Keras layer", type(layer).__name__))
    if not model.built:
        raise ValueError(problem("model", "augmented", "built, with an explicit Input", f"{model.name!r}, not built"))
    copy = keras.models.clone_model(model)
    front = keras.Input(model.input_shape[1:], name="image")
    return keras.Sequential([front, layer, *copy.layers], name=f"{model.name}_augmented")
