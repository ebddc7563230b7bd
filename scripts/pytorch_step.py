"""The PyTorch counterpart of `lunet bench`: the same network and step on the processor, in its fastest form (oneDNN, volumes with
channels last). Prints one JSON object. Started by compare-pytorch.js.

usage: python pytorch_step.py FAMILY N LEVELS CONVS SIZE BATCH MODE STEPS   (lunet 4 5 2 64 16 train 3)
"""
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn


def block(inputs, width, convs):
    layers = []
    for i in range(convs):
        convolution = nn.Conv3d(inputs if i == 0 else width, width, 3, padding=1)
        layers += [convolution, nn.ReLU(inplace=True), nn.BatchNorm3d(width), nn.Dropout3d(0.05)]
    return nn.Sequential(*layers)


class Unet(nn.Module):
    """The network of lunet, with one input channel and one output. `widths` by level, the top level first."""

    def __init__(self, widths, convs):
        super().__init__()
        below = list(zip(widths[1:], widths[:-1]))
        self.encoder = nn.ModuleList(block(1 if i == 0 else widths[i - 1], width, convs) for i, width in enumerate(widths))
        self.up = nn.ModuleList(nn.ConvTranspose3d(inputs, width, 2, 2) for inputs, width in below)
        self.decoder = nn.ModuleList(block(2 * width, width, convs) for _, width in below)
        self.head = nn.Conv3d(widths[0], 1, 1)

    def forward(self, x):
        skips = []
        for i, layers in enumerate(self.encoder):
            x = layers(x if i == 0 else nn.functional.max_pool3d(x, 2))
            skips.append(x)
        for i in reversed(range(len(self.decoder))):
            x = self.decoder[i](torch.cat([self.up[i](x), skips[i]], 1))
        return torch.sigmoid(self.head(x))


def train_step(model, adam, image, target):
    """A step with the soft Dice loss of lunet; returns the loss."""
    adam.zero_grad()
    p = model(image)
    space = (0, 2, 3, 4)
    dice = 2 * (p * target).sum(space) / (p.sum(space) + target.sum(space) + 1e-7)
    loss = 1 - dice.mean()
    loss.backward()
    adam.step()
    return loss.item()


def main():
    family, mode = sys.argv[1], sys.argv[7]
    n, levels, convs, size, batch = map(int, sys.argv[2:7])
    steps = int(sys.argv[8])
    widths = [n if family == "lunet" else n * 2**level for level in range(levels)]
    volume = (batch, 1, size, size, size)
    layout = torch.channels_last_3d
    model = Unet(widths, convs).to(memory_format=layout)
    image = torch.randn(volume).to(memory_format=layout)
    target = (torch.rand(volume) > 0.9).float()
    adam = torch.optim.Adam(model.parameters(), 0.001)

    def train():
        return train_step(model, adam, image, target)

    def infer():
        with torch.no_grad():
            return model(image).sum().item()


    step = train if mode == "train" else infer
    model.train(mode == "train")
    step()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "msPerVolume": 1000 * statistics.median(times) / batch,
                "peakMemoryMB": peak / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
