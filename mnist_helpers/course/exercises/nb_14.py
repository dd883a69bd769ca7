"""Graders for notebook 14, beyond the test set."""

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    in_words,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_LARGEST_CHANGE = 0.15


MISSES = [{"images": images, "percent": percent} for images, percent in ((19, 10), (39, 5), (24, 20), (49, 10))]


@exercise("14-1", "With few images the promise is coarse: for 1 % you need at least 99 of them.", variants=MISSES)
def rank(answer: Answer, images: int, percent: int) -> str | None:
    """The place of the conformal limit among the sorted values of so many images, for so many misses."""
    places, kept = images + 1, 100 - percent
    above = places * percent // 100
    right = places - above
    less = f"{right - 1} of {images} is less than {kept} %. And the new image is in the row, too"
    nearly = f"Nearly: {kept / 100:g} x {images} is {kept * images / 100:g}. But the new image makes {places}"
    largest = f"With the largest of the {images} values as the limit, only one place in {places} lies above it"
    mistakes = {
        f"{less}: there are {places} places.": right - 1,
        f"{nearly}, and its place may be among the last {in_words(above)}.": kept * images / 100,
        f"{largest}: a promise of {100 * images / places:g} %.": images,
        f"There are only {images} values to choose from.": places,
        "That is how many may lie above it. Count from the smallest.": above,
        f"That is how many of the {images} lie above it. Count from the smallest.": above - 1,
    }
    general = f"Multiply the number of places, {images} + 1, by the share that may be kept, {kept} %."
    return diagnosis(as_number(answer), right, mistakes, general)


@exercise("14-2", "Does it hurt? `corrupted(images[:1000], covered, 8)` shows whether a network can do with less.")
def corruption(answer: Answer) -> str | None:
    """A function that puts an empty square at a random place into each image."""
    images = np.ones((40, 28, 28, 1), np.float32)
    changed = as_array(called(answer, images, 6, np.random.default_rng(0)), images.shape)
    if not images.all():
        return "Your function has changed the array that it was given. Work on a copy: `images.copy()`."
    holes = changed[..., 0] == 0
    sizes = holes.sum(axis=(1, 2))
    if not sizes.all():
        return f"{np.count_nonzero(sizes == 0)} of 40 white images came back without a black pixel."
    if not np.isin(changed, (0, 1)).all():
        return "Outside of the square the pixels should stay as they are, and inside be 0."
    if len(np.unique(holes.reshape(40, -1), axis=0)) < 20:
        return "All images get their square at the same place. Draw a row and a column for each image."
    if (sizes != 36).any():
        cut = sizes.min() < 36 <= sizes.max()
        if cut:
            return "Some squares are cut off at the edge. The last row where one can begin is 28 - severity."
        return f"With severity 6, a square should have 36 pixels. Yours has {sizes[0]}."
    rows, columns = holes.any(axis=2).sum(axis=1), holes.any(axis=1).sum(axis=1)
    if (rows != 6).any() or (columns != 6).any():
        return "36 pixels, but not in one square of 6 x 6."
    again = as_array(called(answer, images, 6, np.random.default_rng(0)))
    if not np.array_equal(again, changed):
        return "The same seed should give the same places. Draw them from `random`, and from nothing else."
    return None


@exercise("14-3", "Try it on grey paper, too: has it learned what ink is, or two kinds of pictures?", needs_digits=True)
def both_ways(answer: Answer, digits: Digits) -> str | None:
    """A compiled and fitted network that reads validation images as they are, and inverted."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    right = validation_accuracy(answer, digits)
    inverted = answer.predict(1 - digits.validation.images, batch_size=512, verbose=0).argmax(axis=1)
    right_inverted = float(np.mean(inverted == digits.validation.labels))
    enough = 0.9 if is_full(digits.source) else 0.3
    if right >= enough and right_inverted >= enough:
        return None
    told = f"It reads {right:.0%} of the digits and {right_inverted:.0%} of the inverted ones"
    if right < enough <= right_inverted:
        return f"{told}. Was it fitted on inverted images only?"
    if right_inverted < enough <= right:
        return f"{told}. It needs inverted images in training, `1 - some`, with the same labels."
    return f"{told}. Fit it for longer."


@exercise("14-4", "A person sees no difference worth mentioning. How small can you make it?", needs_digits=True)
def broken(answer: Answer, digits: Digits) -> str | None:
    """A network, the number of a validation image that it reads, and that image with small changes, misread."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return "Hand over three things: (network, i, changed)."
    network, index, changed = answer
    check_network(network)
    i = int(as_number(index))
    if not 0 <= i < len(digits.validation):
        return f"The number should be that of a validation image, 0 to {len(digits.validation) - 1}. Yours is {i}."
    changed = as_array(changed)
    if changed.size != 28 * 28:
        return f"The changed image should have the shape (28, 28, 1). Yours has {changed.shape}."
    changed = changed.reshape(28, 28, 1).astype(np.float32)
    if changed.min() < -1e-6 or changed.max() > 1 + 1e-6:
        return f"Pixels should stay between 0 and 1. Yours go from {changed.min():.2f} to {changed.max():.2f}."
    image, label = digits.validation.images[i], int(digits.validation.labels[i])
    largest = float(np.abs(changed - image).max())
    if largest > _LARGEST_CHANGE + 1e-4:
        return f"The largest change of a pixel is {largest:.2f}; {_LARGEST_CHANGE} is allowed. Is it image number {i}?"
    before, after = network.predict(np.stack([image, changed]), verbose=0).argmax(axis=1)
    if before != label:
        return f"That is not fair: the network reads this {label} as a {before} even before the change."
    if after == label:
        return f"It still reads a {label}. Attack several hundred images, and take one where the answer changes."
    return None
