"""The networks of the stored runs. A checkpoint describes its layers, but does not build them: the factories do."""

from functools import cache, partial

from mnist_helpers.training import store as checkpoints


def _augmented(factory, rotation, zoom, width, height, shear=0.0):
    from mnist_helpers import RandomAffine, augmented

    layer = RandomAffine(rotation=rotation, zoom=zoom, width_shift=width, height_shift=height, shear=shear)
    return augmented(factory(), layer)


def _factories():
    """All networks of which the leaderboard has weights; the layers with no weights count, too."""
    from mnist_helpers import models

    gentle = [models.simple_cnn, models.deep_cnn, models.compact_cnn]
    yield from (partial(_augmented, factory, 10, 0.1, 0.1, 0.1) for factory in gentle)
    yield partial(_augmented, models.large_kernel_cnn, 15, 0.12, 0.15, 0.10)
    yield partial(_augmented, models.strided_cnn, 12, 0.12, 0.09, 0.09)
    yield partial(_augmented, models.strided_cnn, 15, 0.15, 0.10, 0.10, 0.2)
    yield from (models.lenet5, models.simple_cnn, models.large_kernel_cnn, models.small_cnn)
    yield from (models.wide_dense, models.deep_dense, partial(models.deep_dense, dropout=0.3))
    yield from (partial(models.small_cnn, size=48), partial(models.wide_dense, dropout=0.0, size=48))
    for scale in ({}, {"rescale": 255.0}):
        yield from (partial(models.lenet_like, **scale), partial(models.lenet_like, dropout=0.45, **scale))
        yield partial(models.lenet_like, normalization=True, **scale)
        yield from (partial(models.deep_lenet_like, **scale), partial(models.inception_net, **scale))


@cache
def _known():
    from mnist_helpers.training.keys import describe_model, key_of

    return {key_of(describe_model(factory())): factory for factory in _factories()}


def stored(name):
    """Read one of the series' checkpoints by its file name."""
    return checkpoints.read(checkpoints.series_directory() / name, name[:-4].split("-")[-1])


def network(name):
    """Return the network of a checkpoint with weights. Raises KeyError when no factory makes what it describes."""
    from mnist_helpers.training.keys import key_of
    from mnist_helpers.training.store import unpacked

    found = stored(name)
    model = _known()[key_of(found.record["description"]["model"])]()
    model.set_weights(unpacked(found.arrays, len(model.weights)))
    return model
