"""The data set of the quick start, which draws itself."""
from mmseg_wss.datasets.voc_weak_seg import VOCWeakSegDataset
from mmseg_wss.registry import DATASETS
from mmseg_wss.simulation.shapes import ensure_shapes


@DATASETS.register_module()
class ShapesDataset(VOCWeakSegDataset):
    """Textured shapes in VOC layout, drawn into `data_root` on first use (see `make_shapes`).

    Lists: ImageSets/Segmentation/{train_strong,train_weak,val}.txt.

    Args:
        data_root (str): the folder; drawn when it is not there.
        shapes (dict, optional): options of `make_shapes`, such as
            ``dict(num_images=(60, 220, 200), rare_share=0.03)``.
        **kwargs: see `VOCWeakSegDataset`.

    Raises:
        ValueError: the folder holds something else.
    """

    def __init__(self, data_root, shapes=None, **kwargs):
        ensure_shapes(data_root, **(shapes or {}))
        super().__init__(data_root=data_root, **kwargs)
