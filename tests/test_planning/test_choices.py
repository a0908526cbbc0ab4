"""Made-up facts -> choices; nothing is read and nothing is trained."""
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mmseg_wss.planning.choices import make_plan
from mmseg_wss.planning.facts import DataFacts, Machine
from mmseg_wss.planning.networks import source_ratio
from mmseg_wss.planning.rare import rare_classes, small_classes
from mmseg_wss.planning.records import Source
from mmseg_wss.planning.rules import FIGURES
from mmseg_wss.planning.sizes import crop_of

ROOT = Path(__file__).parents[2]
CLASSES = 'background', 'cat', 'dog', 'bird'


def facts_of(images, **more):
    return DataFacts(images, CLASSES, val=50, class_images=dict(cat=40, dog=42, bird=38), **more)


def masks_of(network):
    return {source.kind: source.masks for source in network.sources}


@pytest.mark.parametrize('images, head, masks, teacher, judged, proposals', [
    (dict(pixel=60), 'single', dict(pixel=None), None, False, None),
    (dict(pixel=60, box=225), 'dual', dict(pixel=None, box='teacher'),
     ('single', dict(pixel=None)), True, 'grabcut+region'),
    (dict(pixel=60, scribble=30, point=20), 'dual',
     dict(pixel=None, scribble='teacher', point='teacher'), ('single', dict(pixel=None)), True,
     None),
    (dict(pixel=15, box=270), 'mixed', dict(pixel=None, box='proposals'), None, False,
     'grabcut+region'),
    (dict(pixel=24, point=9), 'dual', dict(pixel=None, point='teacher'),
     ('single', dict(pixel=None)), True, None),
    (dict(pixel=25, box=9), 'dual', dict(pixel=None, box='teacher'),
     ('single', dict(pixel=None)), True, 'grabcut+region'),
    (dict(pixel=60, image=500), 'dual', dict(pixel=None, image='teacher'),
     ('single', dict(pixel=None)), True, None),
    (dict(pixel=15, none=500), 'single', dict(pixel=None), None, False, None),
    (dict(pixel=60, none=500), 'dual', dict(pixel=None, none='ensemble'),
     ('single', dict(pixel=None)), False, None),
    (dict(pixel=9, image=500), 'dual', dict(pixel=None, image='teacher'),
     ('single', dict(pixel=None)), False, None),
    (dict(pixel=60, box=200, image=500, none=2000), 'dual',
     dict(pixel=None, box='teacher', image='teacher', none='ensemble'),
     ('single', dict(pixel=None)), True, 'grabcut+region'),
    (dict(pixel=15, box=200, image=500), 'mixed',
     dict(pixel=None, box='proposals', image='teacher'),
     ('mixed', dict(pixel=None, box='proposals')), True, 'grabcut+region'),
    (dict(pixel=12, box=200, none=2000), 'mixed',
     dict(pixel=None, box='proposals'), None, False, 'grabcut+region'),
    (dict(box=200, image=500, none=10), 'single', dict(box='proposals'), None, False, 'bbox_seg'),
    (dict(scribble=20, empty=3, none=10), 'single', dict(empty=None, scribble=None), None, False,
     None),
    (dict(point=20), 'single', dict(point=None), None, False, None),
    (dict(image=500, none=10), 'rrm', dict(image=None), None, False, None)])
def test_the_labels_decide_head_masks_and_teacher(
        images, head, masks, teacher, judged, proposals):
    plan = make_plan(facts_of(images), Machine())
    assert plan.network.head == head and masks_of(plan.network) == masks
    assert (plan.teacher and (plan.teacher.head, masks_of(plan.teacher))) == teacher
    assert (plan.judged, plan.proposals) == (judged, proposals)
    assert plan.left_out.keys() == images.keys() - masks.keys()
    assert all(f'{number} images' in ' '.join(plan.warnings) for number in plan.left_out.values())


@pytest.mark.parametrize('strong', [15, 60])
def test_proposals_take_what_is_installed(strong):
    plan = make_plan(facts_of(dict(pixel=strong, box=270)), Machine(installed=()))
    assert plan.proposals == 'grabcut'
    assert '[proposals]' in ' '.join(plan.warnings) and '[msrc]' in ' '.join(plan.warnings)


@pytest.mark.parametrize('numbers, expected', [
    ((60, ), (1, )),
    ((60, 225), (1, 1)),  # half of a batch, as measured
    ((60, 200, 500, 2000), (27, 2, 5, 20)),
    ((100, 20), (5, 1))])  # painted boxes come no more often than masks
def test_half_of_a_batch_is_strong(numbers, expected):
    assert source_ratio([Source('x', number) for number in numbers]) == expected


