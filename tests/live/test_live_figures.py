"""Convolution, training, a digit of one's own, a whole network, a quiz: on pages opened as files, against Keras."""

import json
import re
from html import escape

import numpy as np
import pytest
from live_pages import REGISTRY

from mnist_helpers import live
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.data.mnist import load_mnist
from mnist_helpers.live import networks
from mnist_helpers.live.figure import _pack


@pytest.fixture(scope="module")
def digits():
    return load_mnist(standin="auto")


def number(text):
    return float(text.replace("\N{MINUS SIGN}", "-"))


# ---- Convolve


def test_nine_pixels_times_nine_weights(show, digits):
    image = digits.test.images[0, :, :, 0]
    page = show(figure=live.Convolve(image, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], at=(3, 4)))
    for row, column in ((3, 4), (12, 15), (25, 0)):
        page.drag(".from .tile", (0.5, 0.5), ((column + 1.5) / 28, (row + 1.5) / 28))
        window = image[row : row + 3, column : column + 3]
        assert [number(text) for text in page.texts(".numbers:first-child .cell")] == pytest.approx(
            window.ravel(), abs=0.006
        )
        assert number(page.text(".sum")) == pytest.approx((window.ravel() * np.arange(1, 10)).sum(), abs=0.006)
    page.keys(".from .tile", "ArrowUp", "ArrowRight", "ArrowRight")
    wanted = (image[24:27, 2:5].ravel() * np.arange(1, 10)).sum()
    assert number(page.text(".sum")) == pytest.approx(wanted, abs=0.006)


def test_a_finger_moves_the_window_and_a_weight_is_typed(show, digits):
    image = digits.test.images[0, :, :, 0]
    page = show(figure=live.Convolve(image), width=390, height=800)
    page.touch(".from .tile", (0.2, 0.2), (15.5 / 28, 13.5 / 28))
    page.value("document.querySelectorAll('input.cell')[4].focus()")
    chromium = page.browser
    chromium.call("Input.insertText", text="-2,5")
    page.value("document.activeElement.blur()")
    kernel = np.array([[-1, 0, 1], [-1, -2.5, 1], [-1, 0, 1]])
    assert number(page.text(".sum")) == pytest.approx((image[12:15, 14:17] * kernel).sum(), abs=0.006)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_stride_and_padding_are_those_of_keras(show, digits, stride, padding):
    image = digits.test.images[:1]
    page = show(figure=live.Convolve(image[0]))
    page.value(f"[...document.querySelectorAll('.choice input')].find((one) => one.value === '{padding}').click()")
    page.value(f"[...document.querySelectorAll('.choice input')].find((one) => one.value === '{stride}').click()")
    kernel = np.array([[-1, 0, 1]] * 3, np.float32)[:, :, None, None]
    wanted = keras.ops.convert_to_numpy(keras.ops.conv(image, kernel, stride, padding))[0, :, :, 0]
    height, width = wanted.shape
    assert f"{height} × {width}" in page.text(".controls .soft")
    for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        page.drag(".to .tile", ((column + 0.5) / width, (row + 0.5) / height))
        assert number(page.text(".sum")) == pytest.approx(wanted[row, column], abs=0.006)


# ---- networks


