"""Truth and prediction of an image, drawn so that the image is seen."""
import mmcv
import numpy as np
from mmengine.dist import master_only
from mmseg.visualization import SegLocalVisualizer

from mmseg_wss.registry import VISUALIZERS
from mmseg_wss.visualization.legend import draw_masks


@VISUALIZERS.register_module()
class ClearVisualizer(SegLocalVisualizer):
    """mmseg's visualizer, which leaves the background clear and names the classes in a legend.

    mmseg's own covers the background with its colour, and writes names over the objects.

    Args: those of mmseg's ``SegLocalVisualizer``.
    """

    @master_only
    def add_datasample(self, name, image, data_sample=None, draw_gt=True, draw_pred=True,
                       show=False, wait_time=0, out_file=None, step=0, **_):
        """Draw the truth, where there is one, and the prediction beside it.

        Args: those of the base class; those of its texts are of no account.
        """
        wanted = [key for key, draws in (('gt_sem_seg', draw_gt), ('pred_sem_seg', draw_pred))
                  if draws and data_sample is not None and key in data_sample]
        masks = [data_sample.get(key).data.squeeze(0).cpu().numpy().astype(np.uint8)
                 for key in wanted]
        meta = self.dataset_meta
        picture = draw_masks(image, masks, meta['classes'], meta['palette'],
                             alpha=self.alpha) if masks else image
        if show:
            self.show(picture, win_name=name, wait_time=wait_time)
        if out_file is None:
            self.add_image(name, picture, step)
        else:
            mmcv.imwrite(mmcv.rgb2bgr(picture), out_file)
