"""What ends a command in one line."""


class PerdiemError(Exception):
    """Something a person can put right: told in one line each, without a traceback.

    ``code`` is the exit code of the command that it ends.
    """

    code = 2
