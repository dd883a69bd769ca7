"""Every run that a notebook asks for is stored, and every stored run is asked for; nothing is trained or evaluated.

Of each notebook only those statements are executed that lead to a training, found by going backwards from its calls: a
statement is needed when it binds or changes a name that a later, needed one uses.
"""

import ast
import importlib
import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from sklearn.dummy import DummyClassifier

from mnist_helpers.training import estimators, remembered, store

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
TRAINERS = {"train", "repeat", "train_committee", "fit_estimator", "predict_once", "remember"}


class WouldTrain(Exception):
    """A run that is not stored, or is to be trained anew."""


class Names(ast.NodeVisitor):
    """The names that a statement uses, those that it binds, and those whose objects it may change."""

    def __init__(self, statement: ast.AST, bound: frozenset = frozenset()):
        self.used, self.bound, self.changed, self.called = set(), set(bound), set(), set()
        self.visit(statement)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        elif node.id not in self.bound:
            self.used.add(node.id)

    def visit_Call(self, node):
        self.called |= {name.id for name in [node.func] if isinstance(name, ast.Name)}
        self.generic_visit(node)

    def visit_Subscript(self, node):
        if isinstance(node.ctx, ast.Store):
            self._changes(node)
        self.generic_visit(node)

    visit_Attribute = visit_Subscript

    def visit_Assign(self, node):
        for part in (node.value, *node.targets):  # in the order in which Python does it
            self.visit(part)

    def visit_AugAssign(self, node):
        self.used |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
        self.visit_Assign(ast.Assign([node.target], node.value))

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Call):  # such as model.compile(...), for which no value is kept
            self._changes(node.value.func)
        self.visit(node.value)

    def visit_Import(self, node):
        self.bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import

    def _inner(self, node):
        """A scope of its own: what it binds stays inside, what it uses is used when it is called."""
        arguments = getattr(node, "args", None)
        own = {a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg)} if arguments else set()
        own |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
        for part in ast.iter_child_nodes(node):
            inner = Names(part, frozenset(self.bound | own))
            self.used, self.called = self.used | inner.used, self.called | inner.called
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self.bound.add(node.name)

    visit_FunctionDef = visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _inner
    visit_ClassDef = _inner

    def _changes(self, part):
        within = isinstance(part, ast.Subscript | ast.Attribute)
        while isinstance(part, ast.Subscript | ast.Attribute):
            part = part.value
        if within and isinstance(part, ast.Name):
            self.changed.add(part.id)


def leading_to_training(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that train, or that a later one of these needs, in their order."""
    names = [Names(statement) for statement in statements]
    trainers, inside = set(TRAINERS), {}
    for statement, each in zip(statements, names, strict=True):
        if isinstance(statement, ast.FunctionDef):
            inside[statement.name] = each.used
            trainers |= {statement.name} if each.called & trainers else set()
    chosen, needed = [], set()
    for statement, each in zip(reversed(statements), reversed(names), strict=True):
        trains = not isinstance(statement, ast.FunctionDef) and each.called & trainers
        if trains or (each.bound | each.changed) & needed:
            chosen.append(statement)
            if isinstance(statement, ast.Assign | ast.FunctionDef | ast.Import | ast.ImportFrom):
                needed -= each.bound - each.changed
            needed |= each.used
            while more := set().union(*(inside.get(name, set()) for name in needed)) - needed:
                needed |= more  # a function needs its names when it is called
    return chosen[::-1]


def code_of(path: Path) -> list[ast.stmt]:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lessons = [cell for cell in cells if not {"exercise", "solution"} & set(cell.metadata.get("tags", []))]
    return [statement for cell in lessons for statement in ast.parse(cell.source).body]


def ask(path: Path) -> None:
    """Execute what leads to trainings in a notebook; a run that would train ends its statement, and no more."""
    namespace = {"__name__": "__main__"}
    for statement in leading_to_training(code_of(path)):
        try:
            exec(compile(ast.Module([statement], []), path.name, "exec"), namespace)  # noqa: S102
        except WouldTrain:
            namespace |= dict.fromkeys(Names(statement).bound)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The keys of runs that the notebooks look up (``found`` and ``missing``), with the notebooks."""
    if not os.environ.get("MNIST_DATA"):
        pytest.skip("MNIST_DATA does not name the real MNIST")
    found, missing = {}, {}
    original, current = store.find, []

    def find(key, *, holding=()):
        stored = original(key, holding=holding)
        (found if stored else missing)[key] = current[-1]
        return stored

    def trained(recipe, **options):
        raise WouldTrain(recipe.model.name)

    def computed(compute):
        raise WouldTrain("a study")

    def fitted(estimator, digits, name):  # quick ones are not stored, but fitted each time
        missing.popitem()
        record = dict.fromkeys(("parameters", "train_accuracy", "validation_accuracy"))
        quick = DummyClassifier().fit(digits.train.flat[:1], digits.train.labels[:1])
        return quick, record | {"name": name, "seconds": 0.0, "device": "here"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_PROFILE", "full")
        patch.setenv("MNIST_CHECKPOINTS", str(tmp_path_factory.mktemp("none")))
        patch.setattr(store, "find", find)
        patch.setattr(importlib.import_module("mnist_helpers.training.train"), "trained", trained)
        patch.setattr(importlib.import_module("mnist_helpers.training.repeats"), "trained", trained)
        patch.setattr(estimators, "_fitted", fitted)
        patch.setattr(remembered, "_computed", computed)
        for path in NOTEBOOKS:
            current.append(path.stem)
            ask(path)
    return SimpleNamespace(found=found, missing=missing)


@pytest.fixture(autouse=True)
def _on_the_real_mnist(real_mnist):
    pass


def test_every_run_that_a_notebook_asks_for_is_stored(asked):
    assert asked.missing == {}


def test_every_stored_run_is_asked_for(asked):
    """Files whose notebook does not exist yet may lie in the folder ``waiting``."""
    stored = {path.stem.rsplit("-", 1)[1]: path.name for path in store.series_directory().glob("*.npz")}
    assert sorted(stored[key] for key in stored.keys() - asked.found.keys()) == []
