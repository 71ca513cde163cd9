import torch

from mmvireid.models.generators import PixelGenerator


def handwritten(images, weights, bias, factors, shift):
    """Pixel by pixel; images (N, 3, H, W)."""
    made = torch.empty_like(images)
    for n, _, y, x in torch.cartesian_prod(*map(torch.arange, images.shape)).tolist():
        value = max(sum(w * v for w, v in zip(weights, images[n, :, y, x].tolist())) + bias, 0.0)
        made[n, :, y, x] = torch.tensor([f * value + s for f, s in zip(factors, shift)])
    return made


def test_every_pixel_is_mapped_by_itself():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 3, 2)
    generator = PixelGenerator()
    first, last = generator.layers[0], generator.layers[2]
    ones = [0.333] * 3
    torch.testing.assert_close(generator(images), handwritten(images, ones, 0.0, ones, [0.0] * 3))
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter)
    values = [p.flatten().tolist() for p in (first.weight, first.bias, last.weight, last.bias)]
    expected = handwritten(images, values[0], values[1][0], values[2], values[3])
    torch.testing.assert_close(generator(images), expected)


def test_it_has_ten_parameters():
    assert [p.numel() for p in PixelGenerator().parameters()] == [3, 1, 3, 3]


def test_images_of_one_colour_stay_so_and_dark_pixels_are_all_the_same():
    flat = torch.tensor([1.5, -0.5, 2.0]).view(1, 3, 1, 1).expand(1, 3, 4, 2)
    made = PixelGenerator()(flat)
    torch.testing.assert_close(made, torch.full_like(made, 0.333**2 * 3.0))
    dark = -torch.rand(1, 3, 4, 2)
    assert torch.equal(PixelGenerator()(dark), torch.zeros(1, 3, 4, 2))
