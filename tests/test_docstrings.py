"""Every public function says what it takes, in which shape, and what it raises."""

import ast
import inspect
import re
import textwrap

import pytest
from public import parameters_for_arrays, public_functions

PUBLIC = dict(public_functions())
SHAPE = re.compile(r"\((?:[a-z]+|\d+)(?:[,)]|, [^()]*\))|\bshapes?\b|counts of")
# What holds arrays says their shapes where it is defined; and what Keras calls is said by Keras.
WITHOUT_SHAPES = {"check", "claim"}
BY_KERAS = re.compile(r"\w+\.(?:build|call|compute_output_shape|get_config)")


def called(function):
    """Return the functions of this library that a function, or the making of a class, calls by name."""
    if inspect.isclass(function):
        made = [vars(function).get(name) for name in ("__init__", "__post_init__")]
        return [each for each in made if inspect.isfunction(each) and each.__code__.co_filename != "<string>"]
    function = inspect.unwrap(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    found = [function.__globals__.get(name) for name in names]
    return [each for each in found if inspect.isfunction(each) and each.__module__.startswith("mnist_helpers")]


def may_refuse(function):
    """Whether a function, or one that it calls, writes the sentence of a refusal."""
    seen, left = set(), [function]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += called(one)
    return any(each.__name__ == "problem" for each in seen)


def test_the_search_finds_what_refuses_and_what_does_not():
    assert may_refuse(PUBLIC["train"]) and may_refuse(PUBLIC["Split"]) and may_refuse(PUBLIC["plot_kernels"])
    assert not may_refuse(PUBLIC["claim"]) and not may_refuse(PUBLIC["compact_cnn"])


@pytest.mark.parametrize("name", sorted(name for name in PUBLIC if not BY_KERAS.fullmatch(name)))
def test_a_docstring_says_what_is_taken_and_what_is_raised(name):
    function = PUBLIC[name]
    text = vars(function).get("__doc__") or "" if inspect.isclass(function) else function.__doc__ or ""
    assert len(text.split()) > 3
    if may_refuse(function):
        assert re.search(r"Raises|raises|Raise `", text), "what it raises"
        assert len(text.strip().splitlines()) > 1


@pytest.mark.parametrize("name", sorted({name for name, _ in parameters_for_arrays()} - WITHOUT_SHAPES))
def test_a_docstring_says_the_shapes_of_arrays(name):
    function = PUBLIC[name]
    annotations = [str(each.annotation) for each in inspect.signature(function).parameters.values()]
    if not BY_KERAS.fullmatch(name) and any("ndarray" in each for each in annotations):
        assert SHAPE.search(function.__doc__ or ""), annotations
