"""A small, tested library under the MNIST notebook series.

Names are loaded when they are first used: ``import mnist_helpers`` imports no TensorFlow.
"""

import os

import lazy_loader

from mnist_helpers.common import quiet

# TensorFlow leaves oneDNN off on CPUs without AVX-512 VNNI, where it saves a third to two thirds of the time; both
# variables are read when TensorFlow is imported, and neither is set against a value of the user's.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

quiet.install()

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["explain", "live", "models", "plotting"],
    submod_attrs={
        "course": ["leaderboard"],
        "course.lesson": ["check", "claim", "show_source"],
        "data.mnist": ["Digits", "Split", "load_mnist"],
        "evaluation": [
            "CommitteeEvaluation",
            "Evaluation",
            "PairedTest",
            "better",
            "evaluate",
            "mcnemar",
            "wilson_interval",
        ],
        "models.augmentation": ["RandomAffine", "affine_transform", "augmented"],
        "training.committees": ["Committee", "average_model", "train_committee"],
        "training.cost": ["forward_flops", "training_flops"],
        "training.estimators": ["FittedEstimator", "StoredPredictions", "fit_estimator", "predict_once"],
        "training.remembered": ["remember"],
        "training.repeats": ["Repeats", "repeat"],
        "training.schedules": ["learning_rates", "one_cycle", "total_steps"],
        "training.run": ["Run"],
        "training.train": ["train"],
    },
)
