"""What a protocol has to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet, describe_source
from mmvireid.evaluation.protocols.retrieval_setting import RetrievalSetting


@dataclass(frozen=True)
class BaseProtocol:
    """Who asks whom, in how many settings and trials: the base of all protocols.

    A protocol is a frozen dataclass, registered in ``PROTOCOLS``, whose fields are its options. It
    has a :attr:`name`, says what its settings are called before there are any features
    (:attr:`setting_names`), and makes them of a feature set (:meth:`settings`). Metrics
    (``dict(type='RetrievalMetric', protocol=dict(type=...))``) and ``eval_features.py --protocol``
    take any of them.

    Attributes:
        name (str): Short name, without a slash: what results and files are named after, what
            ``--protocol`` takes, and what a data set names in its metainfo under ``protocol``.
        any_data (bool): Whether it makes sense on data sets that name another protocol.

    Raises:
        TypeError: When a subclass is defined whose name is missing or has a slash.

    Example:
        >>> @dataclass(frozen=True)
        ... class OneCamera(BaseProtocol):
        ...     camera: int = 1
        ...     name: ClassVar[str] = 'one-camera'
        ...
        ...     @property
        ...     def setting_names(self):
        ...         return [f'one-camera/{self.camera}']
        >>> OneCamera(3).setting_names
        ['one-camera/3']
    """

    name: ClassVar[str]
    any_data: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        name = getattr(cls, 'name', None)
        if not (isinstance(name, str) and name) or '/' in name:
            raise InvalidTypeError(
                f'{cls.__name__}: `name` is {name!r}, expected a short name without a slash '
                '(name: ClassVar[str] = ...).'
            )

    @property
    def setting_names(self) -> list[str]:
        """Names of the settings, ``'<name>/<setting>'``, in their order."""
        raise NotImplementedError

    def check_data(self, metainfo: Mapping | None) -> None:
        """Refuse data that another protocol was made for: their figures would look plausible.

        Args:
            metainfo: Of the data set; ``None`` if nothing is known.

        Raises:
            ValueError: If so.
        """
        wanted = (metainfo or {}).get('protocol', self.name)
        if wanted != self.name and not self.any_data:
            raise InvalidValueError(
                f'{type(self).__name__}: these are images of {describe_source(metainfo)}, expected '
                f'data of protocol {self.name!r}; evaluate them by protocol {wanted!r}.'
            )

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        """Apply the protocol to test images.

        Args:
            feature_set: What is known about the images; features are not to be looked at.

        Returns:
            The settings, as :attr:`setting_names` has them.
        """
        raise NotImplementedError