@pytest.mark.parametrize('boxes, unlabelled, expected', [
    (0, 2000, (1, 1)), (200, 100, (3, 2, 1)), (200, 2000, (2, 1, 1))])
def test_images_without_a_label_are_at_most_half_of_the_weak_ones(boxes, unlabelled, expected):
    sources = [Source('pixel', 60), *([Source('box', boxes)] if boxes else []),
               Source('none', unlabelled)]
    assert source_ratio(sources) == expected


def test_each_kind_has_an_image_in_a_batch():
    images = dict(pixel=60, box=9, scribble=9, point=9, image=2000, none=9)
    plan = make_plan(facts_of(images), Machine())
    assert plan.batch == 10 == 2 * (len(plan.network.sources) - 1)


@pytest.mark.parametrize('size, small, machine, scale, crop', [
    ((320, 213), 0.2, Machine(), 320, 224),  # MSRC: what was measured
    ((4000, 3000), 0.2, Machine(), 320, 224),
    ((4000, 3000), 0.05, Machine(), 384, 256),  # 277 x 0.05 = 13.9 pixels: 16 at 370
    ((4000, 3000), 0.01, Machine(), 480, 320),  # as far as a CPU goes
    ((400, 300), 0.01, Machine(), 416, 288),  # no photograph becomes much larger
    ((64, 48), 0.01, Machine(), 320, 224),
    ((4000, 3000), math.nan, Machine(), 320, 224),
    ((4000, 3000), 0.2, Machine('cuda', 24.), 640, 448),
    ((320, 213), 0.2, Machine('cuda', 24.), 320, 224),
    ((4000, 3000), 0.2, Machine('cuda', 8.), 480, 320),
    ((4000, 3000), 0.01, Machine('cuda', 80.), 1024, 704)])
def test_sizes_follow_images_objects_and_memory(size, small, machine, scale, crop):
    plan = make_plan(facts_of(dict(pixel=60), size=size, small_objects=small), machine)
    assert (plan.scale, plan.crop) == (scale, crop)


def test_a_rare_class_of_small_objects_counts_for_the_size():
    """sqrt(0.16 %) = 4 % of 277 pixels are 11: 16 at 464, and 480 is the next multiple of 32."""
    areas = dict(disc=0.08, scratch=0.0016)
    facts = facts_of(dict(pixel=60), size=(4000, 3000), small_objects=0.2, class_areas=areas)
    assert make_plan(facts, Machine()).scale == 480
    assert make_plan(replace(facts, class_areas=dict(disc=0.08)), Machine()).scale == 320
    reasons = [choice.reason for choice in make_plan(facts, Machine()).choices]
    assert 'half of the objects of scratch would be seen with less than 12 pixels at 320' in reasons


@pytest.mark.parametrize('memory', [6, 8, 11, 16, 24, 40, 80])
def test_what_a_gpu_shall_hold_fits(memory):
    """An image of 512 x 512 takes 2 GB."""
    for small in 0.01, 0.2:
        plan = make_plan(facts_of(dict(pixel=60), size=(4000, 3000), small_objects=small),
                         Machine('cuda', memory))
        assert plan.backbone == 'r50' and 8 <= plan.batch <= 16
        assert plan.batch * (plan.crop / 512) ** 2 * 2 <= memory or plan.scale == 320


def test_a_small_gpu_and_a_cpu_train_the_small_network():
    for machine in Machine(), Machine('cuda', 4.):
        assert make_plan(facts_of(dict(pixel=60)), machine).backbone == 'efflite0'


def test_a_crop_has_the_share_that_was_measured():
    assert crop_of(320) == 224 and crop_of(640) == 448
    assert all(crop_of(scale) % 32 == 0 for scale in range(320, 1025, 32))


def test_rare_and_small_classes_turn_their_options_on():
    usual = facts_of(dict(pixel=100))
    assert not rare_classes(usual) and not small_classes(usual)
    plan = make_plan(usual, Machine())
    assert (plan.object_prob, plan.repeat_threshold, plan.dice) == (None, None, False)

    rare = replace(usual, class_images=dict(cat=40, dog=42, bird=4))
    assert rare_classes(rare) == dict(bird=4)
    plan = make_plan(rare, Machine())
    assert (plan.object_prob, plan.repeat_threshold, plan.dice) == (0.33, 0.3, True)
    assert 'bird is in 4 of 100 labelled images' in ' '.join(c.reason for c in plan.choices)

    small = replace(usual, class_areas=dict(cat=0.2, dog=0.1, bird=0.004))
    plan = make_plan(small, Machine())
    assert (plan.object_prob, plan.repeat_threshold, plan.dice) == (0.33, None, True)
    assert 'bird covers 0.40% of an image' in ' '.join(c.reason for c in plan.choices)


