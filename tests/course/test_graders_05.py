"""Exercises of notebook 05: right answers pass, and the usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.common.backend import keras


def targets(label):
    return 2 * np.eye(10)[label] - 1


def hinge(outputs, label):
    return np.maximum(0, 1 - targets(label) * outputs).mean()


test_hints_for_hinge = judged(
    "05-1",
    [
        (hinge, RIGHT),
        (lambda o, n: keras.losses.hinge(targets(n)[None], o[None])[0], RIGHT),
        (lambda o, n: np.maximum(0, 1 - targets(n) * o).sum(), "mean"),
        (lambda o, n: (1 - targets(n) * o).mean(), "never less"),
        (lambda o, n: np.maximum(0, 1 - np.eye(10)[n] * o).mean(), "not 1 and 0"),
        (lambda o, n: np.maximum(0, 1 + targets(n) * o).mean(), "sign"),
        (lambda o, n: max(0, 1 - o[n]), "right digit only"),
        (lambda o, n: (np.maximum(0, 1 - targets(n) * o) ** 2).mean(), "squared"),
        (lambda o, n: np.maximum(0, -targets(n) * o).mean(), "margin is missing"),
        (lambda o, n: 0.9, "one output"),
        (lambda o, n: np.maximum(0, 1 - targets(n) * o), "one number"),
        (lambda o, n: ..., OPEN),
    ],
)


def nesterov_steps(gradients, rate, share):
    speed, steps = 0, []
    for gradient in gradients:
        speed = share * speed - rate * gradient
        steps.append(share * speed - rate * gradient)
    return steps


def test_nesterov_is_what_keras_does():
    weight = keras.Variable(np.float32(1))
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    values = [1.0]
    for gradient in (0.5, -0.2, 0.1):
        optimizer.apply([np.float32(gradient)], [weight])
        values.append(float(weight.numpy()))
    assert np.allclose(np.diff(values), nesterov_steps([0.5, -0.2, 0.1], 0.01, 0.9), atol=1e-6)


def moving(step):
    """A wrong answer: step(speed before, speed after, gradient, rate, share)."""

    def steps(gradients, rate, share):
        speed, made = 0, []
        for g in gradients:
            before, speed = speed, share * speed - rate * g
            made.append(step(before, speed, g, rate, share))
        return made

    return steps


test_hints_for_nesterov = judged(
    "05-2",
    [
        (nesterov_steps, RIGHT),
        (lambda *given: np.array(nesterov_steps(*given)), RIGHT),
        (moving(lambda before, after, g, rate, share: after), "plain momentum"),
        (moving(lambda before, after, g, rate, share: rate * g - share * after), "sign"),
        (lambda *given: np.cumsum(nesterov_steps(*given)), "places"),
        (moving(lambda before, after, g, rate, share: after - rate * g), "Almost"),
        (moving(lambda before, after, g, rate, share: share * after), "gradient is missing"),
        (moving(lambda before, after, g, rate, share: -(1 + share) * rate * g), "forgotten"),
        (moving(lambda before, after, g, rate, share: -rate * g), "plain SGD"),
        (lambda gradients, rate, share: [0.0] * len(gradients), "by hand"),
        (lambda *given: nesterov_steps(*given)[-1], "three numbers. Yours has one number"),
        (lambda gradients, rate, share: ..., OPEN),
    ],
)


def compare(build, fit, optimizers, seeds):
    return {name: np.mean([fit(build(), one, seed) for seed in seeds]) for name, one in optimizers.items()}


def as_published(build, fit, optimizers, seeds):
    network = build()
    return {name: max(fit(network, one, seed) for seed in seeds) for name, one in optimizers.items()}


def half_mended(build, fit, optimizers, seeds):
    results = {}
    for name, one in optimizers.items():
        network = build()
        results[name] = max(fit(network, one, seed) for seed in seeds)
    return results


def summarised(summary):
    def wrong(build, fit, optimizers, seeds):
        return {name: summary([fit(build(), one, seed) for seed in seeds]) for name, one in optimizers.items()}

    return wrong


test_hints_for_comparisons = judged(
    "05-3",
    [
        (compare, RIGHT),
        (as_published, "hand to hand"),
        (half_mended, "Look at the seeds"),
        (summarised(max), "best says how lucky"),
        (summarised(min), "worst"),
        (summarised(lambda a: a[-1]), "last"),
        (summarised(lambda a: a[0]), "first"),
        (summarised(sum), "How many were there"),
        (summarised(np.median), "median"),
        (summarised(lambda a: 0.5), "mean of each is wrong"),
        (summarised(lambda a: a), "one number"),
        (lambda b, fit, some, seeds: {name: fit(b(), one, 0) for name, one in some.items()}, "asks for 3"),
        (lambda b, fit, some, seeds: [1, 2, 3], "dictionary"),
        (lambda b, fit, some, seeds: ..., OPEN),
        (lambda b, fit: {}, "TypeError"),
    ],
)


DIGITS = digits_of()


def network(optimizer="adagrad", *, shape=(28, 28, 1), outputs=10, epochs=0):
    """A network of one layer that may have learned the made-up digits of this test."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, activation="softmax")]
    model = keras.Sequential([keras.Input(shape), *layers])
    if optimizer:
        model.compile(optimizer, "sparse_categorical_crossentropy")
    if epochs:
        model.fit(DIGITS.train.images, DIGITS.train.labels, epochs=epochs, verbose=0)
    return model


def adagrad(rate):
    return keras.optimizers.Adagrad(rate)


test_hints_for_a_network_with_adagrad = judged(
    "05-4",
    [
        (lambda: network(adagrad(0.1), epochs=10), RIGHT),
        (lambda: ..., OPEN),
        (lambda: 3, "a Keras network"),
        (keras.callbacks.History, "the network itself"),
        (lambda: keras.Sequential([keras.layers.Dense(10)]), "keras.Input"),
        (lambda: network(shape=(32, 32, 1)), "images of shape (28, 28, 1)"),
        (lambda: network(outputs=11), "ten outputs"),
        (lambda: network(None), "still has to be compiled"),
        (lambda: network("adam"), "compiled with Adam."),
        (network, "Compiled, but not trained"),
        (lambda: network(adagrad(1e-9), epochs=1), "needs a larger rate"),
        (lambda: network(adagrad(float("inf")), epochs=1), "not finite"),
    ],
    build=True,
    digits=DIGITS,
)
