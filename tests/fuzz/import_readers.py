"""The readers of exports, for the fuzz tool: from a file to the files of a devkit."""
import io
import json
from functools import partial
from pathlib import Path

import numpy as np
from readers import CLASSES, SHAPE, Reader, Refused

NAMES = '1.jpg', 'é 2.png'


def _picture(kind, colours=None):
    from PIL import Image
    content = io.BytesIO()
    Image.fromarray(np.full((*SHAPE, 3), 90, np.uint8) if colours is None else colours).save(
        content, kind)
    return content.getvalue()


def _read(kind, files, path):
    """Import the folder of a damaged file: classes, and what is written of each image."""
    from mmseg_wss.labels.formats.mask_file import read_mask
    from mmseg_wss.labels.formats.voc_xml import read_voc_objects
    from mmseg_wss.labels.imports.devkit import WriteImage, image_ids
    from mmseg_wss.labels.imports.importer import chosen_classes, read_labels
    from mmseg_wss.labels.imports.recognise import Export, recognise
    folder = Path(path).parent
    for name, content in dict(zip(NAMES, map(_picture, ('JPEG', 'PNG'))), **files).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    recognise(path, kind)
    labels = read_labels(Export(kind, str(folder), [path]))
    if labels.faults:
        raise Refused('\n'.join(labels.faults))
    classes = ['background', *chosen_classes(labels, None, ['ignore'], path)]
    write, result = WriteImage(str(folder / 'out'), classes, ['ignore']), [classes]
    ids = image_ids([image.path for image in labels.images])
    for image in labels.images:
        written = write(ids[image.path], image)
        found = [ids[image.path], written.kinds, written.tags]
        for part in ('SegmentationClass', 'ScribbleLabels', 'PointLabels'):
            mask = folder / 'out' / part / f'{ids[image.path]}.png'
            found.append(read_mask(mask) if mask.exists() else None)
        xml = folder / 'out' / 'Annotations' / f'{ids[image.path]}.xml'
        result.append([*found, *(read_voc_objects(xml) if xml.exists() else ([], None))])
    return result


def _is_legal(content):
    classes, *images = content
    for _, _, tags, *masks, names, boxes in images:
        if not {*tags, *names} <= set(classes[1:]):
            return False
        if any(mask is not None and (mask.shape != SHAPE or not (
                (mask < len(classes)) | (mask == 255)).all()) for mask in masks):
            return False
        if names and not ((boxes >= 0).all() and (boxes[:, 2:] <= SHAPE[::-1]).all()
                          and (boxes[:, :2] < boxes[:, 2:]).all()):
            return False
    return len(set(classes)) == len(classes)


def _reader(kind, name, samples, **files):
    from mmseg_wss.errors import DataError
    return Reader([sample if isinstance(sample, bytes) else sample.encode() for sample in samples],
                  partial(_read, kind, files), (DataError, Refused), _is_legal, name=name)


def coco():
    categories = [dict(id=0, name='all', supercategory='none')] + [
        dict(id=number, name=name, supercategory='all')
        for number, name in enumerate(CLASSES[1:], 3)]
    shapes = [dict(segmentation=[[1.5, 2, 20, 2, 20, 20.5]]), dict(bbox=[3, 4, 9, 9.5]),
              dict(segmentation=dict(size=list(SHAPE), counts='T3X6d>'), iscrowd=1),
              dict(segmentation=dict(size=list(SHAPE), counts=[100, 200, 468]))]
    content = dict(
        images=[dict(id=number, file_name=name, width=SHAPE[1], height=SHAPE[0])
                for number, name in enumerate(NAMES)],
        annotations=[dict(shape, id=number, image_id=number % 2, category_id=3 + number % 3)
                     for number, shape in enumerate(shapes)], categories=categories)
    return _reader('coco', 'instances.json', [json.dumps(content), json.dumps(content, indent=1)])


def labelme():
    import base64
    mask = np.zeros((6, 8, 3), np.uint8)
    mask[2:4, 1:7] = 255
    shapes = [dict(label='cat', points=[[1.5, 2], [20, 2], [20, 20.5]], shape_type='polygon'),
              dict(label='dog', points=[[3, 4], [12, 13]], shape_type='rectangle'),
              dict(label='bird', points=[[16, 12], [16, 18]], shape_type='circle'),
              dict(label='cat', points=[[1, 1], [9, 9], [20, 9]], shape_type='linestrip'),
              dict(label='ignore', points=[[7, 7]], shape_type='point'),
              dict(label='dog', points=[[20, 10], [27, 15]], shape_type='mask',
                   mask=base64.b64encode(_picture('PNG', mask)).decode())]
    content = dict(version='5.5.0', flags=dict(bird=True, dog=False), shapes=shapes,
                   imagePath=NAMES[1], imageData=None, imageHeight=SHAPE[0], imageWidth=SHAPE[1])
    return _reader('labelme', 'é 2.json', [json.dumps(content), json.dumps(content, indent=2)])