def test_a_class_of_one_image_is_rare_among_few():
    facts = DataFacts(dict(pixel=15), CLASSES, class_images=dict(cat=9, dog=8, bird=1))
    assert rare_classes(facts) == dict(bird=1)


def test_a_size_that_is_not_enough_says_why():
    """2 pixels at 320 want 2560; a CPU ends at 480, where they are 3."""
    facts = facts_of(dict(pixel=60), size=(4000, 3000), small_objects=2 / 277)
    reason = next(choice.reason for choice in make_plan(facts, Machine()).choices
                  if choice.what == 'size')
    assert reason.endswith('at 320; cpu does no more')


@pytest.mark.parametrize('images, start', [
    (dict(pixel=60, image=50), 'started'), (dict(pixel=60, scribble=50), 'started'),
    (dict(pixel=60, box=50), 'box_masks'), (dict(pixel=60, box=50, image=9), 'box_masks'),
    (dict(pixel=60, none=50), 'ensemble'), (dict(pixel=60, scribble=9, none=50), 'ensemble'),
    (dict(pixel=20, box=50, image=9), 'started')])  # its teacher has seen the boxes, too
def test_what_a_network_starts_from_rests_on_its_masks(images, start):
    plan = make_plan(facts_of(images), Machine())
    choice = next(choice for choice in plan.choices if choice.what == 'start')
    assert choice.figure == start
    assert plan.network.starts_from_teacher == (start != 'started')


def test_the_time_names_the_trainings_of_a_judge():
    def time_of(images):
        return next(choice.reason for choice in make_plan(facts_of(images), Machine()).choices
                    if choice.what == 'time')
    assert time_of(dict(pixel=60, none=50)).startswith('4 trainings, on one core')
    assert time_of(dict(pixel=60, image=50)).startswith('4 trainings, two of them for the judge')
    assert time_of(dict(pixel=60, image=50, none=9)).startswith('6 trainings, two of them for')


def test_the_ratio_speaks_of_unlabelled_images_where_they_are_held_back():
    def reason_of(images):
        return next(choice.reason for choice in make_plan(facts_of(images), Machine()).choices
                    if choice.what == 'images in a batch')
    assert 'no more than all other weak ones' in reason_of(dict(pixel=60, image=50, none=200))
    assert 'no more' not in reason_of(dict(pixel=60, none=200)) + reason_of(dict(pixel=60, box=9))


def test_a_class_that_no_mask_has_is_said():
    facts = facts_of(dict(pixel=60, image=50), class_areas=dict(cat=0.2, dog=0.1))
    assert any('No mask for training has the class bird' in warning
               for warning in make_plan(facts, Machine()).warnings)


def test_among_many_classes_none_is_rare_for_being_one_of_many():
    numbers = {f'class {number}': 20 for number in range(40)}
    facts = DataFacts(dict(pixel=800), ('background', *numbers), class_images=numbers)
    assert not rare_classes(facts)
    assert rare_classes(replace(facts, class_images={**numbers, 'class 3': 5})) == {'class 3': 5}


def test_doubts_are_said():
    plan = make_plan(DataFacts(
        dict(pixel=8, box=20), CLASSES, val=2, class_images=dict(cat=20, dog=8)), Machine())
    said = ' '.join(plan.warnings)
    assert '8 masks for training are very few' in said
    assert '2 images for the validation are few' in said and 'the class bird' in said
    plan = make_plan(DataFacts(dict(box=20), CLASSES), Machine())
    assert 'no masks to validate with' in ' '.join(plan.warnings)


def test_reasons_rest_on_sections_that_exist():
    """FIGURES names pages and headings; each choice names a figure or none."""
    for figure, place in FIGURES.values():
        assert figure
        page, _, heading = place.partition(', ')
        if page.startswith('docs/'):
            text = (ROOT / page).read_text('utf-8')
            assert not heading or f'# {heading[1:-1]}\n' in text, place
    plan = make_plan(facts_of(dict(pixel=12, box=20, point=3, image=9)), Machine())
    assert all(choice.figure in {*FIGURES, ''} and choice.reason for choice in plan.choices)


def test_the_time_is_that_of_all_trainings():
    """1500 steps of 1.5 to 2 s are 38 to 50 minutes; a teacher with its judge are three more."""
    times = {number: next(choice.chosen for choice in make_plan(facts_of(images), Machine()).choices
                          if choice.what == 'time')
             for number, images in ((1, dict(pixel=60)), (4, dict(pixel=60, image=100)))}
    assert times == {1: '38 to 50 minutes', 4: '2.5 to 3.3 hours'}
    assert all(re.search(r'\d', text) for text in times.values())
