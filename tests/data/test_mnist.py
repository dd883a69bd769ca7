"""MNIST as lessons get it: the split, what can be done with one, the stand-in, the smoke profile."""

import hashlib
import subprocess
import sys
import warnings
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from mnist_helpers.data import Digits, Split, load_mnist
from mnist_helpers.data import mnist as data
from mnist_helpers.data.mnist import REAL, STANDIN, current


@pytest.fixture(autouse=True)
def full(monkeypatch):
    """The full profile, and nothing loaded yet."""
    monkeypatch.delenv("MNIST_PROFILE", raising=False)
    monkeypatch.setattr(data, "_loaded", [])


@pytest.fixture
def at_hand(small_mnist, home, fake, monkeypatch):
    """The small MNIST lies where MNIST_DATA says."""
    (home / "mine.npz").write_bytes(fake.npz)
    monkeypatch.setenv("MNIST_DATA", str(home / "mine.npz"))


def make_split(labels, **changes):
    images = np.random.default_rng(0).random((len(labels), 28, 28, 1), dtype=np.float32)
    return Split(**{"images": images, "labels": np.asarray(labels), "name": "train", "source": REAL} | changes)


def sizes(digits):
    return [len(digits.train), len(digits.validation), len(digits.test)]


def test_train_and_validation_are_the_training_images_once_each(at_hand, fake, capsys):
    digits = load_mnist()
    assert sizes(digits) == [200, 40, 40] and (digits.source, digits.origin) == (REAL, "MNIST_DATA")
    for name in ("train", "validation", "test"):
        split = getattr(digits, name)
        assert (split.name, split.source, split.labels.dtype) == (name, REAL, np.int64)
        assert split.images.dtype == np.float32 and split.images.shape == (len(split), 28, 28, 1)
        assert np.bincount(split.labels).tolist() == [len(split) // 10] * 10
    both = np.concatenate([digits.train.images, digits.validation.images])
    labels = np.concatenate([digits.train.labels, digits.validation.labels])
    seen = {np.rint(image * 255).astype(np.uint8).tobytes(): label for image, label in zip(both, labels, strict=True)}
    assert seen == {
        image.tobytes(): label for image, label in zip(fake.arrays["x_train"], fake.arrays["y_train"], strict=True)
    }
    assert np.array_equal(np.rint(digits.test.images[..., 0] * 255), fake.arrays["x_test"])
    assert np.array_equal(digits.test.labels, fake.arrays["y_test"])
    assert capsys.readouterr().out == ""  # nothing unusual
    assert current() is digits


def test_the_split_of_mnist_never_changes(real_mnist, monkeypatch):
    """The digests stand in the key of every checkpoint."""
    monkeypatch.delenv("MNIST_STANDIN", raising=False)
    digits = load_mnist()
    assert sizes(digits) == [50_000, 10_000, 10_000]
    assert repr(digits) == "MNIST: 50,000 training, 10,000 validation, 10,000 test images"
    assert digits.train.digest == "85462876cc28324207ab0f37097959333a444c82aa44db338aa6943c4fe28caf"
    assert digits.validation.digest == "9bb98b8959221de4e5f553efc469b4d4820309ac1a399a081a8d12fa60eb46ab"
    assert np.bincount(digits.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.train.take(10, 0).digest == "0726f4d2e3da0e8dae2c3fded3ccbae5215c6b3d238294c3ee73461a105de4ab"
    assert digits.train.take(10, 1).digest == "6e56f112e3537e19885d0979e244cbfe7b39a10d68cf28c9731568d526f533b4"
    assert digits.validation.take(1000).digest == "7df1429fb7c58953ae14e7705f616d1d1d9fbe908f1d578a71598db910713622"


def test_arrays_cannot_be_changed(at_hand):
    digits = load_mnist()
    for array in (digits.train.images, digits.train.flat, digits.test.labels, digits.train.take(20).images):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        digits.train = digits.test
    images = np.zeros((2, 28, 28, 1), np.float32)
    make_split([0, 1], images=images)
    images[0] = 1  # an array that was given to a split stays writable


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (
            {"images": np.zeros((3, 28, 28, 1), np.uint8)},
            TypeError,
            "'images' parameter of Split.*Got an array of uint8",
        ),
        ({"images": np.zeros((3, 28, 28), np.float32)}, ValueError, r"Got shape \(3, 28, 28\)"),
        ({"images": np.full((3, 28, 28, 1), 255.0)}, ValueError, "'images' parameter of Split.*255.0"),
        ({"images": np.zeros((2, 28, 28, 1), np.float32)}, ValueError, r"'labels'.*\(2,\).*Got shape \(3,\)"),
        ({"labels": np.array([0, 1, 10])}, ValueError, "digits from 0 to 9"),
        ({"name": "dev"}, ValueError, "'name' parameter of Split must be one of"),
        ({"source": "fashion"}, ValueError, "'source' parameter of Split must be one of"),
    ],
)
def test_split_refuses_other_arrays(changes, kind, message):
    with pytest.raises(kind, match=message):
        Split(**vars(make_split([0, 1, 2])) | changes)


