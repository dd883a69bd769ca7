"""Principal components, the border of a support vector machine, and the valley, on pages opened as files."""

import re

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.decomposition import PCA
from sklearn.svm import SVC

from mnist_helpers import live
from mnist_helpers.data.mnist import Split

POINTS, LABELS = make_moons(40, noise=0.2, random_state=0)


def blobs(n=400):
    """Random images of a few smooth shapes with class numbers."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:14, :14]
    middle = random.uniform(4, 10, (n, 2, 1, 1))
    images = np.exp(-((y - middle[:, 0]) ** 2 + (x - middle[:, 1]) ** 2) / 8).astype(np.float32)
    return Split(images[..., None], np.arange(n) % 10, "train", "mnist")


# ---- Valley


def test_the_ball_takes_the_steps_of_keras(show):
    import keras

    page = show(figure=live.Valley())
    for rate, momentum in ((0.02, 0.0), (0.15, 0.0), (0.05, 0.9)):
        settings = {"rate": rate, "momentum": momentum, "curvatures": [1, 12], "start": [-8.5, 2.2], "steps": 40}
        place, optimizer = keras.Variable([-8.5, 2.2]), keras.optimizers.SGD(rate, momentum)
        path = [place.numpy()]
        for _ in range(40):
            optimizer.apply([place * np.array([1, 12], np.float32)], [place])
            path.append(place.numpy())
        np.testing.assert_allclose(page.call("valley.descend", settings), path, atol=1e-4)
        np.testing.assert_allclose(live.Valley(steps=40).path(rate, momentum), path, atol=1e-4)


def test_rates_from_crawling_to_divergence(show):
    page = show(figure=live.Valley())
    rate, momentum = (f".valley + .controls .slider:nth-child({n}) input" for n in (1, 2))
    page.keys(rate, "Home")
    assert "It crawls" in page.text(".said")
    page.keys(rate, "End")
    assert "It diverges" in page.text(".said")
    page.keys(rate, *["ArrowLeft"] * 50)  # 13 % of the largest rate for each ten keys
    assert "It arrives" in page.text(".said")
    limit = float(re.search(r"rate of ([\d.]+)\.", page.text(".said"))[1])
    page.keys(momentum, "End")
    assert float(re.search(r"rate of ([\d.]+)\.", page.text(".said"))[1]) == pytest.approx(limit * 1.98, rel=0.05)


def test_the_ball_starts_where_it_is_put(show):
    page = show(figure=live.Valley(), width=390, height=800)
    first = "document.querySelector('.trail').getAttribute('points').split(' ')[0].split(',').map(Number)"
    page.drag(".plane", (0.2, 0.3), (0.5, 0.5), (0.75, 0.25))
    np.testing.assert_allclose(page.value(first), [5, -2], atol=0.1)
    page.touch(".plane", (0.5, 0.5), (0.25, 0.75))
    np.testing.assert_allclose(page.value(first), [-5, 2], atol=0.1)
    page.keys(".plane", "ArrowRight", "ArrowUp", "ArrowUp")
    np.testing.assert_allclose(page.value(first), [-4.5, 1], atol=0.1)
    page.drag(".valley + .controls button", (0.5, 0.5))
    page.wait("document.querySelectorAll('.dots circle').length < 10")
    page.wait("document.querySelectorAll('.dots circle').length > 12")
    assert page.value("document.documentElement.scrollWidth") == 390


# ---- Components


def test_components_rebuild_as_scikit_learn_does(show):
    split = blobs()
    figure = live.Components(split, n_components=5, n_shown=60)
    pca = PCA(5, svd_solver="covariance_eigh").fit(split.flat)
    scores = figure.scores[7]
    wanted = pca.inverse_transform(scores[None])[0].reshape(14, 14)
    assert np.abs(figure.rebuilt(scores) - wanted).max() < 0.01  # components of 8 bits
    page = show(figure=figure)
    mean = {"shape": [14, 14], "data": figure.mean.ravel().tolist()}
    components = {"shape": [196, 5], "data": figure.components.ravel().tolist()}
    found = page.call("components.rebuild", mean, components, scores.tolist())
    np.testing.assert_allclose(np.reshape(found["data"], (14, 14)), figure.rebuilt(scores), atol=1e-5)


def test_the_digit_under_the_pointer(show):
    figure = live.Components(blobs(), n_components=5, n_shown=60)
    page = show(figure=figure)
    one = int(np.abs(figure.scores[:, :2]).sum(axis=1).argmin())  # in the middle
    spans = np.ptp(figure.scores[:, :2], axis=0)
    x, y = (0.04 + 0.92 * (figure.scores[one, :2] - figure.scores[:, :2].min(axis=0)) / spans).tolist()
    page.hover(".map", x, 1 - y)
    assert page.text(".pair .title") == f"a digit: {figure.some.labels[one]}"
    numbers = [float(text.replace("\u2212", "-")) for text in page.texts(".sliders output")]
    np.testing.assert_allclose(numbers, figure.scores[one], atol=0.051)
    page.keys(".map", "ArrowRight")
    right = page.value("Number(document.querySelector('.map .ring').getAttribute('cx'))")
    assert right > 100 * x
    page.keys(".component:nth-child(2) input", "ArrowRight")
    assert page.text(".pair .title") == "no digit"
    assert page.value("document.querySelector('.map .here').getAttribute('visibility')") == "visible"


# ---- Border


@pytest.mark.parametrize(("settings", "keys"), [((1, 0.5), ()), ((10, 0.5), ("ArrowRight",)), ((0.1, 0.5), ("Home",))])
def test_the_border_of_scikit_learn(show, settings, keys):
    page = show(figure=live.Border(POINTS, LABELS))
    page.keys(".svm .slider:nth-of-type(1) input", *keys)
    c, gamma = settings
    machine = SVC(C=c, gamma=gamma).fit(POINTS.astype(np.float32), LABELS)
    assert page.texts(".count")[:2] == [str(len(machine.support_)), f"{100 * machine.score(POINTS, LABELS):.1f}\xa0%"]
    shown = page.value(
        "[...document.querySelectorAll('.svm .field .support')].map((ring) => ring.getAttribute('visibility'))"
    )
    assert np.flatnonzero(np.array(shown) == "visible").tolist() == sorted(machine.support_)
    left, right, bottom, top = live.Border(POINTS, LABELS).box
    path = page.value("document.querySelector('.field .line').getAttribute('d')")
    places = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2) / 100
    line = np.stack([left + places[:, 0] * (right - left), top - places[:, 1] * (top - bottom)], axis=1)
    assert len(line) > 50
    assert np.abs(machine.decision_function(line)).max() < 0.05


def test_a_straight_border_has_no_gamma(show):
    page = show(figure=live.Border(POINTS, LABELS))
    page.drag(".svm .choice label:nth-child(2)", (0.5, 0.5))
    machine = SVC(C=1, kernel="linear").fit(POINTS.astype(np.float32), LABELS)
    assert page.text(".count") == str(len(machine.support_))
    assert page.value("document.querySelectorAll('.svm .slider input')[1].disabled")


def test_the_kernel_fits_what_lies_between():
    figure = live.Border(POINTS, LABELS, resolution=20)
    answer = figure.answer({"c": 3.3, "gamma": 0.7})
    grid, support, _ = figure.fit(3.3, 0.7)
    assert answer["support"] == support.tolist()
    np.testing.assert_allclose(np.array(answer["grid"]).reshape(20, 20) / 100, grid.clip(-1.27, 1.27), atol=0.006)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"'labels' parameter of Border must be 40 labels of two classes"):
        live.Border(POINTS, np.arange(40) % 3)
    with pytest.raises(ValueError, match="'momentum' parameter of Valley"):
        live.Valley(momentum=1)
