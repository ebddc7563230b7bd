// The width of text and where to wrap it: charts are laid out before anything is drawn.

/** The approximate width of a text in pixels, rather too large than too small, in a font as wide as DejaVu Sans. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    if (
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\uff60]|[\u{1f000}-\u{3ffff}]/u.test(
        character,
      )
    )
      ems += 1.05;
    else if (/[MWmw%@œæ]/.test(character)) ems += 1;
    else if (/\p{Lu}/u.test(character)) ems += 0.77;
    else if (/[ijlI.,:;'|/ ()-]/.test(character)) ems += 0.4;
    else ems += 0.65;
  }
  return ems * size;
}

/** A text in lines of at most that width, broken after a space, slash, comma or hyphen if possible. */
export function wrapText(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=[ /,-])/u))
    for (const part of textWidth(word, size) > width ? word : [word]) {
      if (line !== '' && textWidth((line + part).trimEnd(), size) > width) {
        lines.push(line.trimEnd());
        line = '';
      }
      line += part;
    }
  return [...lines, line.trimEnd()];
}
