"""A convolutional net that learns to read digits, with all its kernels and maps to look at."""
