"""Damage small files of every format in seeded ways, and see what their readers say.

    python tests/fuzz/fuzz_readers.py [--files 10000] [--seed 0] [--reader NAME ...] [--keep DIR]

A reader may take a damaged file, if what it returns is what such a file can legally say, or refuse
it by its documented error, with the name of the file and a remedy. Anything else is a fault:

error      another exception, which a user would see as a traceback
no name    the message lacks the name of the file
no remedy  the message does not say what to do
silent     other content than the file had where a checksum tells, or content that is not legal
hang       longer than 10 s
crash      the process died

Readers run in a child process, with at most 4 GiB more memory than it begins with. The same number
of files, seed and reader give the same files. A table counts what came out; the exit code is 1 if
there is a fault, and --keep writes the files with one into a folder.
"""
import argparse
import multiprocessing
import os
import random
import re
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import import_readers
import readers
from damage import damaged
from prettytable import PrettyTable
from readers import FOREIGN, plain

READERS = {**readers.READERS, **import_readers.READERS}
PATIENCE = 10  # seconds for a file
MEMORY = 4 << 30  # bytes
SAME, OTHER, REFUSED = 'same', 'other', 'refused'
FAULTS = 'error', 'no name', 'no remedy', 'silent', 'hang', 'crash'
REMEDY = re.compile(r'\b(add|build|choose|complete|convert|copy|correct|cut|delete|export|fetch|'
                    r'get|give|load|make|map|move|multiply|name|remove|rename|replace|run|save|set|'
                    r'take|unpack|use|write)\b', re.IGNORECASE)


class Case:
    """What a reader is given: the file number `number` of a seed."""

    def __init__(self, name, reader, foreign, seed, number):
        self.content, self.sample, self.damage = damaged(
            reader.samples, foreign, random.Random(f'{name} {seed} {number}'))


def judge(reader, case, valid):
    """Read a damaged file.

    Args:
        reader (Reader): see `readers`.
        case (Case): the file.
        valid (list[str]): what `plain` gives for the content of each sample; None: it is refused.

    Returns:
        tuple: outcome, one of the names above, and what was seen, str.
    """
    here = os.getcwd()
    with TemporaryDirectory() as folder:
        path = Path(folder, reader.name)
        path.write_bytes(case.content)
        os.chdir(folder)
        try:
            content = reader.read(str(path))
            if not reader.legal(content):
                return 'silent', f'not legal: {content!r:.300}'
        except reader.errors as error:
            return judge_message(str(error), reader)
        except Exception as error:
            return 'error', ''.join(traceback.format_exception(error)[-3:])
        finally:
            os.chdir(here)
    if plain(content) in (valid if case.sample is None else [valid[case.sample]]):
        return SAME, ''
    if case.sample in reader.exact:
        return 'silent', f'other content: {content!r:.300}'
    return OTHER, ''


def judge_message(text, reader):
    """Whether an error names the file and the remedy; each sentence of a list has to."""
    if reader.name not in text:
        return 'no name', text
    rest = text.partition(reader.name)[2]
    return (REFUSED, '') if REMEDY.search(rest) else ('no remedy', text)


def read_valid(reader):
    """The content of each sample as `plain` gives it; None for those that are meant to be refused.

    Raises:
        RuntimeError: the first is refused, or one that a checksum protects.
    """
    valid = []
    for number, sample in enumerate(reader.samples):
        with TemporaryDirectory() as folder:
            path = Path(folder, reader.name)
            path.write_bytes(sample)
            try:
                valid.append(plain(reader.read(str(path))))
            except reader.errors as error:
                valid.append(None)
                if number in (0, *reader.exact):
                    raise RuntimeError(f'the valid file {number} is refused: {error}') from error
    return valid


def serve(connection, name, reader, foreign, valid, seed, numbers):
    """Judge files, in a child process: the outcome of each goes through the connection."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # libpng and libtiff write to it
    warnings.simplefilter('ignore')
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, ) * 2)
    for number in numbers:
        connection.send(judge(reader, Case(name, reader, foreign, seed, number), valid))
    connection.close()


def outcomes(name, reader, foreign, seed, files):
    """Yield (outcome, what was seen) of each file; a child that hangs or dies is replaced."""
    context, first = multiprocessing.get_context('fork'), 0  # nothing is imported again
    valid = read_valid(reader)
    while first < files:
        connection, other_end = context.Pipe()
        child = context.Process(target=serve, args=(
            other_end, name, reader, foreign, valid, seed, range(first, files)))
        child.start()
        other_end.close()
        try:
            while first < files:
                outcome = connection.recv() if connection.poll(PATIENCE) else (
                    'hang', f'longer than {PATIENCE} s')
                first += 1
                yield outcome
                if outcome[0] == 'hang':
                    break
        except EOFError:
            child.join()
            first += 1
            yield 'crash', f'exit code {child.exitcode}'
        finally:
            child.kill()
            child.join()
            connection.close()


def fuzz(names, files, seed, keep=None):
    """Damage files and print a table.

    Args:
        names (Sequence[str]): of `READERS`.
        files (int): in all.
        seed (int): decides how files are damaged.
        keep (Path, optional): folder for the files with a fault.

    Returns:
        int: number of faults.
    """
    foreign = [sample for make in FOREIGN for sample in make().samples]
    columns = ['files', REFUSED, SAME, OTHER, *FAULTS]
    table, total = PrettyTable(['reader', *columns, 'seconds'], align='r'), Counter()
    for place, name in enumerate(names):
        begin, counts, seen = time.monotonic(), Counter(), Counter()
        reader = READERS[name]()
        share = files // len(names) + (place < files % len(names))
        for number, (outcome, text) in enumerate(outcomes(name, reader, foreign, seed, share)):
            counts.update((outcome, 'files'))
            if outcome not in FAULTS:
                continue
            case = Case(name, reader, foreign, seed, number)
            alike = outcome, re.sub(r'\S*/|\W|\d', '', text.strip().rpartition('\n')[2])[:20]
            seen[alike] += 1
            if seen[alike] == 1:  # each kind is shown once
                print(f'{name} {number}: {outcome} ({case.damage}): {text[-1000:]}', flush=True)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f'{name}-{number}-{outcome.replace(" ", "-")}').write_bytes(case.content)
        total += counts
        seconds = time.monotonic() - begin
        table.add_row([name, *(counts[key] for key in columns), f'{seconds:.1f}'])
        print(f'{place + 1}/{len(names)} {name}: {counts["files"]} files, {seconds:.1f} s',
              file=sys.stderr, flush=True)
    table.add_row(['all', *(total[key] for key in columns), ''])
    print(table)
    return sum(total[key] for key in FAULTS)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=10000, help='in all (default: 10000)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--reader', nargs='+', choices=READERS, metavar='NAME',
                        default=list(READERS), help=f'of {", ".join(READERS)} (default: all)')
    parser.add_argument('--keep', type=Path, metavar='DIR', help='gets the files with a fault')
    args = parser.parse_args()
    faults = fuzz(args.reader, args.files, args.seed, args.keep)
    sys.exit(f'{faults} faults' if faults else 0)


if __name__ == '__main__':
    main()
