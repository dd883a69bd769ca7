import hashlib
import subprocess
import sys
import warnings
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from mnist_helpers.data import mnist as data
from mnist_helpers.data.containers import digest_of, read_path
from mnist_helpers.data.download import FetchError, Limits
from mnist_helpers.data.mnist import REAL, STANDIN, Digits, Split, fetch_and_report, load_mnist, stratified_indices
from mnist_helpers.data.sources import Catalogue


@pytest.fixture
def offline(home, fake, monkeypatch):
    """The small MNIST is looked for, and no mirror has it."""
    monkeypatch.setattr(data, "MNIST", Catalogue(fake.specs, [], Limits()))
    return home


@pytest.fixture
def at_hand(offline, fake, monkeypatch):
    """The small MNIST lies where MNIST_DATA says."""
    path = offline / "mine.npz"
    path.write_bytes(fake.npz)
    monkeypatch.setenv("MNIST_DATA", str(path))
    return path


def make_split(labels, **changes):
    images = np.random.default_rng(0).random((len(labels), 28, 28, 1), dtype=np.float32)
    return Split(**{"images": images, "labels": np.asarray(labels), "name": "train", "source": REAL} | changes)


def test_load_gives_the_three_parts(at_hand, fake):
    digits = load_mnist()
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (200, 40, 40)
    assert (digits.source, digits.origin) == (REAL, "MNIST_DATA")
    for name in ("train", "validation", "test"):
        split = getattr(digits, name)
        assert (split.name, split.source) == (name, REAL)
        assert split.images.dtype == np.float32
        assert split.images.shape == (len(split), 28, 28, 1)
        assert split.labels.dtype == np.int64
        assert np.bincount(split.labels).tolist() == [len(split) // 10] * 10
    assert np.allclose(digits.test.images[..., 0] * 255, fake.arrays["x_test"], atol=1e-4)
    assert np.array_equal(digits.test.labels, fake.arrays["y_test"])
    assert digits.train.images.max() == 1


def test_train_and_validation_are_the_training_images_once_each(at_hand, fake):
    digits = load_mnist()
    both = np.concatenate([digits.train.images, digits.validation.images])
    labels = np.concatenate([digits.train.labels, digits.validation.labels])
    seen = {np.rint(image * 255).astype(np.uint8).tobytes(): label for image, label in zip(both, labels, strict=True)}
    assert seen == {
        image.tobytes(): label for image, label in zip(fake.arrays["x_train"], fake.arrays["y_train"], strict=True)
    }


@pytest.mark.parametrize(("size", "n", "seed"), [(6000, 5000, 42), (997, 131, 0), (300, 290, 7)])
def test_stratified_indices_are_those_of_scikit_learn(size, n, seed):
    labels = np.random.default_rng(size).integers(0, 10, size)
    expected = train_test_split(np.arange(size), train_size=n, test_size=size - n, stratify=labels, random_state=seed)
    for found, wanted in zip(stratified_indices(labels, n, seed), expected, strict=True):
        assert np.array_equal(found, wanted)


def test_split_never_changes():
    labels = np.arange(60000) ** 2 // 7 % 10
    validation = stratified_indices(labels, 50000, 42)[1]
    assert digest_of(validation) == "da2573eab1d04d8951a20615fd42b21c3d602c8b2e7f099b2de4dfdcc8fc4179"


def test_split_of_mnist_never_changes(real_mnist, monkeypatch):
    monkeypatch.delenv("MNIST_STANDIN", raising=False)
    validation = stratified_indices(read_path(real_mnist)["y_train"], 50000, 42)[1]
    assert digest_of(validation) == "829d1431018b38bc9689150e215adc5a6fe91609e70614fe244cf83a9d1b9869"
    digits = load_mnist()
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (50000, 10000, 10000)
    assert digits.validation.digest == "9bb98b8959221de4e5f553efc469b4d4820309ac1a399a081a8d12fa60eb46ab"
    assert np.bincount(digits.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_arrays_cannot_be_changed(at_hand):
    digits = load_mnist()
    for array in (digits.train.images, digits.train.flat, digits.test.labels, digits.train.take(20).images):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        digits.train = digits.test
    with pytest.raises(FrozenInstanceError):
        digits.test.labels = digits.train.labels


def test_array_given_to_a_split_stays_writable():
    images = np.zeros((2, 28, 28, 1), np.float32)
    make_split([0, 1], images=images)
    images[0] = 1


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"images": np.zeros((3, 28, 28, 1))}, TypeError, "'images' parameter of Split.*float32. Got float64"),
        ({"images": [1, 2, 3]}, TypeError, "Got list instead"),
        ({"images": np.zeros((3, 28, 28), np.float32)}, ValueError, r"size, size, 1\).*Got shape \(3, 28, 28\)"),
        ({"images": np.zeros((3, 28, 30, 1), np.float32)}, ValueError, r"size, size, 1\).*Got shape \(3, 28, 30, 1\)"),
        ({"images": np.zeros((2, 28, 28, 1), np.float32)}, ValueError, r"'labels'.*\(2,\).*Got shape \(3,\)"),
        ({"labels": np.array([0, 1, 10])}, ValueError, "digits from 0 to 9"),
        ({"labels": np.array([0.0, 1, 2])}, TypeError, "integers"),
        ({"name": "dev"}, ValueError, "'name' parameter of Split must be one of"),
        ({"source": "fashion"}, ValueError, "'source' parameter of Split must be one of"),
    ],
)
def test_split_refuses_other_arrays(changes, kind, message):
    with pytest.raises(kind, match=message):
        Split(**vars(make_split([0, 1, 2])) | changes)


