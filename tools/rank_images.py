"""Rank images without labels: which to label next.

    python tools/rank_images.py CONFIG CHECKPOINT --ann-file POOL --out ranked.csv
        [--by disagreement|entropy|nothing] [--cost mask|box|none] [--no-diversity]
        [--labelled LIST] [--cfg-options KEY=VALUE ...]

The next image is the one with the largest product of how unsure the network is (--by), divided by
the expected seconds of its labels (--cost), and how far its features are from those of all images
before it and of LIST (k-centre greedy). No label is opened. OUT has a line for each image of POOL,
the next first; OUT.png shows the first 20 with their predictions. OUT.scores.jsonl keeps what the
network said: stopped and started again, the tool goes on, and other options need no new pass.
"""
import argparse
import csv
import os.path as osp

from mmseg_wss.utils.cli import allow_stop, run_tool

if __name__ == '__main__':
    allow_stop()

import numpy as np

from mmseg_wss.engine.image_ranking import ImageScorer, score_images, unsureness
from mmseg_wss.engine.run_config import (
    add_cfg_options,
    add_trust_option,
    read_config,
    trust_checkpoints,
)
from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import read_image
from mmseg_wss.pseudo_labels.ranking import diverse_order, label_seconds
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.visualization import overlay_mask
from mmseg_wss.visualization.contact_sheet import save_contact_sheet

SHOWN = 20
COLUMNS = 'rank', 'image', 'score', 'entropy', 'disagreement', 'objects', 'seconds'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('checkpoint', help='checkpoint file, of a training or published')
    parser.add_argument('--ann-file', required=True, metavar='POOL',
                        help='list (or COCO json) of the images to choose from')
    parser.add_argument('--out', required=True, metavar='CSV', help='the file to write')
    parser.add_argument('--by', choices=['disagreement', 'entropy', 'nothing'],
                        help='how unsure the network is: disagreement of strong and weak branch, '
                        'entropy (default: the first that it has), or not at all')
    parser.add_argument('--cost', choices=['mask', 'box', 'none'], default='none',
                        help='divide by the expected seconds for masks or boxes of the objects '
                        'that are predicted (default: %(default)s)')
    parser.add_argument('--no-diversity', action='store_true',
                        help='do not look at what the images have in common')
    parser.add_argument('--labelled', metavar='LIST',
                        help='images that are labelled already: others like them come later')
    add_trust_option(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def rank(facts, labelled, by, cost, diverse):
    """Scores of images, and their order."""
    scores = unsureness(facts, by)
    objects = np.array([fact['objects'] for fact in facts])
    if cost != 'none':
        scores = scores / label_seconds(objects, cost)
    if not diverse:
        return scores, np.argsort(-scores, kind='stable').tolist()
    features = np.array([fact['features'] for fact in facts])
    return scores, diverse_order(features, scores, np.array(
        [fact['features'] for fact in labelled]) if labelled else None)


def write_table(args, names, facts, scores, order):
    with atomic_path(args.out) as path, open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for place, index in enumerate(order, 1):
            fact = facts[index]
            seconds = label_seconds(fact['objects'], 'box' if args.cost == 'box' else 'mask')
            divergence = '' if fact['divergence'] is None else f'{fact["divergence"]:.5f}'
            writer.writerow([place, names[index], f'{scores[index]:.5g}', f'{fact["entropy"]:.5f}',
                             divergence, fact['objects'], round(seconds)])


def draw(scorer, dataset, names, scores, order, path):
    pictures, texts = [], []
    for place, index in enumerate(order[:SHOWN], 1):
        image = read_image(dataset.get_data_info(index)['img_path'])[..., ::-1]
        labels = scorer.predict(dataset[index])[0].argmax(0)
        if labels.shape != image.shape[:2]:  # the pipeline resizes
            rows, columns = (np.arange(full) * small // full
                             for full, small in zip(image.shape, labels.shape))
            labels = labels[rows][:, columns]
        pictures.append(overlay_mask(
            np.ascontiguousarray(image), labels, dataset.metainfo['palette']))
        texts.append(f'{place}. {names[index]}  {scores[index]:.3g}')
    save_contact_sheet(path, pictures, texts)


def run(args):
    trust_checkpoints(args)
    scorer = ImageScorer(read_config(args), args.checkpoint)
    args.by = args.by or ('disagreement' if scorer.two_branches else 'entropy')
    dataset = scorer.dataset(args.ann_file)
    if not len(dataset):
        raise DataError(f'{args.ann_file}: no image is in it.')
    store = f'{args.out}.scores.jsonl'
    both = score_images(scorer, dataset, store)
    labelled = {}
    if args.labelled and not args.no_diversity:
        labelled = score_images(scorer, scorer.dataset(args.labelled), store)
    pool = [(index, path) for index, path in enumerate(both) if path not in labelled]
    facts = [both[path] for _, path in pool]
    folder = dataset.data_prefix['img_path']
    names = [osp.splitext(osp.relpath(path, folder))[0] for path in both]
    scores, order = rank(
        facts, list(labelled.values()), args.by, args.cost, not args.no_diversity)
    scores = dict(zip((index for index, _ in pool), scores))
    order = [pool[place][0] for place in order]
    write_table(args, names, list(both.values()), scores, order)
    draw(scorer, dataset, names, scores, order, f'{args.out}.png')
    print(f'{args.out}: {len(order)} images by {args.by}, the next to label first; {args.out}.png '
          f'shows the first {min(SHOWN, len(order))}.')


if __name__ == '__main__':
    run_tool(run, parse_args(), 'scores')
