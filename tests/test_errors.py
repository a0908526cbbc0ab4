import pytest
from torch.utils.data import DataLoader

from mmseg_wss.errors import DataError, message_of

WORDS = 'a.jpg: the image is empty.\nRemove it from the list.'


class Broken:
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise DataError(WORDS)


@pytest.mark.parametrize('workers', [0, 1])
def test_message_without_the_traceback_of_a_worker(workers):
    with pytest.raises(DataError) as error:
        list(DataLoader(Broken(), num_workers=workers))
    assert message_of(error.value) == WORDS
