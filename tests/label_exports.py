"""Exports of labelling tools, from masks: written from the tools' documentation, not with a reader.

    python tests/label_exports.py DEVKIT OUT [--images 100]

makes OUT/{coco, labelme, cvat, yolo, label_studio, voc} of a VOC devkit, with names as people have
them, and OUT/expected with the masks that the outlines give.
"""
import argparse
import base64
import io
import json
import shutil
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image
from scipy import ndimage

IGNORED = 255
# what names of real folders are like; {} is the ID
NAMES = ('{}.jpg', 'süd ufer/{}.JPG', 'süd ufer/{} copy.png', 'a,b/{}.jpeg', 'x/y/{} 1.bmp',
         'same.{}.tif')


def outlines(mask):
    """(label, corners (P, 2), pixels) of each connected piece of a class, its holes filled.

    The corners run along the edges of the pixels, so that the outline has exactly the pixels.
    """
    found = []
    for label in np.unique(mask):
        if label:
            pieces, number = ndimage.label(mask == label)
            for piece in range(1, number + 1):
                pixels = ndimage.binary_fill_holes(pieces == piece)
                found.append((int(label), boundary(pixels), pixels))
    return found


def boundary(pixels):
    """Corners (x, y) of the boundary of one piece without holes, (P, 2)."""
    padded = np.pad(pixels, 1)
    follow = {}
    for y, x in np.argwhere(padded):
        for neighbour, start, end in (((y - 1, x), (x, y), (x + 1, y)),
                                      ((y, x + 1), (x + 1, y), (x + 1, y + 1)),
                                      ((y + 1, x), (x + 1, y + 1), (x, y + 1)),
                                      ((y, x - 1), (x, y + 1), (x, y))):
            if not padded[neighbour]:
                follow[start] = end
    start = corner = next(iter(follow))
    corners = []
    while True:
        corners.append(corner)
        corner = follow[corner]
        if corner == start:
            break
    points = np.array(corners) - 1
    before, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    return points[(before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0])]


def painted(found, shape):
    """The mask of outlines, the larger below; a later one on top of one of its size."""
    mask = np.zeros(shape, np.uint8)
    for label, _, pixels in sorted(found, key=lambda item: -item[2].sum()):
        mask[pixels] = label
    return mask


def names_of(classes):
    """Label -> name, with a class of ignored regions."""
    return {**dict(enumerate(classes)), IGNORED: 'ignore'}


def write_coco(root, scenes, classes):
    """``instances.json`` beside ``images``; classes from id 10 on, ignored regions as crowds."""
    images, annotations = [], []
    for number, (name, shape, found) in enumerate(scenes):
        images.append(dict(id=number, file_name=name, height=shape[0], width=shape[1]))
        for label, corners, pixels in found:
            segmentation = [corners.ravel().tolist()]
            if len(annotations) % 3 == 2:
                segmentation = dict(size=list(shape), counts=column_runs(pixels))
            annotations.append(dict(
                id=len(annotations), image_id=number, category_id=10 if label == IGNORED
                else 9 + label, iscrowd=int(label == IGNORED), segmentation=segmentation,
                bbox=[0, 0, 1, 1], area=int(pixels.sum())))
    categories = [dict(id=9 + label, name=name, supercategory='')
                  for label, name in enumerate(classes) if label]
    (root / 'instances.json').write_text(json.dumps(dict(
        images=images, annotations=annotations, categories=categories)), encoding='utf-8')


def column_runs(pixels):
    """COCO's uncompressed run lengths, down the columns, the first of background."""
    counts, value = [0], False
    for pixel in pixels.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def write_labelme(root, scenes, classes):
    """A JSON file beside each image; every fourth shape is a mask, a PNG for its window."""
    names = names_of(classes)
    for name, shape, found in scenes:
        shapes = []
        for number, (label, corners, pixels) in enumerate(found):
            entry = dict(label=names[label], points=corners.tolist(), shape_type='polygon',
                         group_id=None, flags={})
            if number % 4 == 3:
                (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
                png = io.BytesIO()
                Image.fromarray(pixels[y1:y2, x1:x2].astype(np.uint8) * 255).save(png, 'PNG')
                entry.update(shape_type='mask', points=[[x1, y1], [x2 - 1, y2 - 1]],
                             mask=base64.b64encode(png.getvalue()).decode())
            shapes.append(entry)
        path = root / 'images' / name
        path.with_suffix('.json').write_text(json.dumps(dict(
            version='5.5.0', flags={}, shapes=shapes, imagePath=path.name, imageData=None,
            imageHeight=shape[0], imageWidth=shape[1]), ensure_ascii=False), encoding='utf-8')


def write_cvat(root, scenes, classes):
    """``annotations.xml``; every third shape is a mask, along the rows of its window."""
    names = names_of(classes)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '<version>1.1</version>',
             '<meta><job><labels>']
    lines += [f'<label><name>{names[label]}</name></label>' for label in names if label]
    lines.append('</labels></job></meta>')
    for number, (name, (height, width), found) in enumerate(scenes):
        lines.append(f'<image id="{number}" name={quoteattr(name)} width="{width}" '
                     f'height="{height}">')
        for place, (label, corners, pixels) in enumerate(found):
            head = f'label={quoteattr(names[label])} source="manual" occluded="0" z_order="0"'
            (x1, y1), (x2, y2) = corners.min(0), corners.max(0)
            if place % 3 == 2:
                counts = column_runs(pixels[y1:y2, x1:x2].T)
                lines.append(f'<mask {head} rle="{", ".join(map(str, counts))}" left="{x1}" '
                             f'top="{y1}" width="{x2 - x1}" height="{y2 - y1}"></mask>')
            else:
                points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in corners)
                lines.append(f'<polygon {head} points="{points}"></polygon>')
        lines.append('</image>')
    (root / 'annotations.xml').write_text('\n'.join([*lines, '</annotations>']), encoding='utf-8')


