"""The one exception that means: the user can mend this, and here is how."""


class InputError(Exception):
    """Something outside the code is wrong: a setting, a file, a class name, a missing data set.

    The message is one line that names the thing and the way out; entry points print it without a traceback.
    """
