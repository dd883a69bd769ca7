"""Live figures: ideas to touch, in JupyterLab and on the rendered page.

    from mnist_helpers import live

    live.Convolve(digits.train.images[0])      # the last line of a cell

How to write one
----------------
1. ``js/<name>.js``, about 150 lines: ``export default function name(root, data, host) { ... }`` builds the figure in
   the element ``root``. ``data`` is what Python gave; its arrays arrive as ``{shape, data: Float32Array}``. Import
   elements, sliders and tiles from ``./core.js``, bars and curves from ``./charts.js``, layers of a network from
   ``./layers.js``, one import statement per module, names in braces. Colours come from the variables in ``style.css``.
   Canvases that are no ``tile`` paint again when ``onTheme`` calls. ``host`` is null on a page; in JupyterLab
   ``await host.ask(question)`` asks the kernel (only where ``asks_kernel`` is set).
2. A subclass of `figure.LiveFigure` with ``script = "<name>"``, ``data()``, ``alt`` and ``picture()``. Arrays are
   compressed; give weights as `figure.Rounded` (8 or 16 bits), and what several figures of a page use as
   `figure.Asset`. Everything must be deterministic: the output is stored in the notebook.
3. Styles of the figure at the end of ``js/style.css``, each rule under ``.mnist-live``. Look at it at 1,200 and 390
   pixels, in light and dark; use it with mouse, finger and keyboard; test it in ``tests/live`` (``page`` fixture).

The output of a cell is ``text/html``: a still picture with its text, and scripts that put the live figure in its place
wherever scripts run (a page, a trusted notebook). A figure that asks the kernel is an anywidget as well where a front
end is there. `share` leaves one copy of scripts and weights on a page with several figures.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "figure": ["Asset", "LiveFigure", "Rounded", "share"],
        "moved": ["Augment", "Shift", "answers_everywhere"],
        "points": ["Border", "Components", "Valley"],
        "figures": ["Convolve", "DrawDigit", "LiveTraining", "Network", "Quiz"],
        "drawing": ["draw", "preprocess"],
        "table": ["Table"],
    },
)
