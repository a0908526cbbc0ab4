"""Contour strength of a photograph, without anything learned: colour and texture gradients."""
import warnings

import cv2
import numpy as np
from scipy.cluster.vq import kmeans2

SCALES = (2, 4, 8)  # standard deviations of the windows of the word histograms, pixels
_NUM_WORDS = 24
_NUM_SAMPLES = 4000  # pixels that the words are learnt from
_LLOYD_STEPS = 10
_CHANNEL_WEIGHTS = np.array([0.7, 1.3, 1.3], np.float32)  # shadows change L more than a, b


def contour_maps(image):
    """Contour strength at three scales, from fine to coarse.

    Each is the mean of two gradients: of the Lab colours, smoothed with a Gaussian, and of the
    local histograms of colour and texture words (as the gradients of gPb: Arbelaez et al., TPAMI
    2011, section 3, with structure tensors in place of half discs). Nothing is learned from masks.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.

    Returns:
        tuple: list of 3 float32 (H, W), each about 0..1, where 1 is the 99th percentile; features
        float32 (H, W, 4), what the words are made from (`appearance`).
    """
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    features = appearance(lab)
    words = nearest_words(features, learn_words(features))
    return [(colour_gradient(lab, scale / 2) + histogram_gradient(words, _NUM_WORDS, scale)) / 2
            for scale in SCALES], features


def appearance(lab):
    """Weighted colour (L, a, b) and log texture energy of each pixel: float32 (H, W, 4)."""
    lightness = lab[..., 0]
    energy = cv2.GaussianBlur(
        cv2.magnitude(*(cv2.Sobel(lightness, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))),
        (0, 0), 2)
    return np.dstack([lab * _CHANNEL_WEIGHTS, 8 * np.log1p(energy)])


def learn_words(features, num_words=_NUM_WORDS):
    """Centres of k-means on an even sample of the pixels: float32 (num_words, C).

    Deterministic without a random generator: Lloyd's steps start from the quantiles of the
    sample along its axis of largest variance. An empty cluster keeps its centre.
    """
    pixels = features.reshape(-1, features.shape[-1])
    sample = pixels[::max(1, len(pixels) // _NUM_SAMPLES)]
    centred = sample - sample.mean(0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(centred @ axis, kind='stable')
    starts = sample[order[((np.arange(num_words) + 0.5) / num_words * len(sample)).astype(int)]]
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'One of the clusters is empty')
        words, _ = kmeans2(sample, starts, _LLOYD_STEPS, minit='matrix')
    return words.astype(np.float32)


def nearest_words(features, words):
    """Index of the word with the smallest Euclidean distance: (..., C), (W, C) -> (...)."""
    return ((words * words).sum(1) - 2 * (features @ words.T)).argmin(-1)


def colour_gradient(lab, sigma):
    """Gradient of the smoothed colours (Di Zenzo, 1986): float32 (H, W)."""
    return _tensor_norm((cv2.GaussianBlur(channel, (0, 0), sigma) for channel in cv2.split(lab)), 3)


def histogram_gradient(words, num_words, sigma):
    """Gradient of the histogram of words in a Gaussian window: float32 (H, W).

    Computed at half resolution from sigma = 4 on, where the smoothed histograms have no finer
    detail.
    """
    height, width = words.shape
    shrink = 2 if sigma >= 4 else 1
    size = -(-width // shrink), -(-height // shrink)
    histograms = []
    for word in range(num_words):
        is_word = (words == word).astype(np.float32)
        if shrink > 1:
            is_word = cv2.resize(is_word, size, interpolation=cv2.INTER_AREA)
        histograms.append(cv2.GaussianBlur(is_word, (0, 0), sigma / shrink))
    return cv2.resize(_tensor_norm(histograms, 1), (width, height))


def _tensor_norm(channels, ksize):
    """Root of the structure tensor's larger eigenvalue, as a share of its 99th percentile."""
    xx = yy = xy = np.float32(0)
    for channel in channels:
        gx, gy = (cv2.Sobel(channel, cv2.CV_32F, *order, ksize=ksize) for order in ((1, 0), (0, 1)))
        xx, yy, xy = xx + gx * gx, yy + gy * gy, xy + gx * gy
    norm = np.sqrt((xx + yy + np.sqrt((xx - yy) ** 2 + 4 * xy * xy)) / 2)
    return norm / (np.percentile(norm, 99) + np.float32(1e-6))  # 1e-6: a picture of one colour
