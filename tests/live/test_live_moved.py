"""Digits turned, zoomed and shifted, on pages opened as files, against Keras and `affine_transform`."""

import numpy as np
import pytest
from live_pages import REGISTRY

from mnist_helpers import live, models
from mnist_helpers.data.mnist import Split, load_mnist
from mnist_helpers.live import networks
from mnist_helpers.models.augmentation import RandomAffine, affine_transform, augmented


@pytest.fixture(scope="module")
def digits():
    return load_mnist(standin="auto").test.take(100)


@pytest.fixture(scope="module")
def network():
    """The simple CNN, with the weights of the series where they lie, else with random ones."""
    from stored_networks import stored

    from mnist_helpers.training.store import unpacked

    model = models.simple_cnn()
    try:
        arrays = stored("simple-cnn-639768d8ad8a5700.npz").arrays
    except OSError:
        return model
    model.set_weights(unpacked(arrays, len(model.weights)))
    return model


@pytest.fixture(scope="module")
def rounded(network):
    """The same network, with its weights rounded as for the page."""
    model = models.simple_cnn()
    model.set_weights(networks.rounded(network))
    return model


def percents(page, system):
    """The numbers beside the bars of one network."""
    shown = page.texts(f".opinions > :nth-child({system}) .value")
    return [int(text.removesuffix(" %")) for text in shown]


# ---- Augment


def test_the_browser_transforms_as_affine_transform_does(show, digits, network):
    page = show(figure=live.Augment(digits.take(10), {"CNN": network}))
    random = np.random.default_rng(0)
    image = digits.images[:1]
    packed = {"shape": [28, 28], "data": image.ravel().tolist()}
    for rotation, tall, wide, down, right in random.uniform(-1, 1, (12, 5)) * (90, 0.5, 0.5, 9, 9):
        settings = {"rotation": rotation, "tall": 1 + tall, "wide": 1 + wide, "down": down, "right": right}
        found = page.call("augment.transform", packed, settings)["data"]
        wanted = affine_transform(image, rotation=rotation, zoom=(1 + tall, 1 + wide), shift=(down, right))
        assert np.abs(np.array(found) - wanted.ravel()).max() < 1 / 255


def test_the_browser_computes_the_probabilities_of_keras(show, digits, network, rounded):
    page = show(figure=live.Augment(digits.take(10), {"CNN": network}))
    page.value(
        f"""(async () => {{
            const key = document.querySelector(".mnist-live").dataset.spec;
            const spec = JSON.parse(document.querySelector(`script[data-mnist-live="${{key}}"]`).textContent);
            const keep = (root, data) => (window.given = data.networks[0].network);
            await {REGISTRY}.core.mount(document.createElement("div"), keep, spec);
        }})()"""
    )
    images = [{"shape": [28, 28], "data": image.ravel().tolist()} for image in digits.images]
    found = [page.value(f"{REGISTRY}.layers.predict(given, {image})") for image in images]
    assert np.abs(np.array(found) - rounded.predict(digits.images, verbose=0)).max() < 1e-4


def test_sliders_and_mouse_move_the_digit(show, digits, network, rounded):
    some = digits.take(10)
    front = augmented(network, RandomAffine(rotation=10, zoom=0.1, width_shift=0.1, height_shift=0.1))
    page = show(figure=live.Augment(some, {"plain": network, "augmented": front}), width=390, height=800)
    assert "Inside the range" in page.text(".matrix-beside p")
    slider = ".turns .slider:nth-child({}) input"
    page.keys(slider.format(1), *["ArrowRight"] * 30)
    page.keys(slider.format(2), *["ArrowLeft"] * 10)
    assert "Beyond the range" in page.text(".matrix-beside p")
    assert page.text(".turns output") == "30\N{DEGREE SIGN}"
    page.drag(".augment .tile", (0.5, 0.5), (0.55, 0.5), (0.5 + 3 / 28, 0.5 - 2 / 28))
    turned = affine_transform(some.images[:1], rotation=30, zoom=(0.8, 1), shift=(-2, 3))
    wanted = 100 * rounded.predict(turned, verbose=0)[0]
    np.testing.assert_allclose(percents(page, 1), wanted, atol=0.51)
    page.keys(".augment .tile", "ArrowDown", "ArrowDown", "ArrowLeft")
    angle = np.radians(30)
    matrix = [np.cos(angle), 0.8 * np.sin(angle), 2, -np.sin(angle), 0.8 * np.cos(angle), 0, 0, 0, 1]
    numbers = [float(text.replace("\u2212", "-")) for text in page.texts(".matrix .cell")]
    np.testing.assert_allclose(numbers, matrix, atol=0.006)
    page.drag(".pick label:nth-child(4)", (0.5, 0.5))
    page.wait("document.querySelector('.curve.b').getAttribute('points').split(' ').length === 37")
    page.drag(".augment button.quiet", (0.5, 0.5))
    wanted = 100 * rounded.predict(some.images[3:4], verbose=0)[0]
    np.testing.assert_allclose(percents(page, 1), wanted, atol=0.51)
    assert page.value("document.documentElement.scrollWidth") == 390


