"""Pictures of losses and necks, drawn from what they compute."""

import inspect
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from mmvireid.models import losses, necks
from mmvireid.registry import MODELS

#: Losses need these, or show more with them, in a plane whose points are about 1 apart.
ARGUMENTS = dict(
    ExpAngleTripletLoss=dict(mining='hardest'),
    PairedCenterTripletLoss=dict(margin=1.0),
    SquaredDifferenceTripletLoss=dict(eps_mode='softmin'),
    TripletCenterLoss=dict(num_ids=3, in_channels=2),
    WeightedRegularizedTripletLoss=dict(eps_mode='softmin'),
)
COLORS = ('#d1495b', '#2e86ab', '#5d8a3a')
#: What a loss on vectors calls the number of those of the first modality.
NUM_VISIBLE = ('num_visible', 'num_first')


def exported(room) -> dict[str, type[nn.Module]]:
    """The classes of a room that a config can name."""
    names = [name for name in room.__all__ if name in MODELS.module_dict]
    return {name: getattr(room, name) for name in sorted(names)}


def pulling_losses() -> list[str]:
    """Losses on vectors and their labels, alone or with the number of visible ones."""
    found = []
    for name, cls in exported(losses).items():
        _, first, *others = inspect.signature(cls.forward).parameters.values()
        needed = [a.name for a in others if a.default is a.empty]
        on_vectors = first.name in ('embeddings', 'features') and first.annotation is Tensor
        if on_vectors and needed[0] == 'labels' and set(needed[1:]) <= set(NUM_VISIBLE):
            found.append(name)
    return found


def vectors() -> tuple[Tensor, Tensor]:
    """Three people seen twice in each modality: vectors (12, 2), visible first, and labels (12,).

    The infrared ones lie off the visible ones, as they do before a network knows better.
    """
    angles = torch.tensor([0.35, 1.1, 2.0]).repeat_interleave(2)
    spread = torch.tensor([-0.12, 0.1]).repeat(3)
    visible = torch.stack([(angles + spread).cos(), (angles + spread).sin()], dim=1)
    turned = angles + 0.45 + 1.5 * spread.flip(0)
    infrared = 1.35 * torch.stack([turned.cos(), turned.sin()], dim=1)
    return 2 * torch.cat([visible, infrared]), torch.arange(3).repeat_interleave(2).repeat(2)


def value(name: str, points: Tensor) -> Tensor:
    """A loss at other points than the :func:`vectors`, with their labels; a scalar.

    Args:
        name: Of the loss.
        points: Shape (12, 2).
    """
    torch.manual_seed(0)  # learned centres begin anywhere
    loss = MODELS.build(dict(type=f'mmvireid.{name}', **ARGUMENTS.get(name, {})))
    wants_number = set(NUM_VISIBLE) & set(inspect.signature(loss.forward).parameters)
    return loss(points, vectors()[1], *[len(points) // 2] * bool(wants_number))


def pull(name: str) -> Tensor:
    """Where a loss moves each of the :func:`vectors`: its negative gradient, shape (12, 2)."""
    points = vectors()[0].requires_grad_(True)
    value(name, points).backward()
    return -points.grad


def draw_pull(name: str, path: Path) -> None:
    """Draw where a loss moves vectors of three people in two modalities."""
    (points, labels), arrows = vectors(), pull(name)
    arrows = 0.8 * arrows / arrows.norm(dim=1).max().clamp_min(1e-12)
    figure = Figure(figsize=(3.2, 2.3), layout='tight')
    axes = figure.subplots()
    for row, (point, arrow, label) in enumerate(zip(points.tolist(), arrows.tolist(), labels)):
        color, is_visible = COLORS[label], row < len(points) // 2
        face = color if is_visible else 'white'
        axes.plot(*point, 'os'[not is_visible], color=color, markerfacecolor=face, markersize=7)
        if abs(arrow[0]) + abs(arrow[1]) > 0.02:
            axes.annotate(
                '',
                [p + a for p, a in zip(point, arrow)],
                point,
                arrowprops=dict(arrowstyle='->', color='0.25', lw=1.2),
            )
    axes.plot(0, 0, '+', color='0.6')
    axes.set_title(name, fontsize=9)
    axes.set(xlim=(-3.3, 2.9), ylim=(-0.6, 3.3), aspect='equal', xticks=[], yticks=[])
    figure.savefig(path, dpi=100)


def feature_map() -> Tensor:
    """A map (1, 1, 12, 6) with two bright spots."""
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(6.0), indexing='ij')
    spots = [(3, 2, 1.0), (8, 4, 0.8)]
    bright = sum(h * torch.exp(-((rows - r) ** 2 + (columns - c) ** 2) / 3) for r, c, h in spots)
    return (0.15 + bright)[None, None]


def weight_of_places(pooling: str) -> Tensor:
    """How much each place of the :func:`feature_map` moves what is pooled, shape (12, 6)."""
    maps = feature_map().requires_grad_(True)
    MODELS.build(dict(type=f'mmvireid.{pooling}')).train()(maps).sum().backward()
    return maps.grad[0, 0]


def draw_poolings(path: Path) -> None:
    """Draw a map, and what counts of it for each pooling and for stripes."""
    poolings = [name for name in exported(necks) if name.endswith('Pooling')]
    panels = {'the map': feature_map()[0, 0]} | {n: weight_of_places(n) for n in poolings}
    stripes = torch.zeros(12, 6)
    for index, (begin, end) in enumerate(necks.stripe_bounds(12, 3)):
        stripes[begin:end] = index + 1
    figure = Figure(figsize=(8, 3), layout='tight')
    for axes, (name, values) in zip(
        figure.subplots(1, 5), {**panels, 'StripeNeck': stripes}.items()
    ):
        axes.imshow(values.detach(), cmap='viridis', vmin=0)
        axes.set_title(name, fontsize=9)
        axes.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=100)


def draw(folder: Path) -> None:
    """Draw all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in pulling_losses():
        draw_pull(name, folder / f'{name}.png')
    draw_poolings(folder / 'poolings.png')
