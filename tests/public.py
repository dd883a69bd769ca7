"""What the library offers: every public function, class and method, under the name that messages give it."""

import inspect
import re
from types import FunctionType

import mnist_helpers
from mnist_helpers import comparisons, explain, layers, leaderboard, models, plotting, shifts

PACKAGES = [mnist_helpers, plotting, explain, layers, models, leaderboard, comparisons, shifts]
MAY_HOLD_ARRAYS = re.compile(
    r"ndarray|DataFrame|Split|Evaluation|Digits|RangeTest|Any\b|Mapping|Sequence\[(?:int|float|Any|Sequence)"
)


def public_functions():
    """Yield (name, function or class), methods as "Class.method"; a property is what it is computed by."""
    for package in PACKAGES:
        for name in getattr(package, "__all__", None) or [name for name in vars(package) if name[0] != "_"]:
            found = getattr(package, name)
            own = getattr(found, "__module__", "").startswith(package.__name__)  # not what a module itself imports
            if callable(found) and own and not (inspect.isclass(found) and issubclass(found, BaseException)):
                yield name, found
                yield from _methods(name, found) if inspect.isclass(found) else ()


def _methods(name, found):
    for each, value in vars(found).items():
        function = value.__func__ if isinstance(value, classmethod) else value
        if each[0] != "_" and isinstance(function, FunctionType):
            yield f"{name}.{each}", function


def parameters_for_arrays():
    """Yield (function, parameter) for every parameter whose annotation may stand for arrays, or for what holds them."""
    for name, function in public_functions():
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name not in ("self", "cls") and MAY_HOLD_ARRAYS.search(str(parameter.annotation)):
                yield name, parameter.name
