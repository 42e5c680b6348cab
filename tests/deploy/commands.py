"""Whether a command of manage.py exists and takes these arguments."""

from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError


def find_wrong_arguments(words: list[str]) -> list[str]:
    """Nothing, or one sentence. Django's own parser reads them, nothing is run."""
    name, *arguments = words
    if name not in (commands := get_commands()):
        return [f"manage.py has no command {name}"]
    parser = load_command_class(str(commands[name]), name).create_parser("manage.py", name)
    try:
        parser.parse_args(arguments)
    except CommandError as error:
        return [f"manage.py {name}: {error}"]
    return []
