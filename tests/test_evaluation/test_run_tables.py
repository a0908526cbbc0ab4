from mmseg_wss.evaluation.run_tables import class_table, mean_and_spread, passage_text, run_table


def result(curve, classes=(), **more):
    return dict(curve={step: dict(mIoU=value, mAcc=value + 5) for step, value in curve.items()},
                classes=dict(classes), **more)


def cells(table):
    return [dict(zip(table.field_names, row)) for row in table.rows]


def test_the_spread_is_the_sample_standard_deviation():
    # deviations -2, 0, 2: sqrt((4 + 0 + 4) / (3 - 1)) = 2
    assert mean_and_spread([68., 70., 72.]) == '70.00 ± 2.00'
    assert mean_and_spread([-1., -3.], '+.1f') == '-2.0 ± 1.4'
    assert mean_and_spread([70.126]) == '70.13'
    assert mean_and_spread([70., None]) == mean_and_spread([]) == '-'


def test_the_passage_says_how_many_seeds_reach_the_value():
    assert passage_text([100, 200]) == '150'
    assert passage_text([100, None, 200]) == '150 (2 of 3)'
    assert passage_text([None]) == '-'


def test_a_row_has_mean_spread_and_range_of_the_seeds():
    runs = dict(
        two=[result({10: 50., 20: 60.}, seconds=60., memory_mb=100),
             result({10: 64., 20: 62.}, seconds=120., memory_mb=300)],
        one=[result({10: 40.}, finished=False)])
    two, one = cells(run_table(runs, 'mIoU', [50, 62]))
    assert two == {
        'training': 'two', 'steps': '20', 'mIoU (last)': '61.00 ± 1.41',
        'mIoU (best)': '62.00 ± 2.83', 'at step': '15', 'mAcc (last)': '66.00 ± 1.41',
        'gain of last third': '+4.00 ± 8.49', 'seeds': 2, 'range': '60.00 .. 62.00',
        'step of 50': '10', 'step of 62': '10 (1 of 2)', 'minutes': '1.5 ± 0.7',
        'MB': '200 ± 141'}
    assert (one['steps'], one['seeds'], one['step of 50']) == ('10 (unfinished)', 1, '-')
    assert 'seeds' not in run_table(dict(one=runs['one']), 'mIoU').field_names
    assert run_table({}, 'mIoU').rows == []


def test_the_classes_have_the_mean_of_the_seeds_that_know_them():
    runs = dict(a=[result({1: 1.}, dict(cat=1., dog=4.)), result({1: 1.}, dict(cat=2.))],
                b=[result({1: 1.}, dict(cow=7.))])
    assert cells(class_table(runs)) == [
        dict(training='a', cat='1.50', dog='4.00', cow='-'),
        dict(training='b', cat='-', dog='-', cow='7.00')]
    assert class_table(dict(a=[result({1: 1.})])) is None
