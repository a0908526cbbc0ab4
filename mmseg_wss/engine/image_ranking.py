"""What a network says about images without labels, image by image; a killed run goes on."""
import json
import os.path as osp
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from mmseg_wss.engine.trained_network import prepare_network
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.models.converters.publish_strong import weights_of
from mmseg_wss.models.decode_heads import TwoBranchHead
from mmseg_wss.pseudo_labels.ranking import count_objects, mean_divergence, mean_entropy
from mmseg_wss.registry import DATASETS, MODELS
from mmseg_wss.utils.fileio import file_sha256, name_disk_faults
from mmseg_wss.utils.progress import track


class ImageScorer:
    """A trained network that scores images; no label is opened.

    Args:
        cfg (Config): of the network; its test_dataloader says how images are loaded.
        checkpoint (str): the network's file, of a training or published.

    Raises:
        ConfigError: the config has no test_dataloader with a data set of this package; or see
            `prepare_network`.
        DataError: the checkpoint is not of this config, or not one at all.
    """

    def __init__(self, cfg, checkpoint):
        self.dataset_cfg = cfg.get('test_dataloader', {}).get('dataset')
        if not self.dataset_cfg or 'WeakSegDataset' not in self.dataset_cfg.get('type', ''):
            raise ConfigError(f'{cfg.filename}: images are loaded as test_dataloader says, but it '
                              'has no VOCWeakSegDataset or COCOWeakSegDataset.')
        prepare_network(cfg, checkpoint)  # a published one has no weak branch
        self.model = MODELS.build(cfg.model)
        wanted = {key: value for key, value in self.model.state_dict().items()
                  if not key.endswith('mix_carry')}
        weights, _ = weights_of(checkpoint, wanted, cfg.filename)
        self.model.load_state_dict(weights, strict=False)
        self.model.to('cuda' if torch.cuda.is_available() else 'cpu').eval()
        head = self.model.decode_head
        self.two_branches = isinstance(head, TwoBranchHead) and head.weak_branch is not None
        self.key = f'{file_sha256(checkpoint)} {cfg.model}'

    def dataset(self, ann_file):
        """The images of a list, as unlabelled ones."""
        return DATASETS.build(dict(
            self.dataset_cfg, ann_file=osp.abspath(ann_file), supervision='none', test_mode=True))

    def predict(self, sample):
        """Probabilities of the strong and of the weak branch, and pooled features of the backbone.

        Args:
            sample (dict): an element of the data set.

        Returns:
            tuple: (K, H, W); the same, or None without a weak branch; (D,): the mean of the last
            feature map. float64 arrays.
        """
        with torch.no_grad():
            data = self.model.data_preprocessor(pseudo_collate([sample]))
            features = self.model.extract_feat(data['inputs'])
            strong = self._probabilities(features, data, 'strong')
            weak = self._probabilities(features, data, 'weak') if self.two_branches else None
        return strong, weak, features[-1][0].double().mean((1, 2)).cpu().numpy()

    def _probabilities(self, features, data, branch):
        head, metas = self.model.decode_head, [data['data_samples'][0].metainfo]
        if self.two_branches:
            before, head.predict_branch = head.predict_branch, branch
        logits = head.predict(features, metas, self.model.test_cfg)
        if self.two_branches:
            head.predict_branch = before
        height, width = metas[0]['img_shape'][:2]
        return logits[0, :, :height, :width].double().softmax(0).cpu().numpy()

    def facts(self, sample):
        """What is kept of an image.

        Returns:
            dict: entropy; divergence, None without a weak branch; number of objects; features.
        """
        strong, weak, features = self.predict(sample)
        return dict(
            entropy=mean_entropy(strong),
            divergence=None if weak is None else mean_divergence(strong, weak),
            objects=count_objects(strong.argmax(0)), features=features.round(5).tolist())


def score_images(scorer, dataset, store):
    """Score the images of a data set that are not in a file yet, and add them to it.

    The file has a line of JSON for each image behind a first one that says which network scored. A
    file of another network is begun anew; half a line at its end, which a killed run leaves, is
    removed.

    Args:
        scorer (ImageScorer): the network.
        dataset: see `ImageScorer.dataset`.
        store (str | Path): the file.

    Returns:
        dict[str, dict]: path of an image -> `ImageScorer.facts`, in the order of the data set.

    Raises:
        DataError: a line of the file is damaged, or an image is.
        OSError: the file cannot be written.
    """
    store = Path(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    known, size = _read_store(store, scorer.key)
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    todo = [index for index, path in enumerate(paths) if path not in known]
    with name_disk_faults(store), open(store, 'ab') as file:
        file.truncate(size)
        if not size:
            file.write(_line(network=scorer.key))
        for index in track(todo, 'Scoring', len(todo)):
            known[paths[index]] = scorer.facts(dataset[index])
            file.write(_line(image=paths[index], **known[paths[index]]))
            file.flush()
    return {path: known[path] for path in paths}


def _line(**entry):
    return json.dumps(entry).encode() + b'\n'


def _read_store(store, key):
    """What a file holds of this network: path of an image -> facts, and the bytes of it."""
    lines = store.read_bytes().split(b'\n')[:-1] if store.is_file() else []
    if not lines or lines[0] + b'\n' != _line(network=key):
        return {}, 0
    known = {}
    for number, line in enumerate(lines[1:], 2):
        try:
            entry = json.loads(line)
            known[entry.pop('image')] = entry
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f'{store}: line {number} is no score of an image ({error!r}). Delete '
                            'the file; the images are then scored again.') from error
    return known, sum(len(line) + 1 for line in lines)


def unsureness(facts, by):
    """A number for each image: its divergence, its entropy, or 1.

    Args:
        facts (Sequence[dict]): see `ImageScorer.facts`.
        by (str): 'disagreement', 'entropy' or 'nothing'.

    Raises:
        ConfigError: disagreement of a network without a weak branch.
    """
    if by == 'nothing':
        return np.ones(len(facts))
    values = [fact['divergence' if by == 'disagreement' else 'entropy'] for fact in facts]
    if None in values:
        raise ConfigError('--by disagreement is that of the strong and the weak branch, but this '
                          'network has no weak branch: use --by entropy.')
    return np.array(values)
