"""Images that several entries of an export are about."""
from collections import Counter


def leave_out_guesses(labels, files):
    """Leave out images that are guessed for a name, where other entries say that they are not it.

    Another entry is about the image, too; or others were found with their folders.
    """
    number, guesses = Counter(image.path for image in labels.images), files.guesses
    wrong = {path for path in guesses if number[path] > 1 or number[path] and any(
        files.has_place(name) for name, _ in guesses[path])}
    labels.images = [image for image in labels.images if image.path not in wrong]
    labels.faults += [f'{source}: no image of this name: {name[:200]!r} (the folders of {path} '
                      'are others). Add the image, or remove it from the file.'
                      for path in sorted(wrong) for name, source in guesses[path]]
    kept = sorted(path for path in number if path in guesses and path not in wrong)
    if kept:
        labels.notes.append(f'{len(kept)} image(s) were found by the ends of their names alone, '
                            f'such as {kept[0]} for {guesses[kept[0]][0][0][:200]!r}')


def leave_out_doubles(labels):
    """Faults of images that have more than one entry; they are left out of `labels`."""
    number = Counter(image.path for image in labels.images)
    twice = sorted(path for path, count in number.items() if count > 1)
    labels.images = [image for image in labels.images if number[image.path] == 1]
    return [f'{path}: {number[path]} entries are about this image. Remove all but one.'
            for path in twice]
