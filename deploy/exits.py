"""Exit codes of `casework`, after sysexits.h. Scripts may rely on them; `docs/cli.md` lists them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the end of a command says."""

    OK = 0
    FAILED = 1  # the command ran, and what it checked does not hold
    COMMAND_LINE = 2  # options or arguments are wrong
    USAGE = 64  # the command does not apply to this installation
    DATA = 65  # what was given is damaged or does not fit
    UNAVAILABLE = 69  # the API, Temporal or a database cannot be reached
    SOFTWARE = 70  # a newer schema, or a part that dies again and again
    CANNOT_CREATE = 73  # the target exists and is not empty
    TEMPORARY = 75  # somebody holds the data directory: try again, or use the running installation
    NO_PERMISSION = 77  # refused: not logged in, or not allowed
    CONFIG = 78  # a setting is missing, unreadable or unsafe


class CommandFailed(Exception):
    """Ends a command with a message for people and a code for scripts.

    Attributes:
        code: the process's exit code.
    """

    def __init__(self, code: ExitCode, message: str) -> None:
        self.code = code
        super().__init__(message)
