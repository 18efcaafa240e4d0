"""Puzzles answered with one line: a small language, generated inputs, and how an answer is judged."""
