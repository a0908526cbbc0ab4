import runpy
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / 'benchmarks/benchmark_coco_semantic.py'


def test_the_tool_is_found_and_makes_the_masks(tmp_path):
    benchmark = runpy.run_path(str(BENCHMARK))
    benchmark['make_up_file'](tmp_path / 'a.json', 3, 2, (16, 12))
    run = benchmark['measure']([sys.executable, str(benchmark['TOOL']), str(tmp_path / 'a.json'),
                                '--out', str(tmp_path / 'out'), '--workers', '1'])
    assert run.rate > 0 and len(list((tmp_path / 'out').glob('*.png'))) == 3
