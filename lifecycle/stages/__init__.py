"""What each stage does: the jobs that it needs, and what it finds when they have ended."""
