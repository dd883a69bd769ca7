"""Keras, imported without TensorFlow's start-up messages.

TensorFlow reports at import that it looked for a graphics card and that oneDNN is on, and no log level holds this back.
In a notebook such lines look like errors, so they are shown only if the import fails.
"""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


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


if "tensorflow" in sys.modules or "keras" in sys.modules:
    import keras
else:
    with quiet_stderr():
        import keras

        keras.ops.zeros(1)  # the search for devices happens, and speaks, with the first tensor


def _says_nothing_of_tracing(record: logging.LogRecord) -> bool:
    """Tell TensorFlow's advice against building graphs again and again from what else it has to say."""
    return "triggered tf.function retracing" not in record.getMessage()


# Every new network needs a graph of its own; whoever trains five in turn has done nothing wrong.
logging.getLogger("tensorflow").addFilter(_says_nothing_of_tracing)

layers = keras.layers
ops = keras.ops

__all__ = ["keras", "layers", "ops", "quiet_stderr"]
