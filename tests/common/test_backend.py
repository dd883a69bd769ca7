"""The quiet import: nothing is shown when it works, everything when it fails."""

import os
import subprocess
import sys

import pytest

import mnist_helpers
from mnist_helpers.common.quiet import quiet_stderr


def test_what_is_written_meanwhile_is_held_back(capfd):
    with quiet_stderr():
        os.write(2, b"chatter")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_an_error_brings_it_out(capfd):
    with pytest.raises(ImportError, match="broken"), quiet_stderr():
        os.write(2, b"why it broke")
        raise ImportError("broken")
    assert capfd.readouterr().err == "why it broke"


NETWORKS = """
import logging
import numpy as np
import mnist_helpers
import keras
from mnist_helpers import models
print(models.lenet5().count_params())
for _ in range(6):  # each needs a graph of its own, against which TensorFlow would advise
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).predict(np.zeros((1, 2)), verbose=0)
logging.getLogger("tensorflow").warning("something else")
"""


@pytest.mark.system
def test_importing_and_using_networks_says_nothing_and_other_warnings_are_shown():
    done = subprocess.run([sys.executable, "-c", NETWORKS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("61706\n", "WARNING:tensorflow:something else\n")


def test_the_library_itself_imports_no_tensorflow_and_turns_onednn_on():
    code = "import mnist_helpers, os, sys; print('tensorflow' in sys.modules, os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    for given, expected in ((None, "False 1"), ("0", "False 0")):
        environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
        environment |= {"TF_ENABLE_ONEDNN_OPTS": given} if given else {}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("name", mnist_helpers.__all__)
def test_every_public_name_is_there(name):
    assert callable(found := getattr(mnist_helpers, name)) or found.__name__.endswith(name)