def odd_network():
    """Layers that the stored networks do not have, with weights that matter."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Activation("relu"),
            layers.AveragePooling2D(3, strides=2, padding="same"),
            layers.Conv2D(8, (3, 2), activation="sigmoid"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.2, 1.5, weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("name", [*networks.names(), "odd"])
def test_probabilities_are_those_of_keras(show, digits, name):
    model = odd_network() if name == "odd" else networks.load(name)
    found = json.dumps(_pack(networks.describe(model, bits=16), {}) if name == "odd" else networks._stored()[name])
    images = digits.test.images[:100]
    page = show(figure=live.DrawDigit({"network": "linear"}))
    packed = json.dumps(images.reshape(100, -1).tolist())
    answers = page.value(
        f"{REGISTRY}.core.resolve({found}).then((network) => {packed}.map((data) =>"
        f" {REGISTRY}.layers.predict(network, {{ shape: [28, 28], data: Float32Array.from(data) }})))"
    )
    difference = np.abs(np.array(answers) - np.asarray(model(images, training=False))).max()
    assert difference < 1e-4 if name != "odd" else difference < 1e-3  # the odd one's weights are rounded here


def test_rounded_weights_are_what_the_browser_gets():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)])
    kernel, bias = networks.rounded(model)
    assert np.abs(kernel - model.get_weights()[0]).max() <= np.abs(model.get_weights()[0]).max() / 127 / 2 + 1e-6
    assert np.array_equal(bias, np.zeros(3))
    with pytest.raises(ValueError, match="a layer LSTM"):
        networks.describe(keras.Sequential([keras.Input((4, 4)), layers.LSTM(2)]))


def test_every_map_follows_the_digit_and_tells_what_made_it(show, digits):
    page = show(figure=live.Network("LeNet-5", digits.validation))
    titles = page.texts(".layer .title")
    assert titles[0] == "convolution 5×5 with ReLU: 6\xa0maps of 28\xa0×\xa028" and len(titles) == 6
    sums = "[...document.querySelectorAll('.map canvas')].map((one) => one.getContext('2d')"
    sums += ".getImageData(0, 0, one.width, one.height).data.reduce((a, b) => a + b, 0))"
    before = page.value(sums)
    page.drag(".network-input .tile", (0.5, 0.5), (0.7, 0.6))
    page.keys("input[type=range]", "ArrowRight", "ArrowRight")
    after = page.value(sums)
    assert len(before) == 44
    assert np.mean(np.array(before) != np.array(after)) > 0.7  # some maps are empty
    page.browser.messages.clear()  # Chromium's advice on reading canvases, which only this test does
    page.drag(".layer:nth-of-type(3) .map", (0.5, 0.5))
    page.wait("document.querySelectorAll('.terms .term').length === 6")
    assert "ReLU" in page.text(".detail:not([hidden]) p")
    page.drag(".layer:nth-of-type(4) .map", (0.5, 0.5))
    assert "the largest" in page.text(".detail:not([hidden]) p")


# ---- DrawDigit

# each digit as strokes of points from 0 to 1
STROKES = {
    0: [[(0.5, 0), (0.2, 0.2), (0.12, 0.5), (0.25, 0.85), (0.5, 1), (0.78, 0.82), (0.88, 0.5), (0.75, 0.15), (0.5, 0)]],
    1: [[(0.56, 0), (0.52, 0.35), (0.5, 0.65), (0.46, 1)]],
    2: [[(0.18, 0.2), (0.35, 0.03), (0.6, 0.02), (0.78, 0.2), (0.72, 0.42), (0.45, 0.7), (0.15, 0.98), (0.85, 0.97)]],
    3: [
        [(0.2, 0.1), (0.45, 0), (0.72, 0.1), (0.74, 0.3), (0.4, 0.46)],
        [(0.4, 0.46), (0.72, 0.58), (0.82, 0.78), (0.6, 0.97), (0.35, 1), (0.15, 0.9)],
    ],
    4: [[(0.3, 0), (0.22, 0.3), (0.15, 0.55), (0.5, 0.56), (0.88, 0.54)], [(0.72, 0.1), (0.68, 0.5), (0.66, 1)]],
    5: [[(0.8, 0), (0.32, 0.02), (0.27, 0.42), (0.5, 0.38), (0.76, 0.5), (0.82, 0.74), (0.62, 0.96), (0.35, 1),
         (0.14, 0.9)]],
    6: [[(0.64, 0), (0.4, 0.2), (0.22, 0.52), (0.22, 0.82), (0.45, 1), (0.7, 0.92), (0.76, 0.7), (0.56, 0.54),
         (0.26, 0.72)]],
    7: [[(0.12, 0.03), (0.5, 0.03), (0.86, 0.02), (0.7, 0.35), (0.55, 0.65), (0.46, 1)]],
    8: [
        [(0.72, 0.12), (0.5, 0), (0.26, 0.14), (0.36, 0.36), (0.62, 0.54), (0.78, 0.8), (0.52, 1), (0.25, 0.84)],
        [(0.25, 0.84), (0.36, 0.58), (0.62, 0.38), (0.72, 0.12)],
    ],
    9: [[(0.74, 0.22), (0.5, 0.02), (0.26, 0.18), (0.32, 0.42), (0.56, 0.46), (0.74, 0.22), (0.72, 0.6), (0.66, 1)]],
}  # fmt: skip


def drawings():
    """Twenty digits: label, strokes on a sheet from 0 to 1, and steps of the pen's slider."""
    rng = np.random.default_rng(3)
    for turn in range(2):
        for label, strokes in STROKES.items():
            size = rng.uniform(0.3, 0.8)
            left, top = rng.uniform(0.06, 0.94 - size, 2)
            pen = int(rng.integers(2, 5 + 12 * size))
            lean = rng.uniform(-0.1, 0.15) * turn
            yield (
                label,
                [[(left + size * (0.8 * x + lean * (1 - y)), top + size * y) for x, y in one] for one in strokes],
                pen,
            )


