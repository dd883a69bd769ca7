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

test_hints_on_the_number_of_a_five = judged(
    "00-1",
    [
        (15, RIGHT),
        (16, "off by one"),
        (8, "Number 8 is an 8. It is in the very first picture"),
        (28, "Number 28 is an 8. Add `start` to the position of your 5"),
    ],
    digits=digits_of(),
    variant=1,
)
