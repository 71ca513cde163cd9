"""Curves of a run in files, which do not end it."""

import logging
from collections.abc import Callable

from mmengine.logging import print_log
from mmengine.visualization import LocalVisBackend as MMLocalVisBackend

from mmvireid.registry import VISBACKENDS


@VISBACKENDS.register_module()
class LocalVisBackend(MMLocalVisBackend):
    """MMEngine's files of scalars, pictures and the config, which a run can do without.

    Where the disk does not take them, that is said once, and training goes on.

    Args:
        As in MMEngine's ``LocalVisBackend``.
    """

    _has_failed = False

    def add_config(self, *args, **kwargs) -> None:
        """Write the config."""
        self._try(super().add_config, *args, **kwargs)

    def add_image(self, *args, **kwargs) -> None:
        """Write a picture."""
        self._try(super().add_image, *args, **kwargs)

    def add_scalar(self, *args, **kwargs) -> None:
        """Write a value."""
        self._try(super().add_scalar, *args, **kwargs)

    def add_scalars(self, *args, **kwargs) -> None:
        """Write values."""
        self._try(super().add_scalars, *args, **kwargs)

    def _try(self, write: Callable, *args, **kwargs) -> None:
        try:
            write(*args, **kwargs)
        except OSError as error:
            if not self._has_failed:
                print_log(
                    f'Curves and pictures cannot be written to {self._save_dir} '
                    f'({error.strerror}): they will have gaps, the training goes on.',
                    'current',
                    logging.WARNING,
                )
            self._has_failed = True
