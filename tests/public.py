"""What the library offers: every public function, class and method, under the name that messages give it."""

import ast
import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

import mnist_helpers
from mnist_helpers import comparisons, environment, explain, facts, layers, leaderboard, models, plan, plotting, shifts

PACKAGES = [mnist_helpers, plotting, explain, layers, models, leaderboard, comparisons, shifts, facts, environment]
MORE = [plan.targets_for]  # what else of that module is public serves the library only
NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
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
    yield from ((found.__name__, found) for found in MORE)


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


def used_in(notebook):
    """Return {name: object} of what a notebook imports from the library, and takes from the modules it imports."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    nodes = list(ast.walk(ast.parse(code)))
    found = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "mnist_helpers":
            module = import_module(node.module)
            found |= {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = found.get(node.value.id)
            if isinstance(module, ModuleType) and module.__name__.startswith("mnist_helpers"):
                found[f"{node.value.id}.{node.attr}"] = getattr(module, node.attr)
    return found
