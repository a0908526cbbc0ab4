"""Promptable segmenters of transformers with random weights and 64 pixels, as folders on disk."""
import pytest
import torch

VISION = dict(hidden_size=16, output_channels=16, num_hidden_layers=2, num_attention_heads=2,
              image_size=64, patch_size=16, window_size=2, global_attn_indexes=[1],
              num_pos_feats=8, mlp_dim=32)
PARTS = dict(
    prompt_encoder_config=dict(hidden_size=16, image_size=64, patch_size=16, mask_input_channels=4),
    mask_decoder_config=dict(hidden_size=16, mlp_dim=32, num_hidden_layers=1,
                             num_attention_heads=2, iou_head_hidden_dim=16, vit_dim=16))
HIERA = dict(
    model_type='sam2_hiera_det_model', hidden_size=8, num_attention_heads=1, image_size=[64, 64],
    blocks_per_stage=[1, 1, 3, 1], embed_dim_per_stage=[8, 16, 32, 64],
    num_attention_heads_per_stage=[1, 1, 2, 2], window_size_per_stage=[4, 2, 2, 2],
    global_attention_blocks=[3], window_positional_embedding_background_size=[4, 4])
KINDS = 'sam', 'sam_hq', 'sam2'


def import_transformers():
    """transformers; the test is skipped where it is absent or needs a newer torch."""
    transformers = pytest.importorskip('transformers', reason='needs the extra [sam]')
    if not transformers.utils.is_torch_available():
        pytest.skip(f'transformers {transformers.__version__} needs a newer torch')
    return transformers


def build_segmenter(kind, seed=3):
    """(network, processor) of a kind. Its masks of test_sam.py cover parts of their boxes.

    The weights that transformers draws for SAM are almost zero.
    """
    hf = import_transformers()
    if kind == 'sam2':
        vision = dict(backbone_config=HIERA, backbone_channel_list=[64, 32, 16, 8],
                      backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=16)
        network = hf.Sam2Model(hf.Sam2Config(vision_config=vision, **PARTS))
        images = getattr(hf, 'Sam2ImageProcessor', None) or hf.Sam2ImageProcessorFast  # before 5
        processor = hf.Sam2Processor(images(size=dict(height=64, width=64),
                                            mask_size=dict(height=16, width=16)))
    else:
        images = hf.SamImageProcessor(
            size=dict(longest_edge=64), pad_size=dict(height=64, width=64),
            mask_size=dict(longest_edge=16), mask_pad_size=dict(height=16, width=16))
        if kind == 'sam':
            network = hf.SamModel(hf.SamConfig(vision_config=VISION, **PARTS))
            processor = hf.SamProcessor(images)
        else:
            network = hf.SamHQModel(hf.SamHQConfig(vision_config=VISION, **PARTS))
            processor = hf.SamHQProcessor(images)
    generator = torch.Generator().manual_seed(seed)
    for _, tensor in sorted(network.state_dict().items()):
        if tensor.dim() > 1:
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(2 * noise / tensor[0].numel() ** .5)
    return network.eval(), processor


def save_segmenter(folder, kind='sam', seed=3):
    """Write a model as `save_pretrained` does; returns the folder."""
    for part in build_segmenter(kind, seed):
        part.save_pretrained(folder)
    return folder
