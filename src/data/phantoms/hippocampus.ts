// T1-weighted MRI of one hippocampus: a curved structure of grey matter, thick in front and thin behind, surrounded by
// white matter, fluid and other grey matter of the same brightness; bias field and noise as in a scanner.

import { type Canvas, type Point, between, curve, ellipsoid, jitter, smoothField, tube } from './canvas.js';

const WHITE = 0.8;
const GREY = 0.52;
const FLUID = 0.18;

export function drawHippocampus(canvas: Canvas): void {
  const { image, label, random } = canvas;
  const folds = smoothField(canvas, 7);
  for (let i = 0; i < image.length; i++) image[i] = (folds[i] as number) > 0.45 ? GREY : WHITE;
  // Other grey matter with the same brightness and other shapes.
  for (let i = 0; i < 2; i++)
    ellipsoid(
      canvas,
      jitter(canvas, [0.5, 0.18 + 0.64 * i, 0.72], 0.1),
      [between(canvas, 0.08, 0.16), between(canvas, 0.06, 0.12), between(canvas, 0.06, 0.12)],
      (index) => (image[index] = GREY),
    );
  const shift = jitter(canvas, [0, 0, 0], 0.06);
  const place = (x: number, y: number, z: number): Point =>
    jitter(canvas, [x + shift[0], y + shift[1], z + shift[2]], 0.025);
  const spine = [
    place(0.5, 0.2, 0.36),
    place(0.42, 0.34, 0.4),
    place(0.42, 0.5, 0.46),
    place(0.5, 0.66, 0.54),
    place(0.6, 0.78, 0.64),
  ];
  const path = curve(spine, 4);
  const thickness = between(canvas, 0.85, 1.15);
  const radius = (t: number): number => thickness * (0.105 - 0.06 * t + 0.02 * Math.sin(3 * Math.PI * t));
  // The ventricle is beside the hippocampus.
  const ventricle = path.map(([x, y, z]): Point => [x + 0.11, y, z + 0.05]);
  tube(
    canvas,
    ventricle,
    () => 0.05,
    (index) => (image[index] = FLUID),
  );
  const border = between(canvas, 0.4, 0.5);
  tube(canvas, path, radius, (index, _, t) => {
    image[index] = GREY;
    label[index] = t < border ? 1 : 2;
  });
  const bias = smoothField(canvas, 2);
  const gain = between(canvas, 200, 900);
  for (let i = 0; i < image.length; i++)
    image[i] =
      gain * Math.max(0, (image[i] as number) * (1 + 0.18 * (bias[i] as number)) + 0.07 * random.normal());
}
