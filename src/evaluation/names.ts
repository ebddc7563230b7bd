// The names of the measures, for the config, records and reports.

/** Names of the measures, in the order in which they are shown. */
export const MEASURES = ['dice', 'iou', 'hd95', 'assd', 'nsd'] as const;
export type Measure = (typeof MEASURES)[number];

const TITLES: Readonly<Record<Measure, string>> = {
  dice: 'Dice',
  iou: 'IoU',
  hd95: 'HD95, mm',
  assd: 'ASSD, mm',
  nsd: 'NSD',
};

/** The title of a measure in tables; `tolerance` is that of the NSD, in mm. */
export function measureTitle(measure: Measure, tolerance: number): string {
  return measure === 'nsd' ? `${TITLES.nsd} at ${tolerance} mm` : TITLES[measure];
}

/** A value of a measure in tables: distances with three digits after the point, all others with four. */
export function formatMeasure(measure: Measure, value: number): string {
  return value.toFixed(measure === 'hd95' || measure === 'assd' ? 3 : 4);
}

/** The columns of the measures in CSV files; distances have their unit in the name. */
export const MEASURE_COLUMNS: Readonly<Record<Measure, string>> = {
  dice: 'dice',
  iou: 'iou',
  hd95: 'hd95_mm',
  assd: 'assd_mm',
  nsd: 'nsd',
};
