"""The one exception that means: the user can mend this, and here is how."""

from collections.abc import Callable
from typing import ParamSpec

Arguments = ParamSpec("Arguments")


class InputError(Exception):
    """Something outside the code is wrong: a setting, a file, a class name, a missing data set.

    The message is one line that names the thing and the way out; entry points print it without a traceback.
    """


def errors_of(
    check: Callable[Arguments, object], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> list[str]:
    """Call a check and return the message of its `InputError`, or nothing, so that other checks can go on."""
    try:
        check(*arguments, **keywords)
    except InputError as error:
        return [str(error)]
    return []
