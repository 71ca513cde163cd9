from .command_line import build_models, make_folder, model_parser
from .extraction import check_same_images, encode_test_images, extract_test_features
from .inference import extract_features, init_model

__all__ = [
    'build_models',
    'check_same_images',
    'encode_test_images',
    'extract_features',
    'extract_test_features',
    'init_model',
    'make_folder',
    'model_parser',
]
