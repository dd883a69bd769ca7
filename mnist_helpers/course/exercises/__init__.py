"""The graders of the exercises, one file a notebook: ``nb_04.py`` holds those of notebook 04.

A grader is a function of the learner's answer (and of the digits, where it needs them) that returns ``None`` for a
right answer, and otherwise a hint: one or two sentences for the mistake that was made. It may also raise `Hint`.
"""

from mnist_helpers.course.exercises.grading import Exercise, Hint, exercise, find, numbers

__all__ = ["Exercise", "Hint", "exercise", "find", "numbers"]
