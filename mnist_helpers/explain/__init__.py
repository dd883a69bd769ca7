"""What the networks see: values that explain an answer, apart from the pictures of them (`plotting`).

`shap_values`, `target_shap_values`, `background_agreement`; `activations`, `first_kernels`, `layer_names`; `maximise`;
`saliency`, `integrated_gradients`, `occlusion`, and `deletion_curve` to compare them; `inference_model`, `randomised`.
"""

from mnist_helpers.explain.attributions import (
    FRACTIONS,
    IntegratedGradients,
    deletion_curve,
    integrated_gradients,
    occlusion,
    random_importance,
    saliency,
)
from mnist_helpers.explain.network import activations, first_kernels, inference_model, layer_names, randomised
from mnist_helpers.explain.shapley import ShapValues, background_agreement, shap_values, target_shap_values
from mnist_helpers.explain.visualisation import Maximised, maximise

__all__ = [
    "FRACTIONS",
    "IntegratedGradients",
    "Maximised",
    "ShapValues",
    "activations",
    "background_agreement",
    "deletion_curve",
    "first_kernels",
    "inference_model",
    "integrated_gradients",
    "layer_names",
    "maximise",
    "occlusion",
    "random_importance",
    "randomised",
    "saliency",
    "shap_values",
    "target_shap_values",
]
