"""The MONAI counterpart of training with patches: the same network on the same files, with MONAI's usual transforms for cropping and
augmentation, on the processor. Prints one JSON object. Started by compare-monai.js.

usage: python monai_step.py DATASET N LEVELS CONVS PATCH BATCH STEPS WORKERS   (phantoms 4 4 2 96 2 20 1)
"""
import glob
import json
import os
import resource
import sys
import time

import monai
import torch
from monai import transforms as t
from monai.data import CacheDataset, DataLoader

from pytorch_step import Unet, train_step

dataset = sys.argv[1]
n, levels, convs, size, batch, steps, workers = map(int, sys.argv[2:9])
patch = [size] * 3
keys = ["image", "label"]

files = [
    {"image": image, "label": image.replace("imagesTr", "labelsTr")}
    for image in sorted(glob.glob(os.path.join(dataset, "imagesTr", "*.nii.gz")))
]
read = [
    t.LoadImaged(keys, ensure_channel_first=True),
    t.Orientationd(keys, axcodes="RAS"),
    t.NormalizeIntensityd("image"),
]
# The chances and ranges of the preset `standard` of lunet, which are nnU-Net's.
angle = torch.pi / 6
augment = [
    t.SpatialPadd(keys, patch),
    t.RandCropByPosNegLabeld(keys, label_key="label", spatial_size=patch, pos=1, neg=2, num_samples=1),
    t.RandRotated(keys, prob=0.2, range_x=angle, range_y=angle, range_z=angle, mode=["bilinear", "nearest"], padding_mode="zeros"),
    t.RandZoomd(keys, prob=0.2, min_zoom=0.7, max_zoom=1.4, mode=["trilinear", "nearest"], padding_mode="constant"),
    t.RandGaussianNoised("image", prob=0.1, std=0.1),
    t.RandGaussianSmoothd("image", prob=0.2, sigma_x=(0.5, 1), sigma_y=(0.5, 1), sigma_z=(0.5, 1)),
    t.RandScaleIntensityd("image", prob=0.15, factors=0.25),
    t.RandAdjustContrastd("image", prob=0.3, gamma=(0.7, 1.5)),
    t.RandSimulateLowResolutiond("image", prob=0.25, zoom_range=(0.5, 1)),
    t.EnsureTyped(keys, track_meta=False),
]

# As many samples as there are cases make an epoch; a list that repeats them makes one of `steps` batches.
cached = CacheDataset(files, t.Compose(read + augment), cache_rate=1.0, num_workers=2, progress=False)
order = [i % len(files) for i in range((steps + 2) * batch)]
loader = DataLoader(
    torch.utils.data.Subset(cached, order), batch_size=batch, shuffle=False, num_workers=workers, persistent_workers=workers > 0
)

layout = torch.channels_last_3d
widths = [n] * levels
model = Unet(widths, convs).to(memory_format=layout)
model.train()
adam = torch.optim.Adam(model.parameters(), 0.01)

# Two steps warm up: threads, workers and memory.
done = 0
for found in loader:
    if done == 2:
        began = time.perf_counter()
    train_step(model, adam, found["image"].to(memory_format=layout), (found["label"] > 0).float())
    done += 1
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(
    json.dumps(
        {
            "monai": monai.__version__,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "volumesPerSecond": (done - 2) * batch / seconds,
            "peakMemoryMB": peak / 1024,
        }
    )
)
