"""It knows what it was told of. On an old torch test_checkpoint_file.py reads by it, too."""
import io
import os
import pickle
from collections import OrderedDict

import pytest

from mmseg_wss.utils.data_unpickler import DataUnpickler


class Named:
    """A type that the reader knows."""


class Other:
    """A type that it does not know."""


class Reader(DataUnpickler):
    allowed = {f'{__name__}.Named': Named, 'collections.OrderedDict': OrderedDict}


def read(content):
    return Reader(io.BytesIO(content)).load()


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_values_and_known_types_are_read(protocol):
    named = Named()
    named.x = OrderedDict(a=[1, 2.5, 'x', None, True])
    found = read(pickle.dumps(dict(n=named), protocol))
    assert type(found['n']) is Named and found['n'].x == named.x


class Call:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
@pytest.mark.parametrize('make, name', [
    (lambda mark: Call(os.mkdir, mark), r'(posix|nt)\.mkdir'),
    (lambda mark: Call(eval, f'__import__("os").mkdir({mark!r})'), r'builtins\.eval'),
    (lambda mark: [Named(), Other()], r'\w+\.Other')])
def test_whatever_else_is_named_is_not_found(tmp_path, protocol, make, name):
    with pytest.raises(pickle.UnpicklingError, match=f'GLOBAL {name}'):
        read(pickle.dumps(make(str(tmp_path / 'mark')), protocol))
    assert not (tmp_path / 'mark').exists()


def test_the_state_of_other_things_stays():
    """A class or a function that is found keeps its attributes, whatever the file sets."""
    name = f'{__name__}\nNamed'.encode()
    with pytest.raises(pickle.UnpicklingError, match='GLOBAL builtins.type'):
        read(b'\x80\x02c' + name + b'\nN}X\x01\x00\x00\x00yK\x01s\x86b.')
    assert not hasattr(Named, 'y')


def test_names_have_no_dots_inside():
    """Protocol 4 looks up attributes of what it finds: of nothing here."""
    name, attribute = __name__.encode(), b'Named.__init__'
    with pytest.raises(pickle.UnpicklingError, match=r'GLOBAL .*Named\.__init__'):
        read(b'\x80\x04\x8c' + bytes([len(name)]) + name
             + b'\x8c' + bytes([len(attribute)]) + attribute + b'\x93.')