def test_twenty_digits_drawn_with_the_mouse_are_read(show):
    page = show(figure=live.DrawDigit())
    read, misread = 0, []
    for label, strokes, pen in drawings():
        page.value("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Clear').click()")
        page.keys("input[type=range]", "Home", *["ArrowRight"] * pen)
        for stroke in strokes:
            page.drag(".sheet", *stroke)
        page.wait("document.querySelector('.system:last-child .best')")
        if page.text(".system:last-child .best .name") == str(label):
            read += 1
        else:
            misread.append((label, pen, page.text(".system:last-child .best .name")))
    assert read == 20, misread


def test_preprocessing_is_the_same_in_both_languages(show):
    page = show(figure=live.DrawDigit())
    for _, strokes, pen in drawings():
        points = [[(112 * x, 112 * y) for x, y in stroke] for stroke in strokes]
        ink = live.draw(points, 2 + pen / 2)
        drawn = page.value(
            f"(() => {{ const {{ pen, preprocess }} = {REGISTRY}.drawing;"
            "const ink = { shape: [112, 112], data: new Float32Array(112 * 112) };"
            f"for (const one of {json.dumps(points)})"
            f"  one.forEach((point, i) => pen(ink, one[Math.max(0, i - 1)], point, {2 + pen / 2}));"
            "return [[...ink.data], [...preprocess(ink).image.data]]; })()"
        )
        assert np.abs(np.array(drawn[0]) - ink.ravel()).max() < 1e-5
        assert np.abs(np.array(drawn[1]) - live.preprocess(ink).ravel()).max() < 1 / 255


def test_a_drawing_takes_the_form_of_mnist():
    image = live.preprocess(live.draw([[(20, 30), (20, 90)]], radius=3))
    rows, columns = np.nonzero(image)
    assert image.max() == 1 and np.ptp(rows) == 19
    for axis in (rows, columns):
        assert abs(np.average(axis, weights=image[rows, columns]) - 13.5) <= 0.5
    assert not live.preprocess(np.zeros((112, 112))).any()


def test_the_keyboard_draws(show):
    page = show(figure=live.DrawDigit())
    page.value("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Clear').click()")
    page.value("document.querySelector('.sheet').focus()")
    for _ in range(2):
        for kind in ("keyDown", "keyUp"):
            page.browser.call("Input.dispatchKeyEvent", type=kind, key=" ", code="Space")
        page.keys(".sheet", *["ArrowDown"] * 12)
    assert page.text(".system:last-child .best .name") == "1"
    page.value("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Clear').click()")
    page.wait("document.querySelector('.voice').textContent === 'nothing drawn'")


def test_the_kernel_answers_for_the_learners_model(digits):
    model = odd_network()
    figure = live.DrawDigit({"mine": model, "stored": "LeNet-5"})
    assert figure.image.shape == (28, 28, 1) and figure.image.max() == 1
    image = digits.test.images[0]
    answer = figure.answer({"image": image.ravel().tolist()})
    assert list(answer) == ["mine"]
    assert answer["mine"] == pytest.approx(np.asarray(model(image[None], training=False))[0], abs=1e-6)
    assert np.array_equal(figure.image, image)
    question = {"image": image.ravel().tolist(), "covered": {"name": "mine", "places": [[0, 0], [24, 24]], "patch": 4}}
    assert np.shape(figure.answer(question)["shares"]) == (2, 10)


# ---- LiveTraining


