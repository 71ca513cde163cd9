"""What networks trained on ImageNet expect of their input."""

#: Mean of the R, G, B channels of ImageNet, of values in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
#: Their standard deviation.
IMAGENET_STD = (0.229, 0.224, 0.225)