def test_splits_and_digits_made_by_hand():
    split = make_split([0, 1, 2], images=np.zeros((3, 48, 48, 1)))  # a larger canvas, of float64
    assert split.flat.shape == (3, 48 * 48) and split.images.dtype == np.float32
    assert repr(split) == "Split(train: 3 images, source='mnist')"
    digits = Digits(split, split, split, source=REAL)
    assert digits.train is split and current() is None


def test_take_keeps_proportions_order_and_pairs():
    split = make_split(np.repeat([0, 1, 2], [600, 300, 100]))
    taken = split.take(50)
    assert np.bincount(taken.labels).tolist() == [30, 15, 5]
    assert (taken.name, taken.source) == ("train", REAL)
    places = [int(np.flatnonzero((split.images == image).all(axis=(1, 2, 3)))[0]) for image in taken.images]
    assert places == sorted(set(places))
    assert np.array_equal(split.labels[places], taken.labels)


def test_take_depends_on_the_seed_alone_and_takes_any_number():
    split = make_split(np.arange(500) % 10)
    assert split.take(100).digest == split.take(100, seed=0).digest
    assert split.take(100).digest != split.take(100, seed=1).digest
    assert split.take(500) is split.take(501) is split
    assert [len(split.take(n)) for n in (1, 3, 9, 499)] == [1, 3, 9, 499]
    assert len(make_split([0, 0, 0, 1]).take(2)) == 2  # a class of one image
    with pytest.raises(ValueError, match="The 'n' parameter of take must be at least 1"):
        split.take(0)
    with pytest.raises(TypeError, match="The 'n' parameter of take must be an integer"):
        split.take(2.0)


def test_flat_is_a_view_and_digest_covers_images_and_labels():
    split = make_split(np.arange(30) % 10)
    assert split.flat.shape == (30, 784) and np.shares_memory(split.flat, split.images)
    assert split.digest == hashlib.sha256(split.images.tobytes() + split.labels.tobytes()).hexdigest()
    assert split.digest != make_split((np.arange(30) + 1) % 10).digest


# -- the stand-in, and the smoke profile


def test_the_stand_in_says_what_it_is_and_why(small_mnist, capsys):
    small_mnist("http://127.0.0.1:1/mnist.npz")
    digits = load_mnist()
    shown = capsys.readouterr().out
    assert "THIS IS NOT MNIST" in shown and "python -m mnist_helpers data" in shown
    assert "\n127.0.0.1:1: not reachable" in shown and "1,285 training, 256 validation, 256 test images" in shown
    assert max(map(len, shown.splitlines())) <= 96
    assert digits.source == digits.train.source == digits.test.source == STANDIN and sizes(digits) == [1285, 256, 256]
    assert all(23 <= count <= 28 for count in np.bincount(digits.test.labels))
    assert digits.train.digest.startswith("a0c3e95a34082db8") and "not MNIST" in repr(digits)


def test_the_stand_in_can_be_ruled_out_or_asked_for(small_mnist, monkeypatch, capsys):
    with pytest.raises(ConnectionError, match="No mirror delivered MNIST"):
        load_mnist(standin="never")
    monkeypatch.setenv("MNIST_STANDIN", "never")
    with pytest.raises(ConnectionError, match="python -m mnist_helpers data"):
        load_mnist()
    monkeypatch.setattr(data, "find", lambda: pytest.fail("MNIST was looked for"))
    monkeypatch.setenv("MNIST_STANDIN", "always")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_mnist().source == STANDIN
    assert "asked for" in capsys.readouterr().out
    for mode, argument in (("yes", None), ("auto", "yes")):
        monkeypatch.setenv("MNIST_STANDIN", mode)
        with pytest.raises(ValueError, match=r"'standin' parameter of load_mnist .*MNIST_STANDIN.* one of.*Got 'yes'"):
            load_mnist(standin=argument)


def test_the_argument_comes_before_the_environment(at_hand, monkeypatch):
    monkeypatch.setenv("MNIST_STANDIN", "always")
    assert load_mnist(standin="auto").source == REAL


def test_a_bad_mnist_data_never_becomes_the_stand_in(small_mnist, home, monkeypatch):
    monkeypatch.setenv("MNIST_DATA", str(home / "missing.npz"))
    with pytest.raises(FileNotFoundError, match="MNIST_DATA"):
        load_mnist()


def test_the_smoke_profile_takes_a_stratified_part_and_says_so(at_hand, monkeypatch, capsys):
    whole = load_mnist()
    monkeypatch.setattr(data, "SMOKE_IMAGES", {"train": 100, "validation": 500, "test": 20})
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    digits = load_mnist()
    assert sizes(digits) == [100, 40, 20] and np.bincount(digits.train.labels).tolist() == [10] * 10
    assert digits.train.digest == whole.train.take(100).digest and digits.validation.digest == whole.validation.digest
    assert current() is digits
    shown = capsys.readouterr().out
    assert "SMOKE PROFILE" in shown and "100 training, 40 validation, 20 test" in shown and "NOT MNIST" not in shown


def test_import_is_light():
    heavy = "('sklearn', 'scipy', 'keras', 'tensorflow', 'pooch', 'requests', 'filelock', 'tqdm', 'matplotlib')"
    code = f"import sys, mnist_helpers.data; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
