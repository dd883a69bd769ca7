"""What the networks see: values that explain an answer, apart from the pictures of them (`plotting`).

`target_shap_values`, and `inference_model`, the network as it answers.
"""

from mnist_helpers.explain.network import inference_model
from mnist_helpers.explain.shapley import target_shap_values

__all__ = ["inference_model", "target_shap_values"]
