"""Pictures: data first, every option by keyword; ``ax=None`` makes a new figure; the Axes come back; nothing is shown.

Colours can be told apart by colour-blind readers, and line styles, markers, hatches or names on the lines say the same
in grey print. Only the sign of a red or blue map is lost there. Importing it gives all figures the look of the series.
"""

from mnist_helpers.plotting.architecture import plot_architecture
from mnist_helpers.plotting.charts import (
    plot_accuracies,
    plot_confusion,
    plot_grouped_bars,
    plot_heatmap,
)
from mnist_helpers.plotting.curves import (
    plot_curves,
    plot_learning_rates,
)
from mnist_helpers.plotting.digits import (
    plot_confusion_examples,
    plot_digits,
    plot_errors,
    plot_samples,
)
from mnist_helpers.plotting.maps import plot_attributions
from mnist_helpers.plotting.points import plot_cost, plot_indistinguishable
from mnist_helpers.plotting.theme import set_theme

set_theme()

__all__ = [
    "plot_accuracies",
    "plot_architecture",
    "plot_attributions",
    "plot_confusion",
    "plot_confusion_examples",
    "plot_cost",
    "plot_curves",
    "plot_digits",
    "plot_errors",
    "plot_grouped_bars",
    "plot_heatmap",
    "plot_indistinguishable",
    "plot_learning_rates",
    "plot_samples",
]
