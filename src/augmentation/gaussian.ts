// The weights of a Gaussian blur.

/**
 * The weights of a Gaussian with a standard deviation in voxels, at distances of 0, 1, ... up to four deviations, as SciPy's
 * gaussian_filter has them: a sum of 1 over both sides.
 */
export function gaussianWeights(deviation: number): number[] {
  const radius = Math.floor(4 * deviation + 0.5);
  const weights = Array.from({ length: radius + 1 }, (_, i) =>
    i === 0 ? 1 : Math.exp(-0.5 * (i / deviation) ** 2),
  );
  const sum = weights.reduce((total, weight, i) => total + (i === 0 ? 1 : 2) * weight, 0);
  return weights.map((weight) => weight / sum);
}