def write_yolo(root, scenes, classes):
    """``labels`` beside ``images``, polygons in parts of the sides, and ``data.yaml``."""
    names = [name for label, name in names_of(classes).items() if label]
    number = {label: place for place, label in enumerate(x for x in names_of(classes) if x)}
    for name, (height, width), found in scenes:
        path = (root / 'labels' / name).with_suffix('.txt')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join(
            ' '.join([str(number[label]), *(f'{value:.9f}' for value in (
                corners / (width, height)).ravel())]) + '\n' for label, corners, _ in found))
    text = ''.join(f'  {place}: {name}\n' for place, name in enumerate(names))
    (root / 'data.yaml').write_text(f'path: .\ntrain: images\nnames:\n{text}', encoding='utf-8')


def write_label_studio(root, scenes, classes):
    """``project.json``; every third shape is a brush."""
    names, tasks = names_of(classes), []
    for number, (name, (height, width), found) in enumerate(scenes):
        results = []
        for place, (label, corners, pixels) in enumerate(found):
            kind, value = 'polygonlabels', dict(
                points=(corners / (width, height) * 100).tolist(), closed=True)
            if place % 3 == 1:
                kind, value = 'brushlabels', dict(format='rle', rle=brush_bytes(pixels))
            results.append(dict(
                id=f'{number}{place}', type=kind, from_name='label', to_name='image',
                original_width=width, original_height=height, image_rotation=0,
                value={**value, kind: [names[label]]}))
        tasks.append(dict(
            id=number, annotations=[dict(id=number, was_cancelled=False, result=results)],
            data=dict(image=f'/data/local-files/?d=images/{name}')))
    (root / 'project.json').write_text(json.dumps(tasks, ensure_ascii=False), encoding='utf-8')


def brush_bytes(pixels):
    """Label Studio's run lengths (thi.ng's rle-pack) of an RGBA picture, as a list of bytes."""
    values = np.repeat(pixels.ravel().astype(np.uint8) * 255, 4).tolist()
    sizes = 3, 4, 8, 16
    bits = f'{len(values):032b}{8 - 1:05b}' + ''.join(f'{size - 1:04b}' for size in sizes)
    parts, at = [bits], 0
    while at < len(values):
        end = at + 1
        while end < len(values) and values[end] == values[at] and end - at < 1 << 16:
            end += 1
        length = end - at - 1
        which = next(i for i, size in enumerate(sizes) if length < 1 << size)
        parts.append(f'1{which:02b}{length:0{sizes[which]}b}{values[at]:08b}')
        at = end
    bits = ''.join(parts)
    bits += '0' * (-len(bits) % 8)
    return [int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)]


def write_voc(root, scenes, classes):
    """``labelmap.txt`` and masks in its colours, as CVAT writes them."""
    names = names_of(classes)
    colours = {label: (label * 37 % 256, label * 91 % 256, label) for label in names}
    (root / 'labelmap.txt').write_text('# label:color_rgb:parts:actions\n' + ''.join(
        f'{name}:{",".join(map(str, colours[label]))}::\n' for label, name in names.items()))
    for name, shape, found in scenes:
        path = (root / 'SegmentationClass' / name).with_suffix('.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        picture, mask = np.zeros((*shape, 3), np.uint8), painted(found, shape)
        for label, colour in colours.items():
            picture[mask == label] = colour
        Image.fromarray(picture).save(path)


WRITERS = dict(coco=write_coco, labelme=write_labelme, cvat=write_cvat, yolo=write_yolo,
               label_studio=write_label_studio, voc=write_voc)


def make_exports(devkit, out, number, kinds=tuple(WRITERS)):
    """Write exports of a VOC devkit, and ``expected``: the masks of the outlines.

    Returns:
        dict: name of an image, without suffix -> its mask.
    """
    devkit, out = Path(devkit), Path(out)
    classes = (devkit / 'classes.txt').read_text().split('\n')[:-1]
    scenes, masks, pictures = [], {}, {}
    for place, path in enumerate(sorted((devkit / 'SegmentationClass').glob('*.png'))[:number]):
        with Image.open(path) as picture:
            mask = np.array(picture)
        if place % 10 == 9:
            mask = np.zeros_like(mask)  # known to be empty
        found = outlines(mask)
        name = NAMES[place % len(NAMES)].format(path.stem)
        scenes.append((name, mask.shape, found))
        masks[name.rpartition('.')[0]] = painted(found, mask.shape)
        pictures[name] = devkit / 'JPEGImages' / f'{path.stem}.jpg'
    for kind in kinds:
        root = out / kind
        for name, source in pictures.items():
            target = root / 'images' / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.suffix.lower() in ('.jpg', '.jpeg'):
                shutil.copyfile(source, target)
            else:
                with Image.open(source) as picture:
                    picture.save(target)
        WRITERS[kind](root, scenes, classes)
    for name, mask in masks.items():
        path = out / 'expected' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    return masks


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('devkit', metavar='DEVKIT')
    parser.add_argument('out', metavar='OUT')
    parser.add_argument('--images', type=int, default=100)
    args = parser.parse_args()
    make_exports(args.devkit, args.out, args.images)
