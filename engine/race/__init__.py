"""The same training by one engine after another: what each does for a step, and how they take turns."""
