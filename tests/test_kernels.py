"""One notebook in a kernel of its own."""

from pathlib import Path

from sample_notebooks import text, write

from mnist_helpers.kernels import execute, kernel_environment


def test_the_environment_of_a_kernel():
    base = {"MNIST_DATA": "data/m.npz", "MPLBACKEND": "agg", "HOME": "/h"}
    made = kernel_environment(profile="smoke", standin=False, base=base)
    assert made["MNIST_DATA"] == str(Path.cwd() / "data/m.npz")
    assert (made["MNIST_PROFILE"], made["MNIST_STRICT"]) == ("smoke", "1")
    assert "inline" in made["MPLBACKEND"] and "MNIST_STANDIN" not in made and made["HOME"] == "/h"
    assert kernel_environment(profile="full", standin=True, base={"MNIST_STRICT": "0"})["MNIST_STRICT"] == "0"
    assert kernel_environment(profile="full", standin=True, base={})["MNIST_STANDIN"] == "always"


def test_progress_counts_the_code_cells_that_have_something_to_execute(tmp_path):
    seen = []
    path = write(tmp_path / "00_a.ipynb", text("t"), "1", "", "2")
    environment = kernel_environment(profile="smoke", standin=True)
    _, result = execute(
        path, environment=environment, timeout=20, progress=lambda cell, cells: seen.append((cell, cells))
    )
    assert result.ok and sorted(set(seen)) in ([(1, 2), (2, 2)], [(0, 2), (1, 2), (2, 2)])


def test_a_progress_bar_leaves_no_trace_in_the_notebook(tmp_path):
    show_and_empty = """
from mnist_helpers.training.progress import TrainingProgress

bar = TrainingProgress("net", 2, 5)
bar.on_epoch_begin(0)
bar.on_train_batch_end(0, {"accuracy": 0.5})
print(type(bar._line).__name__)
bar.close()
"""
    path = write(tmp_path / "00_a.ipynb", show_and_empty.strip())
    notebook, result = execute(path, environment=kernel_environment(profile="smoke", standin=True), timeout=60)
    assert result.ok, result.error
    assert [dict(output) for output in notebook.cells[0].outputs] == [
        {"output_type": "stream", "name": "stdout", "text": "NotebookLine\n"}
    ]
