"""Networks as files that run without this package: ONNX, and PyTorch's exported programs."""
import inspect
import json
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch

from mmseg_wss.errors import ConfigError
from mmseg_wss.utils.fileio import atomic_path

OPSET = 17  # the newest that PyTorch 2.1 writes
TOLERANCE = 1e-3  # of probabilities, between two ways to compute them in float32
INPUT, OUTPUTS = 'image', ('labels', 'probabilities')


def export_onnx(network, description, out):
    """Write a network as ONNX, for images of any number and size, and run it in onnxruntime.

    Args:
        network (InferenceNetwork): on the CPU, in eval mode.
        description (dict): plain values; kept in the file as metadata, each as JSON, and in a file
            beside it (see `export_checked`).
        out (str | Path): file to write.

    Returns:
        float: the largest difference of a probability between PyTorch and onnxruntime, at two
        sizes that the network was not exported with.

    Raises:
        ConfigError: the network cannot be written as ONNX, or gives something else there.
        ImportError: onnx or onnxruntime is not installed.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ImportError('An export to ONNX needs onnx and onnxruntime: pip install '
                          f'"mmseg_wss[export]" ({error}).') from error

    axes = {0: 'batch', 2: 'height', 3: 'width'}
    options = dict(
        input_names=[INPUT], output_names=list(OUTPUTS), opset_version=OPSET,
        dynamic_axes=dict(image=axes, labels={0: 'batch', 1: 'height', 2: 'width'},
                          probabilities=axes))
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        options['dynamo'] = False  # one exporter, with every version of PyTorch

    def write(path, example):
        torch.onnx.export(network, (example,), str(path), **options)
        content = onnx.load(str(path))
        for key, value in description.items():
            content.metadata_props.add(key=key, value=json.dumps(value))
        onnx.checker.check_model(content)
        onnx.save(content, str(path))

    def load(path):
        session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        return lambda image: session.run(list(OUTPUTS), {INPUT: image.numpy()})

    return export_checked(network, description, out, write, load)


def export_torch(network, description, out):
    """Write a network as an exported program of PyTorch (``.pt2``), for images of any size.

    Args:
        network, description, out: see `export_onnx`; one image at a time.

    Returns:
        float: see `export_onnx`.

    Raises:
        ConfigError: the network cannot be exported; PyTorch is older than 2.6.
    """
    if not hasattr(torch.export, 'Dim') or not hasattr(torch.export.Dim, 'DYNAMIC'):
        raise ConfigError('--torch-export needs PyTorch 2.6 or later, this is '
                          f'{torch.__version__}: export to ONNX instead.')

    def write(path, example):
        divisor = description['size_divisor']
        sides = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
        if divisor > 1:
            sides = {axis: divisor * torch.export.Dim(name, min=2, max=1024)
                     for axis, name in {2: 'rows', 3: 'columns'}.items()}
        program = torch.export.export(network, (example,), dynamic_shapes=dict(image=sides))
        torch.export.save(program, path)

    def load(path):
        program = torch.export.load(path).module()

        def run(image):
            with torch.no_grad():
                return [output.numpy() for output in program(image)]
        return run

    return export_checked(network, description, out, write, load)


def export_checked(network, description, out, write, load):
    """Write a network by a function, compare what it gives, and keep the file if that is the same.

    ``OUT`` and ``OUT.json``, the description, each appear in one rename.

    Args:
        network (InferenceNetwork): the network.
        description (dict): its size_divisor and mean say which images it takes.
        out (str | Path): file to write.
        write (Callable): (path, example), writes the file; example is an image (1, C, H, W).
        load (Callable): path -> function of an image to its outputs, as arrays.

    Returns:
        float: the largest difference of a probability.

    Raises:
        ConfigError: it cannot be written, or what was written gives something else.
    """
    unit = max(32, description['size_divisor'])
    odd = description['size_divisor'] == 1
    example, *others = (_noise(description, height * unit + 5 * odd, width * unit - odd)
                        for height, width in ((3, 4), (2, 5), (4, 3)))
    out = Path(out)
    with atomic_path(out) as path, _quiet(), torch.no_grad():
        try:
            write(path, example)
            difference = max(_difference(network, load(path), image) for image in others)
        except (OSError, ImportError, MemoryError):
            raise
        except Exception as error:  # exporters and runtimes raise many types
            raise ConfigError(
                f'{out}: this network cannot be exported for images of any size '
                f'({type(error).__name__}: {str(error).strip()[:300]}). Layers that pool to a '
                'fixed number of bins (PSPHead, UPerHead) are a usual cause.') from error
        if not difference < TOLERANCE:
            raise ConfigError(f'{out}: the exported network gives other predictions than PyTorch '
                              f'(probabilities differ by {difference:.2g}, inf: labels or sizes '
                              'differ), so it was not kept.')
        with atomic_path(f'{out}.json') as beside:
            beside.write_text(json.dumps(description, indent=1) + '\n')
    return difference


def _difference(network, exported, image):
    """The largest difference of a probability; inf if sizes or clear labels differ."""
    labels, probabilities = (output.numpy() for output in network(image))
    found_labels, found = exported(image)
    if found.shape != probabilities.shape or found_labels.shape != labels.shape:
        return float('inf')
    top = torch.from_numpy(probabilities).topk(min(2, probabilities.shape[1]), 1)[0]
    clear = (top[:, 0] - top[:, -1] > 2 * TOLERANCE).numpy()
    if (found_labels != labels)[clear].any():
        return float('inf')
    return float(abs(found - probabilities).max())


def _noise(description, height, width):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, len(description['mean']), height, width, generator=generator)


@contextmanager
def _quiet():
    """Exporters warn of every shape that they take for a number; the comparison judges that."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
