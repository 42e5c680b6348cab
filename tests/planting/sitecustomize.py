"""On the path of a process, this plants a fault in it: a module's source is another file's.

`tests.mutants` puts it there, for the test and for every process that the test starts.
"""

import os
from importlib.machinery import SourceFileLoader

read_code = SourceFileLoader.get_code


def plant(loader, name):
    if loader.path != os.environ["LEDGER_FAULT_IN"]:
        return read_code(loader, name)
    source = loader.get_data(os.environ["LEDGER_FAULT_AS"])
    return compile(source, loader.path, "exec", dont_inherit=True)


SourceFileLoader.get_code = plant
