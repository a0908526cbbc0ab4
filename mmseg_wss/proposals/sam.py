"""A promptable segmenter from a box: SAM (Kirillov et al., ICCV 2023) and what followed it."""
import functools
import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.utils.fileio import file_sha256

_FILES = '*.json', '*.safetensors'  # of a model: no pickle is loaded


def sam_masks(image, boxes, model):
    """Ask a segmenter for the object in each box.

    The image is encoded once, and all its boxes are decoded together, one mask for each. A mask is
    what has a positive logit inside the box; an object gets its whole box where nothing has.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        model (str | Path): folder of a model of `transformers`, see `find_segmenter`. It is kept in
            memory, on the GPU if there is one.

    Returns:
        np.ndarray: bool (M, H, W), within the pixels of the boxes.

    Raises:
        DataError: the folder has no such model.
        ImportError: transformers is not installed.
    """
    shape = image.shape[:2]
    windows = pixel_windows(boxes, shape)
    masks = np.zeros((len(windows), *shape), bool)
    if not len(windows):
        return masks
    processor, network = _load(str(model))
    logits, sizes = _decode(processor, network, image, np.asarray(boxes, np.float64))
    for mask, of_object, (x1, y1, x2, y2) in zip(masks, logits, windows):
        inside = np.s_[y1:y2, x1:x2]  # one object at a time: as floats, masks are large
        found = processor.post_process_masks([of_object[None]], **sizes)[0][0, 0].numpy()
        mask[inside] = found[inside] if found[inside].any() else True
    return masks


def find_segmenter(model):
    """The folder of a segmenter's files.

    Args:
        model (str): a folder that `save_pretrained` wrote, or a name of the Hugging Face hub such
            as ``'facebook/sam-vit-base'``, whose files are downloaded once. Nothing is sent but
            the name.

    Returns:
        Path: the folder, with ``config.json`` and weights.

    Raises:
        DataError: there is no such model, or it is no segmenter that takes boxes.
        ImportError: transformers is not installed.
    """
    _transformers()
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASK_GENERATION_MAPPING_NAMES
    folder = Path(model) if Path(model).is_dir() else _download(model)
    try:
        kind = json.loads((folder / 'config.json').read_text())['model_type']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{folder}/config.json does not name a model: the folder should be what '
                        'save_pretrained of transformers writes.') from error
    if kind not in MODEL_FOR_MASK_GENERATION_MAPPING_NAMES:
        raise DataError(f"{folder}/config.json: a model of type {kind!r} makes no masks from boxes;"
                        ' the types that do are '
                        f'{", ".join(MODEL_FOR_MASK_GENERATION_MAPPING_NAMES)}. A newer version of '
                        'transformers may know more.')
    if not _weight_files(folder):
        raise DataError(f'{folder} has no weights, *.safetensors. Download the whole model, or load'
                        ' it with transformers and write it there with save_pretrained.')
    return folder


def describe_segmenter(model, folder):
    """What the record of a mask says of the segmenter: its name, and SHA-256 of its weights.

    Args:
        model (str): as for `find_segmenter`.
        folder (Path): from `find_segmenter`.
    """
    name = Path(model).resolve().name if Path(model).is_dir() else model
    return dict(model=name, weights={file.name: file_sha256(file)
                                     for file in _weight_files(folder)})


def _weight_files(folder):
    return sorted(folder.glob('*.safetensors'))


def _transformers():
    try:
        import transformers
    except ImportError as error:
        raise ImportError('the method sam needs transformers: pip install -e ".[sam]"') from error
    if not transformers.utils.is_torch_available():
        raise ImportError(f'transformers {transformers.__version__} does not run with torch '
                          f'{torch.__version__}, so the method sam does not: install a newer torch '
                          'and torchvision (2.6 for transformers 5, 2.2 for transformers 4.56).')
    return transformers


def _download(model):
    from huggingface_hub import snapshot_download  # transformers comes with it
    try:
        return Path(snapshot_download(str(model), allow_patterns=_FILES))
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f'{model}: there is no such folder, and no such model was found on or downloaded from '
            f"the Hugging Face hub ({reason}). Without a network, copy the model's files (*.json, "
            '*.safetensors) into a folder, and name the folder.') from error


@functools.lru_cache(maxsize=1)
def _load(folder):
    """The image processor and the network of a folder."""
    transformers = _transformers()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    with _no_progress_bar(transformers.utils.logging):
        network, report = transformers.AutoModelForMaskGeneration.from_pretrained(
            folder, local_files_only=True, output_loading_info=True)
    if report['missing_keys']:
        raise DataError(f'{folder}: the weights lack {sorted(report["missing_keys"])[0]} and '
                        f'{len(report["missing_keys"]) - 1} more tensors of the model that '
                        'config.json names: download both again.')
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return processor, network.float().eval().to(device)


@contextmanager
def _no_progress_bar(logging):
    """Loading takes seconds, and the masks have a bar of their own."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@torch.no_grad()
def _decode(processor, network, image, boxes):
    """Logits (M, 1, h, w) of the objects, and the sizes that `post_process_masks` needs."""
    inputs = processor(images=Image.fromarray(image), return_tensors='pt')
    sizes = {key: inputs[key] for key in ('original_sizes', 'reshaped_input_sizes')
             if key in inputs}
    pixels = inputs['pixel_values']
    # SAM pads the resized image to a square; SAM 2 stretches it, and transformers 4 then calls the
    # size of the file "reshaped"
    padded = getattr(processor, 'pad_size', None)
    height, width = map(int, sizes['reshaped_input_sizes'][0] if padded else pixels.shape[-2:])
    scale = np.array([width / image.shape[1], height / image.shape[0]] * 2)
    prompts = torch.from_numpy(boxes * scale).float()[None]
    output = network(pixel_values=pixels.to(network.device), multimask_output=False,
                     input_boxes=prompts.to(network.device))
    return output.pred_masks[0].cpu(), sizes
