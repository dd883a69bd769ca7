"""Every public function says what it takes, in which shape, and what it raises."""

import ast
import functools
import inspect
import re
import textwrap

import pytest
from public import parameters_for_arrays, public_functions

from mnist_helpers import checkpoints
from mnist_helpers.budget import Budget, profile_from_environment

PUBLIC = dict(public_functions())
SHAPE = re.compile(r"\((?:[a-z]+|\d+)(?:[,)]|, [^()]*\))|\bshapes?\b|counts of")
# What holds arrays says their shapes where it is defined; and what Keras calls is said by Keras.
WITHOUT_SHAPES = {"check", "claim"}
BY_KERAS = re.compile(r"\w+\.(?:build|call|compute_output_shape|get_config)")


@functools.cache
def called(function):
    """Return the functions of this library that a function, or the making of a class, calls, its class's among them."""
    if inspect.isclass(function):
        made = [vars(function).get(name) for name in ("__init__", "__post_init__")]
        return [each for each in made if inspect.isfunction(each) and each.__code__.co_filename != "<string>"]
    function = inspect.unwrap(function)
    holders = function.__globals__ | dict.fromkeys(("self", "cls"), class_of(function))
    found = []
    for node in ast.walk(tree_of(function)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.append(function.__globals__.get(node.func.id))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = holders.get(node.func.value.id) if isinstance(node.func.value, ast.Name) else None
            found.append(getattr(holder, node.func.attr, None) if from_here(holder) else None)
    return [each for each in map(inspect.unwrap, found) if inspect.isfunction(each) and from_here(each)]


def tree_of(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def class_of(function):
    return function.__globals__.get(function.__qualname__.split(".")[0])


def from_here(thing):
    return str(getattr(thing, "__module__", getattr(thing, "__name__", ""))).startswith("mnist_helpers")


@functools.cache
def raises(function):
    """Whether the function itself says that an argument is wrong."""
    raised = [node.exc for node in ast.walk(tree_of(function)) if isinstance(node, ast.Raise)]
    calls = [error.func.id for error in raised if isinstance(error, ast.Call) and isinstance(error.func, ast.Name)]
    return bool({"TypeError", "ValueError", "KeyError"} & set(calls))


def may_refuse(function):
    """Whether a function, or one that it calls, raises what is raised for a wrong argument."""
    seen, left = set(), [function]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += called(one)
    return any(each.__name__ == "problem" or inspect.isfunction(each) and raises(each) for each in seen)


def test_the_search_finds_what_refuses_and_what_does_not():
    assert may_refuse(PUBLIC["train"]) and may_refuse(PUBLIC["Split"]) and may_refuse(PUBLIC["plot_kernels"])
    assert not may_refuse(PUBLIC["show_source"]) and not may_refuse(PUBLIC["compact_cnn"])


def test_the_search_follows_methods_modules_and_what_is_raised_without_the_sentence():
    assert called(PUBLIC["Budget.seeds"]) == [Budget._limit] and may_refuse(PUBLIC["Budget.seeds"])
    assert may_refuse(PUBLIC["Budget.of"]) and may_refuse(profile_from_environment)
    assert checkpoints.checkpoints_apply in called(PUBLIC["train"])


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
