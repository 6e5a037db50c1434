"""The one error a user is meant to read: a single line that names the key, the value and what is allowed."""


class UserError(Exception):
    """Bad input. The command line prints it as one line and exits with a non-zero status."""
