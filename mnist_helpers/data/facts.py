"""What others found out about MNIST's test labels."""

from typing import Any

from mnist_helpers.common.checks import check_split
from mnist_helpers.data.mnist import REAL

_OTHER = (947, 1621, 1901, 2462, 2597, 3558, 5937, 6651, 6783, 9729)
_NEITHER = (2654, 3520, 9679)
_NO_MAJORITY = (2130, 8527)
_IMAGES = 10_000


def disputed_labels(split: Any) -> dict[int, str]:
    """Return the test images whose label people did not confirm: index (from 0) -> what they said instead.

    Of 100 candidates that an algorithm suggested, 15 found no majority for the given label. Empty for other splits,
    for a part of the test images, where an index is another image's, and for the stand-in.
    Source: Northcutt, Athalye, Mueller (2021), "Pervasive Label Errors in Test Sets".

    Raises ``TypeError`` or ``ValueError`` for what is no split, or has other than images (n, height, width, 1) and
    labels (n,).
    """
    check_split(split, function="disputed_labels")
    if split.source != REAL or split.name != "test" or len(split.labels) != _IMAGES:
        return {}
    groups = ((_OTHER, "another digit"), (_NEITHER, "no digit"), (_NO_MAJORITY, "no agreement"))
    return dict(sorted((index, verdict) for indices, verdict in groups for index in indices))
