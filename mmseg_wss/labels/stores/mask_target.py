"""Where the predictions of an image are written."""
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np


@dataclass(frozen=True, eq=False)
class MaskTarget:
    """Where the mask of an image goes, and the image's boxes and tags where they matter.

    Attributes:
        name (str): name of the mask, without suffix.
        inputs (str): hash of what the mask depends on besides the recipe (`box_hash`).
        boxes (np.ndarray): (M, 4), for `gate_labels`.
        box_labels (tuple): M class indices.
        tags (tuple, optional): indices of the image's classes, for `restrict_to_tags`; None: all.
    """
    name: str
    inputs: str = ''
    boxes: Optional[np.ndarray] = None
    box_labels: tuple = ()
    tags: Optional[tuple] = None

    @property
    def facts(self):
        """dict: what the record of the mask says of its making besides recipe and inputs."""
        return {} if self.tags is None else dict(tags=list(self.tags))


def confidence_path(out_dir, name):
    """Where an image's largest probabilities are written: ``OUT_confidence/ID.png``.

    It lies beside the folder of the masks, since whatever PNG that has is a mask.
    """
    return Path(f'{Path(out_dir)}_confidence', f'{name}.png')
