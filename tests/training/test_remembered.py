"""What a study measured is computed once, and is the same whether it is loaded or not."""

import numpy as np
import pytest
from small import digits_of

from mnist_helpers import remember
from mnist_helpers.training.store import CheckpointWarning


@pytest.fixture
def digits():
    return digits_of(30, 20)


class Study:
    """Counts how often it is computed."""

    def __init__(self, value=0.5):
        self.calls, self.value = 0, value

    def __call__(self):
        self.calls += 1
        return {"curve": np.float16([self.value, 1 / 3]), "count": np.array([3], np.uint8)}


def test_a_study_is_computed_once(store, digits, capsys):
    study = Study()
    first, second = (remember("A contest", study, digits, settings={"digits": 20}) for _ in range(2))
    assert study.calls == 1
    assert [path.name[:10] for path in store.glob("*.npz")] == ["a-contest-"]
    for arrays in (first, second):
        assert (arrays["curve"].dtype, arrays["count"].dtype) == (np.float16, np.uint8)
        np.testing.assert_array_equal(arrays["curve"], np.float16([0.5, 1 / 3]))
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("A contest computed in ") and told[1].startswith("A contest loaded: computed before, in ")


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Another"},
        {"settings": {"digits": 21}},
        {"digits": digits_of(30, 21)},
        {"digits": digits_of(31, 20)},
        {"again": True},
    ],
    ids=str,
)
def test_whatever_differs_is_computed(store, digits, other):
    study = Study()
    given = {"name": "A contest", "compute": study, "digits": digits, "settings": {"digits": 20}}
    remember(**given)
    remember(**(given | other))
    assert study.calls == 2


def test_a_result_that_was_computed_again_replaces_the_first(store, digits):
    for value, again in ((0.25, False), (0.75, True)):
        remember("A contest", Study(value), digits, settings={}, again=again)
    assert remember("A contest", Study(), digits, settings={})["curve"][0] == 0.75


def test_smoke_keeps_nothing(store, digits, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    study = Study()
    for _ in range(2):
        remember("A contest", study, digits, settings={})
    assert study.calls == 2 and not list(store.glob("*"))


def test_a_damaged_file_is_computed_anew(store, digits):
    study = Study()
    remember("A contest", study, digits, settings={})
    (path,) = store.glob("*.npz")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.warns(CheckpointWarning, match="not usable"):
        remember("A contest", study, digits, settings={})
    assert study.calls == 2


def test_what_it_cannot_use_is_refused(store, digits):
    with pytest.raises(TypeError, match="may hold numbers"):
        remember("A contest", Study(), digits, settings={"model": object()})
    with pytest.raises(TypeError, match="digits"):
        remember("A contest", Study(), "digits", settings={})
