// The names of the measures, for the config, records and reports.

/** Names of the measures, in the order in which they are shown. */
export const MEASURES = ['dice', 'iou', 'hd95', 'assd', 'nsd'] as const;
export type Measure = (typeof MEASURES)[number];

/** The columns of the measures in CSV files; distances have their unit in the name. */
export const MEASURE_COLUMNS: Readonly<Record<Measure, string>> = {
  dice: 'dice',
  iou: 'iou',
  hd95: 'hd95_mm',
  assd: 'assd_mm',
  nsd: 'nsd',
};
