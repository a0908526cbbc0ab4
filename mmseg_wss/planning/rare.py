"""Small and rare objects."""
from statistics import median

from mmseg_wss.planning.records import Choice
from mmseg_wss.planning.rules import OBJECT_PROB, RARE, REPEAT_THRESHOLD, SMALL


def rare_classes(facts):
    """Class -> its labelled images for training, of those that few have.

    Few of all (among few images, one), and fewer than half of what the classes have in the middle:
    where there are many classes, each is in few images.
    """
    numbers = [number for number in facts.class_images.values() if number]
    limit = min(max(RARE * facts.labelled, 2), median(numbers) / 2 if numbers else 0)
    return {name: number for name, number in facts.class_images.items() if 0 < number < limit}


def small_classes(facts):
    """Class -> the share of an image that it covers, of those that are small in true masks."""
    return {name: share for name, share in facts.class_areas.items() if share < SMALL}


def choose_for_rare(facts):
    """`Choice`s, and the options (object_prob, repeat_threshold, dice)."""
    small, rare = small_classes(facts), rare_classes(facts)
    if not small and not rare:
        return [Choice(
            'small and rare objects', 'nothing special', 'no class is far rarer than the others, '
            f'nor covers less than {SMALL:.0%} of an image', '')], (None, None, False)
    said = [f'{name} is in {number} of {facts.labelled} labelled images'
            for name, number in rare.items()]
    said += [f'{name} covers {share:.2%} of an image' for name, share in small.items()]
    reason = '; '.join(said[:4]) + (f'; and {len(said) - 4} more' if said[4:] else '')
    choices = [
        Choice('crops', f'{OBJECT_PROB:.0%} of them hold an object (object_prob)', reason, 'rare'),
        Choice('loss', 'cross entropy and Dice', 'each class of a batch counts as much as any '
               'other', 'rare')]
    if rare:
        choices.insert(1, Choice('images', f'with rare classes come more often (repeat_threshold='
                                 f'{REPEAT_THRESHOLD})', '; '.join(said[:len(rare)][:4]), 'rare'))
    return choices, (OBJECT_PROB, REPEAT_THRESHOLD if rare else None, True)
