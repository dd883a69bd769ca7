"""The grader of notebook 00: any 8 is right, and a learner who counts from 1 or forgets ``start`` is told so."""

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

test_hints_on_the_number_of_an_eight = judged(
    "00-1",
    [
        (8, RIGHT),
        (28, RIGHT),  # the labels of these digits are 0 to 9, again and again
        (np.int64(298), RIGHT),
        (8.0, RIGHT),
        (..., OPEN),
        (29, "Python counts from 0"),
        (3, "Number 3 is a 3. It is in the very first picture"),
        (24, "Add `start`"),
        (300, "from 0 to 299"),
        (-2, "from 0 to 299"),
        (8.5, "whole numbers"),
        ("8", "one number"),
        ([8, 18], "one number"),
    ],
    digits=digits_of(),
)
