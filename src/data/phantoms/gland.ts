// CT of the neck in Hounsfield units: paired submandibular glands, slightly brighter than the muscle around them, inside the
// arch of the jaw; fat, spine and airway; air outside.

import { type Canvas, type Point, between, curve, ellipsoid, jitter, smoothField, tube } from './canvas.js';

export function drawGland(canvas: Canvas): void {
  const { image, label, random } = canvas;
  image.fill(-1000);
  const texture = smoothField(canvas, 12);
  const centre = jitter(canvas, [0.5, 0.5, 0.5], 0.03);
  ellipsoid(canvas, [centre[0], centre[1], 0.5], [0.42, 0.4, 2], (index) => {
    image[index] = (texture[index] as number) > 0.35 ? -90 : 55;
  });
  const at = (x: number, y: number, z: number): Point => [centre[0] + x, centre[1] + y, centre[2] + z];
  ellipsoid(canvas, at(0, 0.2, 0), [0.09, 0.08, 2], (index) => (image[index] = 450)); // spine
  ellipsoid(canvas, at(0, 0.02, 0), [0.05, 0.04, 2], (index) => (image[index] = -980)); // airway
  const jaw = curve(
    [at(-0.27, 0.02, 0.1), at(-0.18, -0.2, 0.05), at(0, -0.29, 0), at(0.18, -0.2, 0.05), at(0.27, 0.02, 0.1)],
    4,
  );
  tube(
    canvas,
    jaw,
    () => 0.035,
    (index, depth) => (image[index] = depth < 0.4 ? 350 : 900),
  );
  // Lymph nodes and vessels look like small glands.
  for (const side of [-1, 1])
    for (let i = 0; i < 3; i++)
      ellipsoid(
        canvas,
        jitter(canvas, at(side * 0.27, 0.1, -0.15 + 0.15 * i), 0.03),
        [0.03, 0.03, between(canvas, 0.03, 0.08)],
        (index) => (image[index] = 40),
      );
  for (const side of [-1, 1]) {
    const middle = jitter(canvas, at(side * 0.18, -0.05, -0.02), 0.025);
    const end = jitter(canvas, [middle[0] - side * 0.02, middle[1] + 0.07, middle[2] - 0.05], 0.015);
    const thickness = between(canvas, 0.055, 0.075);
    tube(
      canvas,
      curve([middle, end], 3),
      (t) => thickness * (1 - 0.3 * t),
      (index) => {
        image[index] = 25 + 12 * (texture[index] as number);
        label[index] = 1;
      },
    );
  }
  for (let i = 0; i < image.length; i++)
    image[i] = Math.max(-1024, (image[i] as number) + 22 * random.normal());
}
