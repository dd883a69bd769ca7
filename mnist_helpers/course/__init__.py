"""What makes notebooks a course: claims, exercises, the leaderboard."""

from mnist_helpers.course import leaderboard

__all__ = ["leaderboard"]
