"""Time and memory of the whole series with the small budgets of the smoke profile, as its tests execute it."""

from .bench_series import profile_part
from .figures import Part


def measure(*, quick: bool = False) -> Part:
    """Execute the notebooks in the smoke profile, one after the other; the quick way, the first two only."""
    return profile_part("smoke", quick=quick)
