"""TensorFlow without its start-up messages.

TensorFlow reports at import that it looked for a graphics card and that oneDNN is on, and no log level holds this back.
In a notebook such lines look like errors, so from ``import mnist_helpers`` on they are shown only if ``import keras``
fails.
"""

import contextlib
import importlib.machinery
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to the process's standard error, by C++ code too; show it if an exception leaves."""
    try:
        sys.stderr.flush()
        original = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no standard error, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(original, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


class QuietFinder:
    """Find Keras and TensorFlow as Python does, and let them execute without a word on standard error."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the specification of ``keras`` or ``tensorflow``, with a loader that is quiet; None for others."""
        if name not in ("keras", "tensorflow"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def quietly(module: ModuleType) -> None:
                with quiet_stderr():
                    execute(module)
                    if name == "keras":
                        module.ops.zeros(1)  # the search for devices happens, and speaks, with the first tensor

            spec.loader.exec_module = quietly  # type: ignore[method-assign]
        return spec


def _says_nothing_of_tracing(record: logging.LogRecord) -> bool:
    """Tell TensorFlow's advice against building graphs again and again from what else it has to say."""
    return "triggered tf.function retracing" not in record.getMessage()


def install() -> None:
    """Let Keras and TensorFlow be imported quietly from now on, once."""
    if not any(isinstance(finder, QuietFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, QuietFinder())
        # every new network needs a graph of its own; to train five in turn is nothing wrong
        logging.getLogger("tensorflow").addFilter(_says_nothing_of_tracing)
