// Generated volumes for experiments without real data: each kind imitates the difficulties of its real counterpart.

import { type Experiment, type Normalisation } from '../../config/schema.js';
import { stream } from '../../random.js';
import { type RawCase } from '../raw-case.js';
import { type Canvas, newCanvas } from './canvas.js';
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

/** Generates one case; equal settings give equal voxels. */
export function generatePhantom({ kind, size, seed, index }: PhantomSettings): RawCase {
  const { draw, ...made } = phantoms[kind];
  const spacing = (made.spacing * made.size) / size; // the same extent in mm
  const canvas = newCanvas(size, stream(seed, 'phantom', kind, size, index));
  draw(canvas);
  // Rounded to whole numbers, as scanners store them, so that volumes on disk and in memory are equal.
  for (let i = 0; i < canvas.image.length; i++) canvas.image[i] = Math.round(canvas.image[i] as number);
  return {
    size: [size, size, size],
    spacing: [spacing, spacing, spacing],
    orientation: 'RAS',
    channels: 1,
    image: canvas.image,
    label: canvas.label,
    imageFile: `phantom ${index + 1}`,
    labelFile: `phantom ${index + 1}`,
    background: [],
    warnings: [],
  };
}
