"""Cross-validation on MNIST's 60,000 training images, of which the series' validation images are one fold."""

import numpy as np

from mnist_helpers.common.checks import check_positive_int, problem
from mnist_helpers.data.mnist import Digits, Split, check_digits


def fold(digits: Digits, number: int, *, folds: int = 6) -> Digits:
    """Return the digits with another part of the training images for validation.

    Parameters
    ----------
    digits : Digits
    number : int
        Which fold is left out of training. 0 is ``digits.validation``, and the digits come back as they are. 1, 2, ...
        are stratified parts of ``digits.train``, drawn with seed 42; then ``digits.validation`` is trained on.
    folds : int
        How many there are, 0 among them, at least 3. With MNIST and 6 of them, each has 10,000 images.

    Returns
    -------
    Digits
        ``validation`` is the fold; ``train`` holds all other images, those of ``digits.validation`` first; ``test`` is
        the same.

    Raises
    ------
    TypeError, ValueError
        No digits, fewer than three folds, or no fold of this number.
    """
    from sklearn.model_selection import StratifiedKFold  # slow to import, and needed here alone

    check_digits(digits, function="fold")
    folds = check_positive_int(folds, name="folds", function="fold", minimum=3)
    number = check_positive_int(number, name="number", function="fold", minimum=0)
    if number >= folds:
        raise ValueError(problem("number", "fold", f"from 0 to {folds - 1}", repr(number)))
    if number == 0:
        return digits
    splitter = StratifiedKFold(folds - 1, shuffle=True, random_state=42)
    kept, left = list(splitter.split(digits.train.labels, digits.train.labels))[number - 1]
    train, validation = digits.train, digits.validation
    images = np.concatenate([validation.images, train.images[kept]])
    labels = np.concatenate([validation.labels, train.labels[kept]])
    return Digits(
        Split(images, labels, "train", digits.source),
        Split(train.images[left], train.labels[left], "validation", digits.source),
        digits.test,
        digits.source,
        digits.origin,
    )
