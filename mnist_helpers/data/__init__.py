"""MNIST: find, verify and split it; the stand-in; shifted digits; disputed labels; how much of it a profile takes."""
