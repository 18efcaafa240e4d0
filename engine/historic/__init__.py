"""Three small nets of 1986 that showed what back-propagation can find: symmetry, XOR, family trees."""
