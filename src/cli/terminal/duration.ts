// Durations as text for people.

/** A duration, below a minute with tenths of a second: 8.3 s, 4 min 05 s, 2 h 10 min. */
export function duration(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : wholeDuration(seconds);
}

/** A duration in whole seconds: 8 s, 4 min 05 s, 2 h 10 min. */
export function wholeDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
