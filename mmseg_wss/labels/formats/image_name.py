"""The file of an image by its ID."""
# in any case, as OpenCV decodes them
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.dib', '.tif', '.tiff',
                  '.webp', '.jp2', '.ppm', '.pgm', '.pnm')


def find_image(path, suffix, index):
    """Find the file of an image.

    Args:
        path (str): folder and ID.
        suffix (str, optional): what files end in; None for any of `IMAGE_SUFFIXES`.
        index (FolderIndex): of the folders.

    Returns:
        tuple: its path, with .jpg where there is no file; and the faults, list of str: there are
        several files.
    """
    if suffix is not None:
        return index.path(path + suffix), []
    found = index.with_suffix(path, IMAGE_SUFFIXES)
    if len(found) < 2:
        return (found or [f'{path}.jpg'])[0], []
    return found[0], [f'{path}: there are {len(found)} files of this image, {" and ".join(found)}. '
                      'Rename or remove all but one, or set img_suffix in the data set if all its '
                      'images end alike.']
