"""Random numbers without state: each is a hash of what it is for, so any part of the market can be made alone.

The mixing function is SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> np.uint64:
    """A key for anything that has a text: a seed and a ticker, for example."""
    text = "\x1f".join(map(str, parts)).encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))


def derive(keys: ArrayLike, number: ArrayLike) -> Keys:
    """The keys of the `number`-th part of each key; both arrays broadcast."""
    mixed = np.atleast_1d(np.asarray(number)).astype(np.int64).view(np.uint64) + np.uint64(1)
    mixed = mixed * _STEP
    mixed = mixed + np.asarray(keys, dtype=np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    result: Keys = mixed ^ (mixed >> np.uint64(31))
    return result


def uniform(keys: Keys) -> Floats:
    """One number of the open interval (0, 1) per key."""
    result: Floats = ((keys >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return result


def uniforms(keys: Keys, count: int) -> tuple[Floats, ...]:
    """Up to four coarse numbers of (0, 1) per key, of 16 bits each: enough for choices, and a quarter of the hashing."""
    low = np.uint64(0xFFFF)
    return tuple((((keys >> np.uint64(16 * each)) & low).astype(np.float64) + 0.5) * 2.0**-16 for each in range(count))


def normal(keys: Keys) -> Floats:
    """One standard normal number per key (Box and Muller)."""
    angle = uniform(derive(keys, 1)) * (2.0 * np.pi)
    result: Floats = np.sqrt(-2.0 * np.log(uniform(keys))) * np.cos(angle)
    return result