def test_split_holds_images_on_a_larger_canvas():
    assert make_split([0, 1, 2], images=np.zeros((3, 48, 48, 1), np.float32)).flat.shape == (3, 48 * 48)


def test_take_keeps_proportions_order_and_pairs():
    split = make_split(np.repeat([0, 1, 2], [600, 300, 100]))
    taken = split.take(50)
    assert np.bincount(taken.labels).tolist() == [30, 15, 5]
    assert (taken.name, taken.source) == ("train", REAL)
    places = [int(np.flatnonzero((split.images == image).all(axis=(1, 2, 3)))[0]) for image in taken.images]
    assert places == sorted(set(places))
    assert np.array_equal(split.labels[places], taken.labels)


def test_take_depends_on_the_seed_alone():
    split = make_split(np.arange(500) % 10)
    assert split.take(100).digest == split.take(100, seed=0).digest
    assert split.take(100).digest != split.take(100, seed=1).digest
    assert split.take(500) is split
    assert [len(split.take(n)) for n in (1, 3, 9, 499)] == [1, 3, 9, 499]


@pytest.mark.parametrize(
    ("n", "kind", "message"),
    [
        (0, ValueError, "at least 1"),
        (-3, ValueError, "at least 1"),
        (31, ValueError, "at most 30, the size of the train split"),
        (2.0, TypeError, "an integer"),
        (True, TypeError, "an integer"),
    ],
)
def test_take_refuses_other_numbers(n, kind, message):
    with pytest.raises(kind, match=f"The 'n' parameter of take must be {message}"):
        make_split(np.arange(30) % 10).take(n)


def test_flat_is_a_view_and_digest_covers_images_and_labels():
    split = make_split(np.arange(30) % 10)
    assert split.flat.shape == (30, 784)
    assert np.shares_memory(split.flat, split.images)
    assert split.digest == hashlib.sha256(split.images.tobytes() + split.labels.tobytes()).hexdigest()
    assert split.digest != make_split((np.arange(30) + 1) % 10).digest


def test_reprs_are_short(at_hand):
    assert repr(load_mnist().train) == "Split(train: 200 images, source='mnist')"
    assert len(repr(load_mnist())) < 250


def test_stand_in_says_what_it_is(offline):
    message = "not MNIST.*scikit-learn.*python -m mnist_helpers data.*MNIST_DATA"
    with pytest.warns(UserWarning, match=message) as caught:
        digits = load_mnist()
    assert caught[0].filename == __file__
    assert digits.source == digits.train.source == digits.test.source == STANDIN
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1285, 256, 256)
    assert all(23 <= count <= 28 for count in np.bincount(digits.test.labels))
    assert digits.train.digest.startswith("a0c3e95a34082db8")


def test_stand_in_can_be_ruled_out(offline, monkeypatch):
    with pytest.raises(ConnectionError, match="stand-in is ruled out.*python -m mnist_helpers data"):
        load_mnist(standin="never")
    monkeypatch.setenv("MNIST_STANDIN", "never")
    with pytest.raises(FetchError, match="stand-in is ruled out"):
        load_mnist()


def test_stand_in_on_request_needs_no_warning_and_no_source(home, monkeypatch):
    monkeypatch.setattr(data, "find", lambda catalogue: pytest.fail("MNIST was looked for"))
    monkeypatch.setenv("MNIST_DATA", "/nonexistent")
    monkeypatch.setenv("MNIST_STANDIN", "always")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_mnist().source == STANDIN


def test_argument_comes_before_the_environment(at_hand, monkeypatch):
    monkeypatch.setenv("MNIST_STANDIN", "always")
    assert load_mnist(standin="auto").source == REAL


def test_bad_mode_is_named(home, monkeypatch):
    with pytest.raises(ValueError, match="'standin' parameter of load_mnist must be one of.*Got 'sometimes'"):
        load_mnist(standin="sometimes")
    monkeypatch.setenv("MNIST_STANDIN", "yes")
    with pytest.raises(ValueError, match="MNIST_STANDIN must be one of.*Got 'yes'"):
        load_mnist()


def test_bad_mnist_data_never_becomes_the_stand_in(offline, monkeypatch):
    monkeypatch.setenv("MNIST_DATA", str(offline / "missing.npz"))
    with pytest.raises(FileNotFoundError, match="MNIST_DATA"):
        load_mnist()


def test_report_says_where_the_data_lie(at_hand, fake, monkeypatch):
    report = fetch_and_report()
    for part in (
        "complete and verified",
        "MNIST_DATA",
        str(at_hand),
        "(240, 28, 28) uint8",
        fake.specs["y_test"].digest,
    ):
        assert part in report
    monkeypatch.delenv("MNIST_DATA")
    monkeypatch.setenv("MNIST_STANDIN", "always")
    with pytest.raises(FetchError, match="MNIST cannot be had"):
        fetch_and_report()


def test_import_is_light():
    heavy = "('sklearn', 'scipy', 'keras', 'tensorflow', 'pooch', 'requests', 'filelock', 'tqdm', 'matplotlib')"
    code = f"import sys, mnist_helpers.data.mnist; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_digits_hold_what_they_are_given():
    split = make_split([0, 1, 2])
    digits = Digits(split, split, split, source=REAL, origin="here")
    assert digits.train is split
