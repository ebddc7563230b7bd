// A plane of the scan on the page: a canvas with outlines and cross-hair, and a slider for the slices.

import { type Extent } from '../../data/preprocess.js';
import { type ShownResult, type ShownScan } from './messages.js';
import { outlineOf } from './outline.js';
import { type Plane, cutPlane, placeOf, voxelAt } from './planes.js';

/** The state that all planes show. */
export interface View {
  readonly scan: ShownScan;
  readonly result?: ShownResult | undefined;
  readonly channel: number;
  /** The voxel where the planes cross. */
  readonly voxel: Extent;
  /** By finding: the colour of its outline; absent if it is hidden. */
  readonly colours: readonly (string | undefined)[];
}

export interface PlaneView {
  readonly element: HTMLElement;
  readonly draw: (view: View) => void;
}

const CROSS_HAIR = 'rgba(120, 190, 255, 0.55)';
const TITLES = { axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' } as const;

/** A view of a plane; `moveTo` is called when another voxel is chosen in it. */
export function planeView(plane: Plane, moveTo: (voxel: Extent) => void): PlaneView {
  const template = document.getElementById('plane') as HTMLTemplateElement;
  const element = (template.content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement;
  const find = <T extends HTMLElement>(selector: string): T => element.querySelector(selector) as T;
  const canvas = find<HTMLCanvasElement>('canvas');
  const slider = find<HTMLInputElement>('input');
  const place = find('output');
  const title = TITLES[plane.name];
  find('h3').textContent = title;
  slider.setAttribute('aria-label', `${title} slice`);
  element.querySelectorAll('.edge').forEach((edge, i) => (edge.textContent = plane.edges[i] as string));
  let shown: View | undefined;

  const toSlice = (index: number): void => {
    if (shown === undefined) return;
    const voxel: [number, number, number] = [...shown.voxel];
    voxel[plane.through] = Math.min(Math.max(index, 0), shown.scan.size[plane.through] - 1);
    moveTo(voxel);
  };
  const step = (by: number): void => toSlice((shown?.voxel[plane.through] ?? 0) + by);
  slider.addEventListener('input', () => toSlice(Number(slider.value) - 1));
  listenToWheel(canvas, step);
  canvas.addEventListener('keydown', (event) => {
    const by = STEPS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  const point = ({ clientX, clientY }: PointerEvent): void => {
    if (shown === undefined) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    moveTo(
      voxelAt(plane, shown.scan.size, [(clientX - left) / width, (clientY - top) / height], shown.voxel),
    );
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    point(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) point(event);
  });

  const draw = (view: View): void => {
    shown = view;
    const { size, spacing } = view.scan;
    const slices = size[plane.through];
    const slice = view.voxel[plane.through];
    slider.max = String(slices);
    slider.value = String(slice + 1);
    place.textContent = `${slice + 1} of ${slices}`;
    canvas.setAttribute(
      'aria-label',
      `${title} plane, slice ${slice + 1} of ${slices}; arrow keys go through the slices, a click moves the cross-hair`,
    );
    fit(canvas, size[plane.across] * spacing[plane.across], size[plane.down] * spacing[plane.down]);
    paint(canvas, plane, view);
  };
  new ResizeObserver(() => shown && draw(shown)).observe(canvas.parentElement as HTMLElement);
  return { element, draw };
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: 10,
  PageDown: -10,
  Home: -Infinity,
  End: Infinity,
};

/** One notch of a wheel moves by one slice; a touchpad sends many small fractions of a notch. */
function listenToWheel(canvas: HTMLCanvasElement, step: (by: number) => void): void {
  const notch = 60;
  let turned = 0;
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey) return; // zooms the page
      event.preventDefault();
      turned +=
        event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : notch * Math.sign(event.deltaY);
      const notches = Math.trunc(turned / notch);
      turned -= notches * notch;
      if (notches !== 0) step(-notches);
    },
    { passive: false },
  );
}

/** Makes a canvas as large as fits into its frame, with the aspect ratio of the plane in mm and one pixel per screen pixel. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  const frame = canvas.parentElement as HTMLElement;
  const scale = Math.min(frame.clientWidth / width, frame.clientHeight / height);
  canvas.width = Math.max(1, Math.floor(width * scale * devicePixelRatio));
  canvas.height = Math.max(1, Math.floor(height * scale * devicePixelRatio));
  canvas.style.width = `${canvas.width / devicePixelRatio}px`;
  canvas.style.height = `${canvas.height / devicePixelRatio}px`;
}

function paint(canvas: HTMLCanvasElement, plane: Plane, view: View): void {
  const { scan, result, channel, voxel, colours } = view;
  const { size } = scan;
  const slice = voxel[plane.through];
  const [width, height] = [size[plane.across], size[plane.down]];
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    pictureOf(cutPlane(scan.greys[channel] as Uint8Array, size, plane, slice), width, height),
    0,
    0,
    canvas.width,
    canvas.height,
  );
  const [toX, toY] = [canvas.width / width, canvas.height / height];
  const [x, y] = placeOf(plane, size, voxel);
  line(context, CROSS_HAIR, 1, (path) => {
    path.moveTo(x * canvas.width, 0);
    path.lineTo(x * canvas.width, canvas.height);
    path.moveTo(0, y * canvas.height);
    path.lineTo(canvas.width, y * canvas.height);
  });
  if (result === undefined) return;
  const labels = cutPlane(result.labels, size, plane, slice);
  for (const [k, member] of result.members.entries()) {
    const colour = colours[k];
    if (colour === undefined) continue;
    const lines = outlineOf(labels, width, height, member);
    line(context, colour, 1.75, (path) => {
      for (let i = 0; i < lines.length; i += 4) {
        path.moveTo((lines[i] as number) * toX, (lines[i + 1] as number) * toY);
        path.lineTo((lines[i + 2] as number) * toX, (lines[i + 3] as number) * toY);
      }
    });
  }
}

function line(
  context: CanvasRenderingContext2D,
  colour: string,
  width: number,
  draw: (path: Path2D) => void,
): void {
  const path = new Path2D();
  draw(path);
  context.strokeStyle = colour;
  context.lineWidth = width * devicePixelRatio;
  context.lineCap = 'round';
  context.stroke(path);
}

/** Greys as a picture, one pixel for each. */
function pictureOf(grey: Uint8Array, width: number, height: number): HTMLCanvasElement {
  const picture = document.createElement('canvas');
  picture.width = width;
  picture.height = height;
  const image = new ImageData(width, height);
  for (let i = 0, at = 0; i < grey.length; i++) {
    image.data[at++] = grey[i] as number;
    image.data[at++] = grey[i] as number;
    image.data[at++] = grey[i] as number;
    image.data[at++] = 255;
  }
  (picture.getContext('2d') as CanvasRenderingContext2D).putImageData(image, 0, 0);
  return picture;
}