def test_one_step_of_training_is_that_of_keras(show, digits):
    page = show(figure=live.LiveTraining(digits, units=4))
    images, labels = digits.train.images[:8].reshape(8, -1), digits.train.labels[:8]
    script = (
        f"(() => {{ const net = {REGISTRY}.live_training.network(4, Math.random);"
        "const before = [[...net.first], [...net.second]];"
        f"const loss = net.train({json.dumps(images.tolist())}, {json.dumps(labels.tolist())}, 0.5);"
        "return [...before, loss, [...net.first], [...net.second]]; })()"
    )
    first, second, loss, *after = page.value(script)
    model = keras.Sequential([keras.Input((784,)), layers.Dense(4, "relu"), layers.Dense(10, "softmax")])
    model.set_weights([np.reshape(first, (784, 4)), np.zeros(4), np.reshape(second, (4, 10)), np.zeros(10)])
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    assert model.train_on_batch(images, labels) == pytest.approx(loss, abs=1e-5)
    assert np.ravel(model.get_weights()[0]) == pytest.approx(np.array(after[0]), abs=1e-5)
    assert np.ravel(model.get_weights()[2]) == pytest.approx(np.array(after[1]), abs=1e-5)


def test_it_learns_while_one_watches(show, digits):
    page = show(figure=live.LiveTraining(digits))
    accuracy = "Number(document.querySelector('.key.b').textContent.match(/[\\d.]+/)[0])"
    assert page.value(accuracy) < 40
    page.drag(".controls.first button", (0.5, 0.5))
    page.wait(f"{accuracy} > 75")
    page.drag(".controls.first button", (0.5, 0.5))
    assert page.text(".controls.first button") == "Go on"
    page.keys(".choice input:checked", "ArrowLeft")  # eight hidden units: a new start
    assert len(page.texts(".wall .tile")) == 8 and "0 steps" in page.text(".controls.first .soft")


# ---- Quiz, and what all have in common


def test_each_answer_has_its_reply(show):
    figure = live.Quiz("What does `Flatten` do?", {"adds": "No.", "reshapes": "Yes, `784` numbers."}, right="reshapes")
    page = show(figure=figure, dark=True)
    page.drag("label:nth-of-type(1)", (0.5, 0.5))
    assert (
        page.text(".reply") == "No." and page.value("document.querySelector('label.wrong .verdict').textContent") == "✗"
    )
    page.keys("input:checked", "ArrowDown")
    assert page.text(".reply") == "Yes, 784 numbers." and page.text("label.right .verdict") == "✓"
    assert page.text(".reply code") == "784"


def all_figures(digits):
    yield live.Convolve(digits.test.images[0])
    yield live.LiveTraining(digits)
    yield live.DrawDigit()
    yield live.Network("LeNet-5", digits.validation)
    yield live.Quiz("Why?", {"a": "b", "c": "d"})


def test_outputs_are_the_same_again_and_hold_a_picture_with_a_text(digits):
    for one, again in zip(all_figures(digits), all_figures(digits), strict=True):
        bundle = one._repr_mimebundle_()
        assert bundle == again._repr_mimebundle_()
        assert list(bundle) == ["text/plain", "text/html"]
        assert "http:" not in bundle["text/html"].replace("http://www.w3.org/2000/svg", "")
        still = one.still()
        assert f'alt="{escape(one.alt)}"' in still or one.question in still


def test_a_page_holds_each_script_and_each_network_once(digits):
    page = "".join(figure.to_html() for figure in all_figures(digits))
    keys = re.findall(r'<script data-mnist-live="([^"]+)"', page)
    shared = re.findall(r'<script data-mnist-live="([^"]+)"', live.share(page))
    assert sorted(shared) == sorted(set(keys)) and len(keys) > len(shared) + 4


def test_a_front_end_gets_a_widget(digits, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "lesson.ipynb")
    assert "application/vnd.jupyter.widget-view+json" in live.DrawDigit("linear")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" not in live.Convolve(digits.test.images[0])._repr_mimebundle_()


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_phone(show, digits, dark):
    for figure in all_figures(digits):
        page = show(figure=figure, width=390, height=844, dark=dark)
        assert page.value("document.documentElement.scrollWidth") <= 390
        small = "[...document.querySelectorAll('.live-body *')].filter((one) => one.childNodes.length"
        small += " && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())"
        small += " && !one.closest('svg') && parseFloat(getComputedStyle(one).fontSize) < 12).length"
        assert page.value(small) == 0
        assert page.value("document.querySelector('.mnist-live').dataset.scheme") == ("dark" if dark else "light")
