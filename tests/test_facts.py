"""Known facts about the test set."""

from types import SimpleNamespace

from mnist_helpers.facts import disputed_labels


def test_disputed_labels_are_of_the_real_test_images_only():
    found = disputed_labels(SimpleNamespace(source="mnist", name="test"))
    assert len(found) == 15 and list(found) == sorted(found) and max(found) < 10_000
    assert found[947] == "another digit" and found[2654] == "no digit" and found[2130] == "no agreement"
    assert disputed_labels(SimpleNamespace(source="mnist", name="train")) == {}
    assert disputed_labels(SimpleNamespace(source="sklearn-digits", name="test")) == {}
