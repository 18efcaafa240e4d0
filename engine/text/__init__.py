"""A convolution over the letters of words, or the words of sentences, that learns which are good."""
