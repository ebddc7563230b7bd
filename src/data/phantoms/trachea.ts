// CT of the chest in Hounsfield units: an air-filled tube that forks into two bronchi, in soft tissue between lungs
// that are nearly as dark; the oesophagus beside it also contains air. Labels: trachea, trachea extension (its upper part),
// carina (the fork), left and right bronchus.

import { type Canvas, type Point, between, curve, ellipsoid, jitter, smoothField, tube } from './canvas.js';

const AIR = -990;
const WALL = 40;

export function drawTrachea(canvas: Canvas): void {
  const { image, label, random } = canvas;
  image.fill(-1000);
  const texture = smoothField(canvas, 16);
  ellipsoid(canvas, [0.5, 0.5, 0.5], [0.46, 0.38, 3], (index) => {
    image[index] = (texture[index] as number) > 0.5 ? -90 : 45;
  });
  for (const side of [-1, 1])
    ellipsoid(canvas, [0.5 + side * 0.25, 0.5, 0.32], [0.16, 0.26, 0.34], (index) => {
      image[index] = -860 + 60 * (texture[index] as number);
    });
  ellipsoid(canvas, [0.5, 0.78, 0.5], [0.08, 0.07, 3], (index) => (image[index] = 400)); // spine
  const fork = jitter(canvas, [0.5, 0.48, 0.42], 0.03);
  const top = jitter(canvas, [0.5, 0.42, 0.98], 0.02);
  const middle = jitter(canvas, [(fork[0] + top[0]) / 2, 0.46, 0.7], 0.015);
  const radius = between(canvas, 0.038, 0.05);
  // The oesophagus, which contains some air but is not part of the airway.
  tube(
    canvas,
    [
      [fork[0] + 0.02, fork[1] + 0.11, 0],
      [middle[0] + 0.02, middle[1] + 0.1, 1],
    ],
    () => 0.03,
    (index, depth) => (image[index] = depth < 0.3 && (texture[index] as number) > 0 ? -700 : WALL),
  );
  const trunk = curve([top, middle, fork], 4);
  const branch = (side: 1 | -1): Point[] => {
    const steep = side === 1 ? 0.2 : 0.13; // the right main bronchus is steeper
    const wide = side === 1 ? 0.15 : 0.19;
    const end = jitter(canvas, [fork[0] - side * wide, fork[1] + 0.02, fork[2] - steep], 0.02);
    const half = jitter(canvas, [fork[0] - side * wide * 0.45, fork[1] + 0.005, fork[2] - steep * 0.6], 0.01);
    return curve([fork, half, end], 4);
  };
  const [right, left] = [branch(1), branch(-1)];
  const thin = (t: number): number => radius * (0.8 - 0.15 * t);
  const wall = (index: number): void => {
    image[index] = WALL;
  };
  tube(canvas, trunk, () => radius * 1.3, wall);
  for (const path of [left, right]) tube(canvas, path, (t) => thin(t) * 1.3, wall);
  const lumen = (value: number) => (index: number) => {
    image[index] = AIR;
    label[index] = value;
  };
  tube(canvas, left, thin, lumen(4));
  tube(canvas, right, thin, lumen(5));
  tube(
    canvas,
    trunk,
    () => radius,
    (index, _, t) => lumen(t < 0.3 ? 2 : 1)(index),
  );
  ellipsoid(canvas, fork, [radius * 1.5, radius * 1.1, radius * 1.1], (index) => {
    if ((label[index] as number) > 0) label[index] = 3;
  });
  for (let i = 0; i < image.length; i++)
    image[i] = Math.max(-1024, (image[i] as number) + 28 * random.normal());
}
