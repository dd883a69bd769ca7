"""What others found out about MNIST's test labels."""

from mnist_helpers.common.profile import REAL
from mnist_helpers.data.mnist import Split, check_is_split

_PREFERRED = {947: 9, 1621: 6, 1901: 4, 2462: 0, 2597: 3, 3558: 0, 5937: 3, 6651: 6, 6783: 6, 9729: 6}
_VERDICTS = {
    "another digit": tuple(_PREFERRED),
    "no digit": (2654, 3520, 9679),
    "no agreement": (2130, 8527),
}
_IMAGES = 10_000


def disputed_labels(split: Split) -> dict[int, str]:
    """Return the test images whose label people did not confirm.

    Parameters
    ----------
    split : Split
        MNIST's test images, all 10,000: in a part of them an index would be another image's.

    Returns
    -------
    dict of int to str
        Index (from 0) and what people said instead, "another digit", "no digit" or "no agreement". Empty for a part
        of the test images, for other splits, and for the stand-in.

    Notes
    -----
    Of 100 candidates that an algorithm suggested, 15 found no majority for the given label: Northcutt, Athalye,
    Mueller (2021), "Pervasive Label Errors in Test Sets".
    """
    check_is_split(split, function="disputed_labels")
    if split.source != REAL or split.name != "test" or len(split) != _IMAGES:
        return {}
    return dict(sorted((index, verdict) for verdict, indices in _VERDICTS.items() for index in indices))


def preferred_labels(split: Split) -> dict[int, int]:
    """Return the digit that most people saw in a test image, where it is not the one of its label.

    Parameters
    ----------
    split : Split
        MNIST's test images, all 10,000.

    Returns
    -------
    dict of int to int
        Index (from 0) and the digit, for those that `disputed_labels` calls "another digit". At least three of five
        people chose it, all five for images 947 and 6651 alone.
    """
    return {index: _PREFERRED[index] for index in disputed_labels(split) if index in _PREFERRED}