def test_the_limits_are_those_of_the_training(digits, network):
    stored = live.Augment(digits.take(2), {"without": "LeNet-5", "with": "LeNet-5, augmented"})
    shift = pytest.approx(0.08 * 28)
    assert stored.limits == {"rotation": 20, "zoom": 0.2, "down": shift, "right": shift}
    assert live.Augment(digits.take(2), {"plain": network}).data()["limits"] is None


def test_the_still_picture_is_turned_the_same_way(digits):
    from mnist_helpers.live.moved import _transformed

    wanted = affine_transform(digits.images[:1], rotation=30, zoom=0.6, shift=(0, 6))[0, ..., 0]
    np.testing.assert_allclose(_transformed(digits.images[0, ..., 0], 30, 0.6, 6), wanted, atol=1e-4)


# ---- Shift


class Teller:
    """A stand-in for a network: its answer tells where the ink lies, in probabilities."""

    def predict(self, images, batch_size, verbose):
        rows = images[..., 0].sum(axis=2) @ np.arange(images.shape[1])
        ink = images.sum(axis=(1, 2, 3))
        answers = np.zeros((len(images), 10))
        answers[:, 6] = rows / ink / images.shape[1]
        answers[:, 2] = 1 - answers[:, 6]
        return answers


def test_every_place_of_the_canvas_is_asked():
    image = np.zeros((1, 4, 4, 1), np.float32)
    image[0, 1, 2] = 1
    answers = live.answers_everywhere(Teller(), Split(image, np.array([6]), "test", "mnist"), size=8)
    assert answers.shape == (1, 5, 5, 10)
    np.testing.assert_allclose(answers[0, :, 3, 6], (np.arange(5) + 1) / 8)


def test_a_digit_is_pushed_over_the_canvas(show, digits):
    some = Split(digits.images[:3], np.array([6, 2, 6]), "test", "mnist")
    maps = live.answers_everywhere(Teller(), some)
    certain = np.zeros_like(maps)
    certain[..., 6] = 1
    networks = {"one": Teller(), "other": maps[..., ::-1].copy(), "always a six": certain}
    page = show(figure=live.Shift(some, networks), width=390, height=800)
    tops = "[...document.querySelectorAll('.opinions > *')].map((one) => one.getBoundingClientRect().top)"
    assert len(page.value(tops)) == 3 and np.ptp(page.value(tops)) < 1  # side by side, even on a phone
    page.drag(".shift > :first-child .tile", (0.5, 0.5), (0.4, 0.6), (30.2 / 48, 20.2 / 48))
    np.testing.assert_allclose(percents(page, 1), 100 * maps[0, 6, 16], atol=0.51)
    np.testing.assert_allclose(percents(page, 2), 100 * maps[0, 6, 16, ::-1], atol=0.51)
    assert percents(page, 3) == [0, 0, 0, 0, 0, 0, 100, 0, 0, 0]
    assert "4 up, 6 to the right" in page.text(".shift [role=status]")
    page.keys(".shift > :first-child .tile", "ArrowDown", "ArrowLeft", "ArrowLeft")
    np.testing.assert_allclose(percents(page, 1), 100 * maps[0, 7, 14], atol=0.51)
    page.touch(".shifted .tile", (20.5 / 21, 0.02))
    np.testing.assert_allclose(percents(page, 1), 100 * maps[0, 0, 20], atol=0.51)
    page.drag(".pick label:nth-child(2)", (0.5, 0.5))
    np.testing.assert_allclose(percents(page, 1), 100 * maps[1, 0, 20], atol=0.51)
    right = (maps[1].argmax(axis=-1) == 2).sum()
    counts = page.texts(".shifted > div > .soft")
    assert counts[0] == f"correct at {right} of 441 places" and counts[2] == "correct at 0 of 441 places"  # a 2
    assert page.value("document.documentElement.scrollWidth") == 390


def test_maps_of_another_shape_are_refused(digits):
    with pytest.raises(ValueError, match=r"'networks' parameter of Shift must be maps of shape \(2, 21, 21, 10\)"):
        live.Shift(digits.take(10).take(2), {"one": np.zeros((2, 20, 20, 10), np.float32)})