def cvat():
    labels = ''.join(f'<label><name>{name}</name></label>' for name in CLASSES[1:])
    shapes = ('<box label="cat" xtl="1" ytl="2" xbr="9.5" ybr="11" z_order="2" rotation="30"/>'
              '<polygon label="dog" points="1.5,2;20,2;20,20.5" z_order="1"/>'
              '<polyline label="cat" points="1,1;9,9;20,9" z_order="0"/>'
              '<points label="bird" points="3,4;8,9" z_order="0"/>'
              '<ellipse label="bird" cx="16" cy="12" rx="5" ry="3.5" z_order="-1"/>'
              '<mask label="dog" rle="3, 5, 8" left="20" top="10" width="4" height="4"/>'
              '<tag label="cat"></tag>')
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    text = (f'<annotations><version>1.1</version><meta><task><labels>{labels}</labels></task>'
            '</meta>' + ''.join(
                f'<image id="{number}" name="{name}" width="{SHAPE[1]}" height="{SHAPE[0]}">'
                f'{shapes * (1 - number)}</image>\n' for number, name in enumerate(NAMES))
            + '</annotations>')
    return _reader('cvat', 'annotations.xml', [head + text, text])


def yolo():
    lines = ('0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.9 0.8\n'
             '2 0.3 0.3 0.6 0.3 0.6 0.7 0.2 0.9 0.1 0.5\n')
    return _reader('yolo', '1.txt', [lines, lines.replace('\n', '\r\n')],
                   **{'classes.txt': '\n'.join(CLASSES[1:]).encode()})


def yolo_yaml():
    names = ''.join(f'  {number}: {name}\n' for number, name in enumerate(CLASSES[1:]))
    return _reader('yolo', 'data.yaml', [
        f'path: .\ntrain: images/train\nval: images/val\nnc: 3\nnames:\n{names}',
        f'nc: 3\nnames: {CLASSES[1:]}\n'], **{'1.txt': b'0 0.5 0.5 0.25 0.5\n'})


def label_studio():
    values = [('polygonlabels', dict(points=[[5, 9], [60, 9], [60, 80]])),
              ('rectanglelabels', dict(x=10, y=20, width=30, height=25.5, rotation=10)),
              ('ellipselabels', dict(x=50, y=50, radiusX=10, radiusY=20, rotation=0)),
              ('keypointlabels', dict(x=30, y=40, width=0.5)), ('choices', {})]
    results = [dict(id=str(number), type=kind, from_name='label', to_name='image',
                    original_width=SHAPE[1], original_height=SHAPE[0],
                    value={**value, kind: [CLASSES[1 + number % 3]]})
               for number, (kind, value) in enumerate(values)]
    brush = dict(results[0], type='brushlabels', value=dict(
        format='rle', rle=brush_stream(), brushlabels=['dog']))
    tasks = [dict(id=1, data=dict(image=f'/data/upload/1/0a1b2c3d-{NAMES[0]}'), annotations=[
                dict(id=1, was_cancelled=False, result=[*results, brush])]),
             dict(id=2, data=dict(image='/data/local-files/?d=x/%C3%A9%202.png'), annotations=[])]
    return _reader('label_studio', 'project.json', [json.dumps(tasks), json.dumps(tasks, indent=1)])


def brush_stream():
    """A brush with runs and single values, as a list of bytes (thi.ng's rle-pack)."""
    total = SHAPE[0] * SHAPE[1] * 4
    bits = f'{total:032b}' + f'{7:05b}' + ''.join(f'{size - 1:04b}' for size in (3, 4, 8, 16))
    bits += f'111{399:016b}{0:08b}' + f'000{7:03b}' + f'{255:08b}' * 8
    bits += f'111{799:016b}{255:08b}' + f'111{total - 1209:016b}{0:08b}'
    bits += '0' * (-len(bits) % 8)
    return [int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)]


COLOURS = {'background': (0, 0, 0), 'cat': (250, 50, 83), 'dog': (61, 245, 61)}


def _label_map():
    return '# label:color_rgb:parts:actions\n' + ''.join(
        f'{name}:{",".join(map(str, colour))}::\n' for name, colour in COLOURS.items())


def _colour_mask():
    mask = np.zeros((*SHAPE, 3), np.uint8)
    mask[3:9, 4:20], mask[12:20, 10:30] = COLOURS['cat'], COLOURS['dog']
    return _picture('PNG', mask)


def label_map():
    text = _label_map()
    return _reader('voc', 'labelmap.txt', [text, text.replace('\n', '\r\n')],
                   **{'SegmentationClass/1.png': _colour_mask()})


def voc_boxes():
    from mmseg_wss.labels.formats.voc_xml import voc_xml
    text = voc_xml(NAMES[1], SHAPE, ['cat', 'dog'], [(1, 2, 20, 21), (0, 0, 32, 24)])
    return _reader('voc', 'é 2.xml', [text])


READERS = dict(
    import_coco=coco, import_labelme=labelme, import_cvat=cvat, import_yolo=yolo,
    import_yolo_yaml=yolo_yaml, import_label_studio=label_studio, import_label_map=label_map,
    import_voc_boxes=voc_boxes)
