"""Kernels for a GPU, written as numba.cuda takes them, and a simulator that runs them without one."""
