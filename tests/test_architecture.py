"""The architecture, read from the code: imports run one way, folders stay small, and a learner meets few names."""

import ast
from pathlib import Path

import pytest

import mnist_helpers
from mnist_helpers import explain, plotting

PACKAGE = Path(mnist_helpers.__file__).parent
# each may import those to its left, and itself; "__init__" and "__main__" only put names together
ORDER = ["common", "data", "models", "evaluation", "training", "explain"]
LAYERS = {name: ORDER[: i + 1] for i, name in enumerate(ORDER)}
LAYERS["models"] = ["common", "models"]
LAYERS["evaluation"] = ["common", "data", "evaluation"]
LAYERS["plotting"] = ["common", "data", "evaluation", "plotting"]
LAYERS["live"] = [*ORDER, "live"]
LAYERS["course"] = [*ORDER, "plotting", "live", "course"]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imported(path):
    """Yield the dotted names under mnist_helpers that a module imports, wherever in it; not those for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    skipped = {id(inner) for node in for_types for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def own(path):
    return [name.split(".")[1:] for name in imported(path) if name.startswith("mnist_helpers.")]


def misplaced(folder, imports):
    """The folders that modules of ``folder`` must not import, and do."""
    return {parts[0] for parts in imports if parts[0] in LAYERS} - set(LAYERS[folder])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    folder = path.relative_to(PACKAGE).parts[0]
    assert not misplaced(folder, own(path))
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"tools", "docs", "tests"}


def test_an_arrow_upwards_is_seen():
    assert misplaced("data", [["training", "train", "train"], ["common", "files"]]) == {"training"}


def modules_graph():
    """{module: modules that it imports}, as dotted paths in the package."""
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in MODULES}
    graph = {}
    for name, path in names.items():
        targets = set()
        for parts in own(path):
            for length in (len(parts), len(parts) - 1):
                target = ".".join(parts[:length])
                targets |= {each for each in (target, f"{target}.__init__") if each in names and each != name}
        graph[name] = targets
    return graph


def cycle(graph):
    """Return the modules of a cycle, or None."""
    state = {}

    def visit(node, path):
        if state.get(node) == "done":
            return None
        if node in path:
            return path[path.index(node) :]
        found = next((f for target in graph[node] if (f := visit(target, [*path, node]))), None)
        state[node] = "done"
        return found

    return next((f for node in graph if (f := visit(node, []))), None)


def test_no_module_imports_itself_through_others():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    graph = {name: {t for t in targets if not t.endswith("__init__")} for name, targets in modules_graph().items()}
    assert cycle(graph) is None


def test_the_root_of_the_package_has_at_most_twelve_entries():
    entries = [path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 12, entries


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_can_be_read_in_one_go(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 310, f"{len(lines)} lines"


def test_a_learner_meets_at_most_45_names_with_one_path_each():
    lessons = [
        name for name in mnist_helpers.__all__ if name not in ("explain", "live", "models", "plotting", "leaderboard")
    ]
    assert len(lessons) <= 45, sorted(lessons)
    assert not set(lessons) & {*explain.__all__, *plotting.__all__}
