"""Face signals from video."""
