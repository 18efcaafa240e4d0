"""A convolution over the letters of words that learns which are good and which are bad."""
