"""Whether a segmentor and its data preprocessor give its heads what these need."""
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.segmentors import EncoderDecoder
from torch import nn

from mmseg_wss.errors import ConfigError
from mmseg_wss.models.class_weights import is_mean_over_labelled
from mmseg_wss.models.decode_heads.head_checks import has_own_loss
from mmseg_wss.models.decode_heads.head_conventions import conventions_of, losses_in


def heads_of(model):
    """The heads of a segmentor with one decode head, by the prefix that mmseg gives their losses.

    Args:
        model (EncoderDecoder): of mmseg, or of this package.

    Returns:
        dict[str, nn.Module]: decode; aux, or aux_0, aux_1, ... where there are several.
    """
    heads = {'decode': model.decode_head}
    if model.with_auxiliary_head:
        heads.update({f'aux_{i}': head for i, head in enumerate(model.auxiliary_head)}
                     if isinstance(model.auxiliary_head, nn.ModuleList)
                     else {'aux': model.auxiliary_head})
    return heads


def check_preprocessor(model):
    """Refuse mmseg's data preprocessor where a head needs more than that gives.

    Args:
        model (EncoderDecoder): of mmseg, or of this package.

    Raises:
        ConfigError: it is ``SegDataPreProcessor``, and a head takes the image or trains with labels
            other than masks.
    """
    if isinstance(model.data_preprocessor, SegDataPreProcessor):
        for head in heads_of(model).values():
            if conventions_of(head).takes_image or not conventions_of(head).needs_masks:
                raise ConfigError(
                    f'{type(head).__name__} needs to know where an image ends and its padding '
                    "begins, and labels other than masks, which mmseg's SegDataPreProcessor does "
                    "not give it: set type='mmseg_wss.WeakSegDataPreprocessor' in "
                    'model.data_preprocessor (and in the data_preprocessor of the config).')


def check_segmentor(model):
    """Refuse mmseg's own segmentor where a head asks for more than that passes on.

    Args:
        model (nn.Module): any network; those that are no ``EncoderDecoder`` with one decode head
            pass.

    Raises:
        ConfigError: a head wants the image or features of further scales, or has class weights
            with which mmseg's loss fails, and the segmentor is mmseg's; or see
            `check_preprocessor`.
    """
    if not isinstance(model, EncoderDecoder) or isinstance(model.decode_head, nn.ModuleList):
        return
    if type(model) is EncoderDecoder:
        for head in heads_of(model).values():
            if conventions_of(head).takes_image or conventions_of(head).extra_scales:
                raise ConfigError(
                    f"{type(head).__name__} needs the image, which mmseg's EncoderDecoder does not "
                    "give to heads: set type='mmseg_wss.WeakEncoderDecoder' in model.")
            if not has_own_loss(head) and any(
                    is_mean_over_labelled(loss) and loss.class_weight is not None
                    for loss in losses_in(head)):
                raise ConfigError(
                    f"the loss of {type(head).__name__} has class_weight and avg_non_ignore=True, "
                    "with which mmseg's own mean fails: set type='mmseg_wss.WeakEncoderDecoder' in "
                    'model, where they work together.')
    check_preprocessor(model)
