"""Data: points by formula, real images and tables, files of one's own, and batches of any of them.

>>> from engine import data
>>> samples = data.minitorch("Xor", 100, seed=0)
>>> for inputs, targets in data.DataLoader(samples.dataset(), batch_size=50):
...     inputs.shape, targets.shape
((50, 2), (50,))
((50, 2), (50,))
"""

from engine.data.files import DataError, read_csv, read_idx, read_mnist, read_npz
from engine.data.images import digits, mnist
from engine.data.loader import DataLoader, Subset, TensorDataset, random_split
from engine.data.samples import Samples
from engine.data.sentences import read_sentences
from engine.data.synthetic import MINITORCH, PLAYGROUND, minitorch, playground
from engine.data.tables import breast_cancer, diabetes, wine

__all__ = [
    "MINITORCH",
    "PLAYGROUND",
    "DataError",
    "DataLoader",
    "Samples",
    "Subset",
    "TensorDataset",
    "breast_cancer",
    "diabetes",
    "digits",
    "minitorch",
    "mnist",
    "playground",
    "random_split",
    "read_csv",
    "read_idx",
    "read_mnist",
    "read_npz",
    "read_sentences",
    "wine",
]
