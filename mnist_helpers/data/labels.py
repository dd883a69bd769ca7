"""What others found out about MNIST's test labels."""

from mnist_helpers.common.profile import REAL
from mnist_helpers.data.mnist import Split, check_is_split

_VERDICTS = {
    "another digit": (947, 1621, 1901, 2462, 2597, 3558, 5937, 6651, 6783, 9729),
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
