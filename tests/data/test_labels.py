"""Known facts about the test set."""

import numpy as np
import pytest

from mnist_helpers.data import Split, disputed_labels
from mnist_helpers.data.labels import preferred_labels


def split_of(n=10_000, name="test", source="mnist"):
    return Split(np.zeros((n, 1, 1, 1), np.float32), np.zeros(n, int), name, source)


def test_disputed_labels_are_of_the_real_test_images_only():
    found = disputed_labels(split_of())
    assert len(found) == 15 and list(found) == sorted(found) and max(found) < 10_000
    assert found[947] == "another digit" and found[2654] == "no digit" and found[2130] == "no agreement"
    for other in (split_of(name="train"), split_of(source="sklearn-digits"), split_of(9_999)):
        assert disputed_labels(other) == {}
    with pytest.raises(TypeError, match="'split' parameter of disputed_labels must be a Split. Got NoneType"):
        disputed_labels(None)


def test_preferred_labels_are_those_of_the_images_with_another_digit():
    preferred, verdicts = preferred_labels(split_of()), disputed_labels(split_of())
    assert list(preferred) == [index for index, verdict in verdicts.items() if verdict == "another digit"]
    assert preferred[947] == 9 and preferred[2462] == 0 and preferred[6651] == 6
    assert preferred_labels(split_of(source="sklearn-digits")) == {}
