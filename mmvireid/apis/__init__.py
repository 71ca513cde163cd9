from .best_matches import best_matches
from .command_line import (
    add_out_argument,
    add_picture_arguments,
    add_protocol_arguments,
    add_split_argument,
    at_least_0,
    build_models,
    check_methods,
    make_folder,
    model_parser,
    open_features,
    open_model,
    picture_path,
    positive,
    protocol_of,
    write_picture,
)
from .extraction import check_same_images, encode_test_images, extract_test_features
from .inference import extract_features, init_model
from .inferencer import ReIDInferencer
from .measuring import peak_extra_memory, seconds
from .selection import ImageKind, choose_images, keep_images, load_split, make_caption

__all__ = [
    'ImageKind',
    'ReIDInferencer',
    'add_out_argument',
    'add_picture_arguments',
    'add_protocol_arguments',
    'add_split_argument',
    'at_least_0',
    'best_matches',
    'build_models',
    'check_methods',
    'check_same_images',
    'choose_images',
    'encode_test_images',
    'extract_features',
    'extract_test_features',
    'init_model',
    'keep_images',
    'load_split',
    'make_caption',
    'make_folder',
    'model_parser',
    'open_features',
    'open_model',
    'peak_extra_memory',
    'picture_path',
    'positive',
    'protocol_of',
    'seconds',
    'write_picture',
]
