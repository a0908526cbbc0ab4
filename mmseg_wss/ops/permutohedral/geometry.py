"""The permutohedral lattice: how features are scaled, and how a vertex becomes a number.

Adams, Baek, Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", Eurographics
2010. The scale is that of the implementation that came with the dense CRF (Kraehenbuehl, Koltun,
2011), which later releases keep.

The lattice of dimension D lies in the hyperplane of D + 1 coordinates that add up to 0, so D of
them name a vertex. The coordinates of a vertex have one remainder modulo D + 1, and the D + 1
vertices around a point differ in it. The neighbours of a vertex in direction j are
(1, ..., 1) away, less D + 1 at j.
"""
import math
from typing import NamedTuple, Tuple

LARGEST_KEY = 2 ** 62
EPS = 1e-20  # pydensecrf's: no sum of weights is 0


class KeyLayout(NamedTuple):
    """How the D coordinates of a vertex become one integer: sum of (coordinate_j * stride_j).

    Attributes:
        strides (tuple[int]): D + 1 numbers, 0 for the last coordinate, which follows from the rest.
        ones (int): the sum of the strides: the step from a vertex of remainder k to k + 1.
        origin (int): added to every key, so that no vertex or neighbour has a negative one.
        size (int): all keys are below it.
    """
    strides: Tuple[int, ...]
    ones: int
    origin: int
    size: int

    def steps(self):
        """Steps from a vertex to its next neighbour in each of the D + 1 directions."""
        return [self.ones - len(self.strides) * stride for stride in self.strides]


def scales(dimension):
    """Factors of the features, before they are rotated into the hyperplane.

    With them the splat, the blur with (1/2, 1, 1/2) along every direction and the slice have
    together the variance 1 of the kernel exp(-|f_i - f_j|^2 / 2) (Adams et al., page 6).
    """
    deviation = math.sqrt(2 / 3) * (dimension + 1)
    return [deviation / math.sqrt((j + 1) * (j + 2)) for j in range(dimension)]


def gain(dimension):
    """What the sum over the lattice is multiplied with, the alpha of the released code."""
    return 1 / (1 + 2. ** -dimension)


def key_layout(lows, highs):
    """Number the vertices that features between two corners can touch, and their neighbours.

    With features f_0 to f_(D-1) and scales s, coordinate j of a point in the hyperplane is the sum
    of s_i f_i over i >= j, less j s_(j-1) f_(j-1).

    Args:
        lows, highs (Sequence[float]): D smallest and largest features.

    Raises:
        ValueError: the vertices do not fit into 62 bits.
    """
    dimension = len(lows)
    lows, highs = ([scale * x for scale, x in zip(scales(dimension), corner)]
                   for corner in (lows, highs))
    strides, origin, size = [], 0, 1
    for j in range(dimension):
        low, high = sum(lows[j:]), sum(highs[j:])
        if j:
            low, high = low - j * highs[j - 1], high - j * lows[j - 1]
        # a vertex is less than D + 1 away from a point around it, and a neighbour at most D farther
        first, last = math.floor(low) - 2 * dimension - 2, math.ceil(high) + 2 * dimension + 2
        strides.append(size)
        origin -= first * size
        size *= last - first + 1
    if size > LARGEST_KEY:
        raise ValueError(
            'the standard deviations are too small for the extent of the images and their colours: '
            f'the lattice would need {math.log2(size):.0f} bits to number its vertices, of 62. Use '
            'larger sigmas, or smaller images.')
    return KeyLayout((*strides, 0), sum(strides), origin, size)
