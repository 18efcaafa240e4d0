"""Generators of CUDA kernels, by topic. The same source runs on a GPU and in the simulator."""
