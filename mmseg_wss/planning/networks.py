"""Which networks are trained, with which labels and masks."""
import math
from functools import reduce

from mmseg_wss.planning.records import DRAWN, HEADS, TAUGHT, WORDS, Choice, NetworkPlan, Source
from mmseg_wss.planning.rules import ENSEMBLE_TAU, FEW_MASKS, MORE_TEACHERS


def choose_networks(facts, machine):
    """The network, its teacher (or None), the method of proposals (or None), and `Choice`s."""
    images = facts.images
    if not facts.strong:
        return _without_masks(images, [kind for kind in DRAWN if kind in images])
    boxed = 'box' in images
    proposed = boxed and facts.strong < FEW_MASKS  # a teacher of so few masks would know too little
    taught = [kind for kind in TAUGHT if kind in images and not (proposed and kind == 'box')]
    averaged = 'none' in images and facts.strong >= FEW_MASKS
    if not proposed and not taught and not averaged:
        network = _network('single', [Source('pixel', facts.strong)])
        return network, None, None, [Choice(
            'network', HEADS['single'], f'{facts.strong} masks and no other label', 'single')]
    head, proposals = 'mixed' if proposed else 'dual', None
    if boxed:
        proposals = 'grabcut+region' if 'higra' in machine.installed else 'grabcut'
    own = [Source('pixel', facts.strong)]
    if proposed:
        own.append(Source('box', images['box'], 'proposals'))
    made = [Source(kind, images[kind], 'teacher') for kind in taught]
    if averaged:
        made.append(Source('none', images['none'], 'ensemble'))
    network = _network(head, [*own, *made])
    teacher = _network(head if proposed else 'single', own) if made else None
    choices = [_head_choice(network), *_mask_choices(network, proposals)]
    if teacher:
        seen = ' and '.join([WORDS[source.kind] for source in own])
        choices.append(Choice(
            'teacher', f'a network of the {seen}', 'nothing else says where an object ends: this '
            'network makes the masks of the other images', 'teacher' if taught else 'ensemble'))
        choices.append(_start_choice(network))
    choices.append(_ratio_choice(network))
    return network, teacher, proposals, choices


def _without_masks(images, drawn):
    kind = (drawn or ['image'])[0]
    sources = [Source(kind, images[kind], 'proposals' if kind == 'box' else None)]
    if 'empty' in images and kind != 'image':
        sources.insert(0, Source('empty', images['empty']))
    head = 'rrm' if kind == 'image' else 'single'
    network = NetworkPlan(head, tuple(sources), tuple(source.number for source in sources))
    choices = [Choice('network', f'{HEADS[head]}, from {WORDS[kind]}',
                      f'no image has a mask, and {WORDS[kind]} are the richest labels', kind)]
    if kind == 'box':
        choices.append(Choice('masks of boxes', 'Bbox-Seg: a dense CRF in each box',
                              'tighter than painted boxes', 'box'))
    return network, None, 'bbox_seg' if kind == 'box' else None, choices


def _network(head, sources):
    return NetworkPlan(head, tuple(sources), source_ratio(sources))


def source_ratio(sources):
    """Half of a batch strong, the weak half by numbers; no weak image comes more often than strong.

    Images without a label, of which there may be thousands, count no more than all other weak ones.

    Args:
        sources (Sequence[Source]): the strong one first.

    Returns:
        tuple[int]
    """
    strong, *others = sources
    if not others:
        return (1, )
    labelled = sum(source.number for source in others if source.kind != 'none')
    weak = [min(source.number, labelled) if labelled and source.kind == 'none' else source.number
            for source in others]
    ratio = max(strong.number, sum(weak)), *weak
    divisor = reduce(math.gcd, ratio)
    return tuple(number // divisor for number in ratio)


def _head_choice(network):
    strong, *others = network.sources
    weak = ', '.join(f'{source.number} with {WORDS[source.kind]}' for source in others)
    if network.head == 'mixed':
        return Choice('network', HEADS['mixed'], f'{strong.number} masks, fewer than {FEW_MASKS}, '
                      f'teach a branch of their own too little; beside them are {weak}', 'mixed')
    return Choice('network', HEADS['dual'], f'{strong.number} masks are true, what is known of '
                  f'other images ({weak}) is not: a branch for each', 'dual')


def _mask_choices(network, proposals):
    kinds = {source.kind: source.masks for source in network.sources}
    if kinds.get('box') == 'teacher':
        yield Choice('masks of boxes', 'those of the teacher, and where it is not sure proposals: '
                     f'{proposals}', 'a painted box calls what is around an object by its name',
                     'box_masks')
    if kinds.get('box') == 'proposals':
        yield Choice('masks of boxes', f'proposals: {proposals}',
                     'the strong branch sees some of them, so they have to be good', 'proposals')
    if 'none' in kinds:
        yield Choice('masks of images without a label', 'where the mean of '
                     f'{1 + len(MORE_TEACHERS)} teachers of other seeds is sure by '
                     f'{ENSEMBLE_TAU:g}', 'one network has nothing to learn from what it says '
                     'itself; several agree more often on what is right than on what is wrong',
                     'ensemble')


def _start_choice(network):
    if network.starts_from_teacher:
        return Choice('start', "the teacher's weights", 'masks of boxes, and those of several '
                      'networks, say what the teacher does not know: its training goes on with '
                      'them', 'box_masks' if network.kinds_with('teacher')[:1] == ['box']
                      else 'ensemble')
    return Choice('start', "ImageNet's weights, not the teacher's", 'with tags these end higher; '
                  'with other labels it was not compared', 'started')


def _ratio_choice(network):
    shares = ' : '.join(map(str, network.ratio))
    names = ', '.join(WORDS[source.kind] for source in network.sources)
    reason = ('half of a batch has masks, more where most images have some; the others by their '
              'numbers, with an image of each kind at least')
    if network.kinds_with('ensemble') and len(network.sources) > 2:
        reason += ', and without a label no more than all other weak ones'
    return Choice('images in a batch', f'{names} as {shares}', reason,
                  'ratio' if network.head == 'dual' else '')


def judge_choice(facts, judged):
    if judged:
        return Choice("the teacher's masks", 'gated by the own labels of each image; what is kept, '
                      'the judge chooses', f'{facts.strong} strong images can say which masks are '
                      'worth most', 'judge')
    return Choice("the teacher's masks", 'gated by the own labels of each image, where the teacher '
                  'is sure by 0.7', f'{facts.strong} strong images are too few to judge', 'judge')
