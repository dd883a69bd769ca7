"""Train once, keep it: `train` and `repeat`, committees, estimators, schedules, cost, and the store under them."""
