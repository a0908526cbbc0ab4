"""Where the predictions of an image are written."""
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mmseg_wss.utils.fileio import file_sha256


@dataclass(frozen=True, eq=False)
class MaskTarget:
    """Where the mask of an image goes, and those of the image's labels that matter for it.

    Attributes:
        name (str): name of the mask, without suffix.
        inputs (str): hash of the boxes (`box_hash`), where the mask depends on them.
        boxes (np.ndarray, optional): (M, 4), (x1, y1, x2, y2) in pixels of the file, half-open.
        box_labels (tuple): M class indices.
        tags (tuple, optional): indices of the image's classes, with the background; None: all.
        clicks (str, optional): file of the points or scribbles.
        choice (dict, optional): where its mask comes from: source, tau, crf and
            tau_classes of a `Candidate`. Its record has them, so that it says that a judge chose.
    """
    name: str
    inputs: str = ''
    boxes: Optional[np.ndarray] = None
    box_labels: tuple = ()
    tags: Optional[tuple] = None
    clicks: Optional[str] = None
    choice: Optional[dict] = None

    @property
    def facts(self):
        """dict: what the record of the mask says of its making besides recipe and inputs."""
        facts = {} if self.tags is None else dict(tags=list(self.tags))
        if self.clicks is not None:
            facts['clicks'] = file_sha256(self.clicks)[:16]
        return {**facts, **(self.choice or {})}


def confidence_path(out_dir, name):
    """Where an image's largest probabilities are written: ``OUT_confidence/ID.png``.

    It lies beside the folder of the masks, since whatever PNG that has is a mask.
    """
    return Path(f'{Path(out_dir)}_confidence', f'{name}.png')
