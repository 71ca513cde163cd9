# Augmentations on the device by name, with the figures of the releases that they are from; a
# config takes what it needs, `_base_._augmentations.<name>`. `raw` values are in [0, 1],
# `normalized` ones have ImageNet's mean and standard deviation taken out.
_cifar = (0.4914, 0.4822, 0.4465)  # the fill that the field copies; it is CIFAR-10's mean
_imagenet = (0.485, 0.456, 0.406)
_erasing = dict(type='ErasingAugmentation', prob=0.5)
_uniform = dict(_erasing, area_range=(0.02, 0.4), aspect_range=(0.3, 1 / 0.3))
_torchvision = dict(
    _erasing,
    area_range=(0.02, 0.33),
    aspect_range=(0.3, 3.3),
    aspect_law='log_uniform',
    max_tries=10,
)
_augmentations = dict(
    crop=dict(type='PadCropAugmentation', padding=10, fill=0.0),
    crop_grey=dict(type='PadCropAugmentation', padding=10, fill=127 / 255),  # MPANet
    flip=dict(type='FlipAugmentation', prob=0.5),
    grey=dict(type='GreyAugmentation', prob=0.5),
    # CAJ: one of three channels, always; in infrared a change of contrast
    channel_exchange=dict(type='ChannelCopyAugmentation', prob=1.0, space='normalized'),
    adaptive_grey=dict(type='ChannelCopyAugmentation', prob=1.0, grey=0.5, space='normalized'),
    # RLE's ladder: a channel, or a channel or grey, of the image as it is
    random_channel=dict(type='ChannelCopyAugmentation', prob=0.5, space='raw'),
    random_channel_or_grey=dict(type='ChannelCopyAugmentation', prob=0.5, grey=1.0, space='raw'),
    # PMT, infrared: one of the two, always
    jitter_or_blur=dict(
        type='ChoiceAugmentation',
        choices=[
            dict(type='LightJitterAugmentation', brightness=0.3, contrast=0.3),
            dict(type='BlurAugmentation', kernel_size=21, sigma=(0.1, 3.0)),
        ],
    ),
    # MSCMNet: infrared
    adaptive_grey_two=dict(
        type='ChannelCopyAugmentation', prob=1.0, channels=(1,), grey=0.5, space='normalized'
    ),
    brightness=dict(type='LightJitterAugmentation', brightness=0.5, contrast=0.0),
    channel_scaling=dict(type='ChannelScalingAugmentation', prob=0.5, factors=(0.02, 1.0)),
    # RLE
    moderate_enhancement=dict(type='ModerateEnhancementAugmentation', prob=0.5, beta=0.3),
    radical_enhancement=dict(
        type='RadicalEnhancementAugmentation', prob=0.5, beta=0.4, least=0.1, area_range=(0.02, 0.4)
    ),
    # six things that are called random erasing
    erasing_a=dict(_uniform, fill=_cifar, space='normalized'),  # CAJ, DNS, MSCMNet
    erasing_b=dict(_uniform, fill=_cifar, space='raw'),  # RLE
    erasing_c=dict(_torchvision, fill=(0.0, 0.0, 0.0), space='normalized'),  # MPANet
    # DEEN on SYSU-MM01; on RegDB and LLCM it is E
    erasing_d=dict(_uniform | dict(area_range=(0.2, 0.8)), fill=_imagenet, space='normalized'),
    erasing_e=dict(_uniform, fill=_imagenet, space='normalized'),  # PMT
    erasing_f=dict(_torchvision, fill=_cifar, space='raw'),  # DNS, before A
)
