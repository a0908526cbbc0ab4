"""The part of a trained segmentor that is deployed, as a plain module: image in, classes out."""
import copy
import json

import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.models.utils import Upsample
from mmseg.registry import MODELS
from torch import nn

from mmseg_wss.models.converters.publish_strong import weights_of
from mmseg_wss.models.decode_heads import TwoBranchHead
from mmseg_wss.version import __version__


class InferenceNetwork(nn.Module):
    """A segmentor as a function of tensors alone.

    Args:
        segmentor (EncoderDecoder): of one decode head; it predicts in one piece, without a sliding
            window.
    """

    def __init__(self, segmentor):
        super().__init__()
        self.segmentor = segmentor

    def forward(self, image):
        """Predict.

        Args:
            image (Tensor): float (N, C, H, W), normalised as the data preprocessor does it.

        Returns:
            tuple[Tensor, Tensor]: labels, int64 (N, H, W), class indices; probabilities, float
            (N, K, H, W). With one output channel for two classes K is 1: that of class 1.
        """
        size = tuple(image.shape[2:])
        metas = [dict(img_shape=size, ori_shape=size, pad_shape=size)] * image.shape[0]
        logits = self.segmentor.encode_decode(image, metas)
        if self.segmentor.out_channels == 1:
            probabilities = logits.sigmoid()
            labels = (probabilities[:, 0] > self.segmentor.decode_head.threshold).long()
        else:
            probabilities = logits.softmax(1)
            labels = logits.argmax(1)
        return labels, probabilities


def load_inference_network(config, checkpoint):
    """Build the network of a config with the weights of a checkpoint, without the weak branch.

    Args:
        config (Config): of the training; it is not changed.
        checkpoint (str): file of the training, or of `publish_strong`.

    Returns:
        tuple[InferenceNetwork, dict]: in eval mode on the CPU; the checkpoint's meta.

    Raises:
        DataError: the checkpoint is not of this config, or not one at all.
    """
    init_default_scope(config.get('default_scope', 'mmseg'))
    model = copy.deepcopy(config.model)
    model.pop('auxiliary_head', None)
    model = MODELS.build(model).eval()
    for head in [module for module in model.modules() if isinstance(module, TwoBranchHead)]:
        head.weak_branch, head.predict_branch = None, 'strong'
    wanted = {key: value for key, value in model.state_dict().items()
              if not key.endswith('mix_carry')}  # it says which branch is trained next
    weights, loaded = weights_of(checkpoint, wanted, config.filename)
    model.load_state_dict(weights, strict=False)
    meta = loaded.get('meta')
    return InferenceNetwork(_of_any_size(model)).eval(), meta if isinstance(meta, dict) else {}


class _SameConv(nn.Module):
    """timm's ``Conv2dSame``, whose padding depends on the size, in whole numbers alone."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x):
        conv, padding = self.conv, []
        for axis in 1, 0:
            size, stride = x.shape[2 + axis], conv.stride[axis]
            reach = (conv.kernel_size[axis] - 1) * conv.dilation[axis] + 1
            total = ((size + stride - 1) // stride - 1) * stride + reach - size
            padding += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, padding), conv.weight, conv.bias, conv.stride, 0, conv.dilation,
                        conv.groups)


def _of_any_size(model):
    """Replace what computes sizes in floating point, which exporters keep as numbers or refuse."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, Upsample) and not child.size:
                setattr(module, name, nn.Upsample(
                    None, child.scale_factor, child.mode, child.align_corners))
            elif type(child).__name__ == 'Conv2dSame' and min(child.kernel_size) >= max(
                    child.stride):  # else the padding might be negative, which timm makes 0
                setattr(module, name, _SameConv(child))
    return model


def describe_preprocessing(config, network, meta):
    """What has to be done to an image file before the network, and what its output means.

    Args:
        config (Config): of the training; its test_pipeline says how images are resized.
        network (InferenceNetwork): of this config.
        meta (dict): of the checkpoint, for names and colours of the classes.

    Returns:
        dict[str, object]: plain values (see docs/deploy.md): input, output, channel_order, mean,
        std, size_divisor, pad_value, resize, window, classes, palette, mmseg_wss.
    """
    preprocessor = network.segmentor.data_preprocessor
    swaps = getattr(preprocessor, 'bgr_to_rgb', getattr(preprocessor, 'channel_conversion', False))
    test_cfg = getattr(preprocessor, 'test_cfg', None) or {}
    channels = len(preprocessor.mean) if hasattr(preprocessor, 'mean') else 3
    pipeline = config.get('test_pipeline') or config.get('test_dataloader', {}).get(
        'dataset', {}).get('pipeline', [])
    facts = meta.get('dataset_meta') or {}
    inference = network.segmentor.test_cfg
    described = dict(
        input=f'image: float32 (N, {channels}, H, W), (value - mean) / std of values 0 to 255',
        output='labels: int64 (N, H, W), indices of classes; probabilities: float32 (N, K, H, W)',
        channel_order='RGB' if swaps else 'BGR',
        mean=_numbers(preprocessor, 'mean', 0., channels),
        std=_numbers(preprocessor, 'std', 1., channels),
        size_divisor=test_cfg.get('size_divisor') or 1,
        pad_value=getattr(preprocessor, 'pad_val', 0),
        resize=[{key: value for key, value in step.items() if key != 'type'}
                for step in pipeline if str(step.get('type')).split('.')[-1] == 'Resize'],
        window=dict(size=inference.crop_size, stride=inference.stride)
        if inference.get('mode') == 'slide' else None,
        classes=facts.get('classes'), palette=facts.get('palette'), mmseg_wss=__version__)
    return json.loads(json.dumps(described, default=list))


def _numbers(preprocessor, name, default, channels):
    value = getattr(preprocessor, name, None)
    return [default] * channels if value is None else torch.as_tensor(value).flatten().tolist()
