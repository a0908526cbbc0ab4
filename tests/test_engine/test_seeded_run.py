import argparse

import pytest

from mmseg_wss.engine.seeded_run import SeededRun, parse_run


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text("train_cfg = dict(max_iters=20)\nrandomness = dict(seed=0)\nlr = 1.\n"
                    "sizes = (1, 2)\nload_from = None\n")
    return str(path)


def test_one_digest_means_the_same_training(config, tmp_path):
    run = SeededRun(config)
    again = tmp_path / 'other' / 'name.py'
    again.parent.mkdir()
    again.write_text(f"_base_ = [{config!r}]\nwork_dir = 'elsewhere'\n")
    same = [SeededRun(config, seed=0), SeededRun(config, ('lr=1.', )), SeededRun(str(again)),
            SeededRun(config, common_options=('sizes=(1,2)', 'resume=False'))]
    assert {one.digest for one in same} == {run.digest}
    others = [SeededRun(config, seed=1), SeededRun(config, ('lr=2.', )),
              SeededRun(config, ('train_cfg.max_iters=30', )), SeededRun(config, ('load_from=a', ))]
    assert len({run.digest, *(one.digest for one in others)}) == 5
    assert [one.steps for one in others] == [20, 20, 30, 20]


def test_the_seed_is_the_last_option_and_in_the_folder_alone(config):
    run = SeededRun(config, ("a.b='[2, 1]'", ), ('a.c=1', ), seed=3)
    assert run.options == ['a.c=1', "a.b='[2, 1]'", 'randomness.seed=3']
    assert run.folder == f'{run.name}_seed3'
    assert run.describe()['seed'] == 3
    assert (SeededRun(config).folder, SeededRun(config).describe()['seed']) == ('tiny', 0)


def test_the_text_of_a_run_is_quoted_as_in_a_shell(config):
    assert parse_run(f"{config} a=1 b='[2, 1]'") == (config, ('a=1', 'b=[2, 1]'))
    for text, said in ((f'{config} n', 'n: an option of a run is'), ('none.py', 'no such config')):
        with pytest.raises(argparse.ArgumentTypeError, match=said):
            parse_run(text)
