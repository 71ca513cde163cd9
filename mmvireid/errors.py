"""What this package refuses on purpose.

Every command shows an error of these classes as one line; any other error keeps its traceback,
since it may be a bug, also where it is raised inside the package. Each is the built-in error too
that its name says, so that ``except ValueError`` works as ever. Plugins may raise them.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """An error whose message is all that a user needs to know.

    ``<Class or function>: `<argument>` is <value>, expected <allowed>.``
    """

    def __str__(self) -> str:
        return ' '.join(str(arg) for arg in self.args)  # KeyError's would put it in quotes


class InvalidValueError(Refusal, ValueError):
    """A value that is not allowed."""


class InvalidTypeError(Refusal, TypeError):
    """A value of a kind that is not allowed."""


class UnknownNameError(Refusal, KeyError):
    """A name that nothing has."""


class MissingFileError(Refusal, FileNotFoundError):
    """A file or folder that does not exist."""


class RunStoppedError(Refusal, RuntimeError):
    """Something that went wrong while it ran, for a reason that is known."""


@contextmanager
def from_extra(owner: str, package: str, extra: str) -> Iterator[None]:
    """A block that imports a package which not every installation has.

    Args:
        owner: Who needs it.
        package: What pip calls it.
        extra: Which extra of this package brings it.

    Raises:
        RuntimeError: If it is missing; says how it is installed.

    Example:
        >>> with from_extra('tsne', 'scikit-learn', 'analysis'):
        ...     import sklearn
    """
    try:
        yield
    except ImportError as error:
        raise RunStoppedError(
            f"{owner}: it needs {package}, which comes with the extra '{extra}': "
            f"pip install -e '.[{extra}]', or pip install {package}."
        ) from error
