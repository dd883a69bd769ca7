"""SHAP values with the background that notebook 11 arrives at, against the 1,000 images of published notebooks.

Both are computed by turns in one process, for the logits of the network that is explained there. Beside the time goes
what it costs: how well the values of the small background agree with those of the large one.
"""

import contextlib
import json
import sys
from typing import Any

from .bench_loading import stored
from .figures import Figure, Part
from .workers import ask, by_turns, say

CHOSEN, PUBLISHED = 200, 1000  # background images
DIGITS, CLASSES = 2, 5  # explained at a time: what is measured is time for each of both, to which it is proportional
AUGMENTATION = {"rotation": 15, "zoom": 0.12, "width_shift": 0.15, "height_shift": 0.10}
SETTINGS = {"epochs": 20, "batch_size": 32, "seed": 0}
_UNITS = {"cpu": "CPU s", "wall": "s"}


def measure(*, quick: bool = False) -> Part:
    """Measure both backgrounds in turn; the quick way, hundredths of them."""
    say("shap")
    sizes = [size // 100 if quick else size for size in (CHOSEN, PUBLISHED)]
    answer = ask("bench_shap", {"sizes": sizes, "rounds": 2 if quick else 5}, {"MNIST_PROFILE": "full"})
    return Part(figures(answer, sizes))


def figures(answer: dict[str, Any], sizes: list[int]) -> list[Figure]:
    """Return CPU and wall time of both backgrounds; the note says how well their values agree."""
    what = f"{sizes[0]:,} of {sizes[1]:,} background images"
    note = f"r = {answer['mean']:.4f} (lowest {answer['lowest']:.4f}) between both, {answer['of']}"
    return [
        Figure("shap", what, "", unit, *(tuple(answer["seconds"][str(size)][clock]) for size in sizes), note=told)
        for (clock, unit), told in zip(_UNITS.items(), (note, ""), strict=True)
    ]


def explain_by_turns(sizes: list[int], rounds: int) -> dict[str, Any]:
    """Return seconds of every round for each background, and the correlation of their values, map by map."""
    from mnist_helpers import explain, load_mnist

    digits = load_mnist()
    network, of = explained_network(digits)
    background = _shuffled(digits.train.take(max(sizes)).images)
    every, maps = digits.validation.images[:DIGITS].repeat(CLASSES, axis=0), {}
    targets = [digit for _ in range(DIGITS) for digit in range(CLASSES)]

    def explained(size: int) -> None:
        found = explain.target_shap_values(network, every, targets, background[:size], output="logit", progress=False)
        maps[size] = found[..., None]

    seconds = by_turns({str(size): lambda size=size: explained(size) for size in sizes}, rounds)
    return {"seconds": seconds, "of": of} | agreement(*(maps[size] for size in sizes))


def explained_network(digits: Any) -> tuple[Any, str]:
    """Return the network of notebook 11 from its checkpoint, or untrained where there is none, and which it is."""
    from mnist_helpers import RandomAffine, augmented, models, train

    network = augmented(models.large_kernel_cnn(), RandomAffine(**AUGMENTATION))
    if stored(network, digits, SETTINGS) is None:
        return network, "untrained network: no checkpoint"
    return train(network, digits, **SETTINGS).model, "network of notebook 11"


def _shuffled(images: Any) -> Any:
    import numpy as np

    return images[np.random.default_rng(0).permutation(len(images))]  # as the notebook does


def agreement(first: Any, second: Any) -> dict[str, float]:
    """Return mean and lowest of Pearson's r over all maps of two arrays (n, height, width, k)."""
    import numpy as np

    pairs = zip(*(np.moveaxis(maps, -1, 1).reshape(-1, maps[0, ..., 0].size) for maps in (first, second)), strict=True)
    found = [float(np.corrcoef(*pair)[0, 1]) for pair in pairs]
    return {"mean": float(np.mean(found)), "lowest": min(found)}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # train() tells what it loaded
        result = explain_by_turns(**json.loads(sys.argv[1]))
    print(json.dumps(result))
