// Generated volumes for experiments without real data: each kind imitates the difficulties of its real counterpart.

import { type Experiment, type Normalisation } from '../../config/schema.js';
import { stream } from '../../random.js';
import { type Extent } from '../preprocess.js';
import { type RawCase } from '../raw-case.js';
import { type Canvas, type View, newCanvas } from './canvas.js';
import { drawGland } from './gland.js';
import { drawHippocampus } from './hippocampus.js';
import { drawTrachea } from './trachea.js';

export type PhantomKind = Experiment['dataset']['phantom']['kind'];

/** A kind of phantom: the meaning of its labels, and how it is drawn. */
export interface Phantom {
  readonly modality: string;
  /** Names by label value. */
  readonly labels: Readonly<Record<number, string>>;
  /** The outputs of a network: label values, merged if they form one structure. */
  readonly regions: Readonly<Record<string, number | readonly number[]>>;
  /** The normalisation for a network. */
  readonly normalisation: Normalisation;
  /** The usual number of voxels along each axis. */
  readonly size: number;
  /** Distance between voxels in mm at that size. */
  readonly spacing: number;
  readonly draw: (canvas: Canvas) => void;
}

export const phantoms: Readonly<Record<PhantomKind, Phantom>> = {
  hippocampus: {
    modality: 'MRI',
    labels: { 1: 'Anterior', 2: 'Posterior' },
    regions: { hippocampus: [1, 2] },
    normalisation: 'z-score',
    size: 64,
    spacing: 1,
    draw: drawHippocampus,
  },
  gland: {
    modality: 'CT',
    labels: { 1: 'Submandibular gland' },
    regions: { gland: 1 },
    normalisation: { window: [-150, 350] },
    size: 128,
    spacing: 1,
    draw: drawGland,
  },
  trachea: {
    modality: 'CT',
    labels: { 1: 'Trachea', 2: 'Trachea extension', 3: 'Carina', 4: 'Bronchus left', 5: 'Bronchus right' },
    regions: { trachea: 1, 'trachea extension': 2, carina: 3, 'bronchus left': 4, 'bronchus right': 5 },
    normalisation: { window: [-1000, 300] },
    size: 128,
    spacing: 1.5,
    draw: drawTrachea,
  },
};

export interface PhantomSettings {
  readonly kind: PhantomKind;
  /** Voxels along each axis. */
  readonly size: number;
  readonly seed: number;
  /** The number of the case, from 0. */
  readonly index: number;
}

/** The id of a phantom, on disk and in memory; ids sort in the order of generation. */
export function phantomId(index: number, cases: number): string {
  return `phantom_${String(index + 1).padStart(Math.max(3, String(cases).length), '0')}`;
}

/** A phantom as it is drawn: `size` is the number of voxels along x, y, z that the whole phantom has at its usual spacing. */
export interface Drawing extends Omit<PhantomSettings, 'size'> {
  readonly size: Extent;
}

/** Generates one case; equal settings give equal voxels. */
export function generatePhantom(settings: PhantomSettings): RawCase {
  const size: Extent = [settings.size, settings.size, settings.size];
  const { image, label } = drawPhantom({ ...settings, size }, { size, whole: size, offset: [0, 0, 0] });
  const file = `phantom ${settings.index + 1}`;
  return {
    size,
    spacing: usualSpacing(settings.kind, size),
    orientation: 'RAS',
    channels: 1,
    image,
    label,
    imageFile: file,
    labelFile: file,
    background: [],
    warnings: [],
  };
}

/** The mm between voxels of a phantom with so many voxels: its extent in mm is the same at any size. */
export function usualSpacing(kind: PhantomKind, size: Extent): Extent {
  const made = phantoms[kind];
  return size.map((voxels) => (made.spacing * made.size) / voxels) as unknown as Extent;
}

/**
 * Draws one view of a phantom, with axes that point right, anterior, superior. Equal arguments give equal voxels (z, y, x); all
 * views of a phantom show the same structures, with other noise.
 */
export function drawPhantom(
  { kind, size, seed, index }: Drawing,
  view: View,
): { readonly image: Float32Array; readonly label: Uint8Array } {
  const cube = size[0] === size[1] && size[1] === size[2];
  const canvas = newCanvas(view, stream(seed, 'phantom', kind, cube ? size[0] : size.join('x'), index));
  phantoms[kind].draw(canvas);
  // Rounded to whole numbers, as scanners store them, so that volumes on disk and in memory are equal.
  for (let i = 0; i < canvas.image.length; i++) canvas.image[i] = Math.round(canvas.image[i] as number);
  return canvas;
}
