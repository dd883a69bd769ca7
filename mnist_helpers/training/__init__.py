"""Train once, keep it: runs, the store, committees, estimators, schedules, cost."""
