"""Training that is watched: runs with a thread of their own, and every moment of them to go back to."""
