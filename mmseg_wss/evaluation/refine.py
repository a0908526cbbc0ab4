"""Class probabilities of a prediction, and what a dense CRF makes of them."""
import numpy as np
import torch

from mmseg_wss.labels.formats.image_file import read_image
from mmseg_wss.ops import dense_crf
from mmseg_wss.pseudo_labels.gates import gate_probabilities


def class_probabilities(sample):
    """Probabilities of the classes at the size of the file.

    Args:
        sample (dict): a prediction with ``seg_probs`` or ``seg_logits``, (K, H, W).

    Returns:
        Tensor: float32 (K, H, W).

    Raises:
        ValueError: one channel only.
    """
    scores = sample['seg_probs' if 'seg_probs' in sample else 'seg_logits']['data']
    if len(scores) < 2:
        raise ValueError('the network predicts one channel (a sigmoid), but a softmax over '
                         'classes is needed: set out_channels=num_classes in the head.')
    return scores.float() if 'seg_probs' in sample else scores.float().softmax(0)


def read_predicted_image(path, shape):
    """The image that a prediction is of.

    Args:
        path (str): its file.
        shape (tuple[int, int]): (H, W) of the prediction.

    Returns:
        np.ndarray: uint8 (H, W, 3), RGB.

    Raises:
        DataError: the image cannot be read (`read_image`).
        ValueError: it has another shape than the prediction.
    """
    image = read_image(path)
    if image.shape[:2] != tuple(shape):
        raise ValueError(f'{path}: the image has shape {image.shape[:2]}, its prediction '
                         f'{tuple(shape)}: a test pipeline must predict whole images.')
    return np.ascontiguousarray(image[..., ::-1])


def gated(probs, gate, path, crf=None, present=None):
    """Class probabilities of an image within what its labels leave possible.

    `gate_probabilities`, then `refine` and the gate again, since a CRF may spread a class over what
    excludes it.

    Args:
        probs (Tensor): float (K, H, W).
        gate (Tensor, optional): bool (K, H, W), of `possible_classes`; None where nothing is
            excluded.
        path (str): the image's file.
        crf (dict, optional): options of `dense_crf`; None for no CRF.
        present (Tensor, optional): (K,), see `gate_probabilities`.

    Returns:
        Tensor: (K, H, W), like `probs`.

    Raises:
        DataError, ValueError: see `refine`.
    """
    if gate is not None:
        probs = gate_probabilities(probs, gate, present)
    if crf is not None:
        probs = refine(probs, path, **crf)
        if gate is not None:
            probs = gate_probabilities(probs, gate)
    return probs


def refine(probs, path, **crf):
    """Refine the probabilities of an image with `mmseg_wss.ops.dense_crf`.

    Args:
        probs (Tensor): float (K, H, W).
        path (str): the image's file.
        **crf: options of `dense_crf`.

    Returns:
        Tensor: (K, H, W), like `probs`.

    Raises:
        DataError, ValueError: see `read_predicted_image`.
    """
    image = read_predicted_image(path, probs.shape[1:])
    image = torch.from_numpy(image.transpose(2, 0, 1).copy()).to(probs)
    return dense_crf(probs[None], image[None], **crf)[0]
