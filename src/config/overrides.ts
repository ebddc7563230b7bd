// Changes a raw config from the command line: `--set models.0.n=8`. Values are read as YAML, never evaluated.

import { UserError } from '../errors.js';
import { quoteWord } from '../quote-word.js';
import { type ParsedYaml, isForbiddenKey, parseYamlValue } from './yaml.js';

/**
 * Applies `a.b.0.c=value`. Creates missing groups of keys on the path; list entries must exist. An empty value (or
 * `null`) removes the key, which restores its default. Returns the dotted key and the parsed value.
 * Throws a UserError of kind `usage`.
 */
export function applyOverride(
  raw: Record<string, unknown>,
  override: string,
): { readonly dotted: string; readonly parsed: ParsedYaml } {
  const fail = (reason: string): never => {
    throw new UserError('usage', `--set ${override}: ${reason}`);
  };
  const equals = override.indexOf('=');
  const dotted = override.slice(0, Math.max(0, equals)).trim();
  if (dotted === '') fail('expected KEY=VALUE, such as --set training.epochs=10');
  const text = override.slice(equals + 1);
  let parsed: ParsedYaml;
  try {
    parsed = parseYamlValue(text);
  } catch (error) {
    const { message } = error as Error;
    const asText = quoteWord(`${dotted}=${JSON.stringify(text.trim())}`);
    // No hint about text for lists, groups and numbers.
    const hint = /^[[{]/.test(text.trim()) || message.includes('finite') ? '' : `; as text: --set ${asText}`;
    return fail(message + hint);
  }
  const { value } = parsed;
  const keys = dotted.split('.');
  if (keys.some((key) => key === '' || isForbiddenKey(key))) fail(`${dotted} is not a key`);
  let at: Record<string, unknown> = raw;
  for (const [index, key] of keys.entries()) {
    if (Array.isArray(at) && !Object.keys(at).includes(key))
      fail(`found entry ${key}, expected ${at.length === 0 ? 'none' : `0 to ${at.length - 1}`}`);
    if (index === keys.length - 1) break;
    if (typeof at[key] !== 'object' || at[key] === null) at[key] = Object.create(null);
    at = at[key] as Record<string, unknown>;
  }
  const last = keys.at(-1) as string;
  if (value === null && Array.isArray(at)) at.splice(Number(last), 1);
  else if (value === null) delete at[last];
  else at[last] = value;
  return { dotted, parsed };
}
