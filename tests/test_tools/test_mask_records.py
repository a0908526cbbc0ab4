import json
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

from mmseg_wss.labels.formats.mask_file import read_record

TOOL = Path(__file__).parents[2] / 'tools/dataset_converters/mask_records.py'


def test_the_method_of_predictions_is_named_once(tmp_path, monkeypatch, capsys):
    Image.new('P', (4, 3)).save(tmp_path / 'x.png')
    (tmp_path / 'manifest.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in (
        {'recipe': 'n', 'is': {'tool': 'generate_pseudo_masks'}},
        dict(name='x', recipe='n', inputs='9a', revision=1))))
    monkeypatch.setattr(sys, 'argv', [str(TOOL), str(tmp_path), '--made-by', 'ann_net'])
    for code, words in ((0, '1 masks got their record'), (1, 'no manifest')):
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(TOOL), run_name='__main__')
        said = str(stop.value.code) + capsys.readouterr().out
        assert words in said and (stop.value.code == 0) == (code == 0)
    assert read_record(tmp_path / 'x.png') == dict(
        recipe=dict(tool='generate_pseudo_masks', method='ann_net'), inputs='9a')
