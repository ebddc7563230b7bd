import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseYaml } from '../../src/config/yaml.js';

const problemsOf = (text: string | Uint8Array): string[] =>
  parseYaml(typeof text === 'string' ? new TextEncoder().encode(text) : text).problems.map(
    ({ line, column, message }) => `${line ?? ''}:${column ?? ''} ${message}`,
  );

const nested = (levels: number): string =>
  Array.from({ length: levels }, (_, i) => `${' '.repeat(i)}a:\n`).join('');

const refused: [what: string, text: string | Uint8Array, problem: string][] = [
  ['bad UTF-8', Uint8Array.of(0x61, 0x3a, 0x20, 0xff), ': file is not valid UTF-8'],
  ['a large file', 'x'.repeat(1024 * 1024 + 1), ': file is too large: expected at most 1048576 bytes'],
  [
    'many values',
    `a: [${'1, '.repeat(10_000)}1]`,
    '1:29999 found more than 10000 values, expected at most 10000',
  ],
  ['deep brackets', `a: ${'['.repeat(100_000)}`, '1:67 nested too deeply: expected at most 64 levels'],
  ['deep maps in lists', '[{a: '.repeat(50_000), '1:161 nested too deeply: expected at most 64 levels'],
  ['deep dashes', `${'- '.repeat(100_000)}a`, '1:129 nested too deeply: expected at most 64 levels'],
  ['deep blocks', nested(65), '65:65 nested too deeply: expected at most 64 levels'],
  ['duplicate keys', 'a: 1\nb: 2\na: 3\n', '3:1 found the key a a second time'],
  ['a key that is repeated in other words', '1: a\n"1": b', '2:1 found the key 1 a second time'],
  ['YAML 1.1', '%YAML 1.1\n---\na: no\n', '1:1 found %YAML 1.1, expected YAML 1.2'],
  ['a second document', 'a: 1\n---\nb: 2\n', '2:1 found a second document (---), expected one'],
  [
    'a tag of a language',
    'a: !!js/function "x"',
    '1:4 found the tag !!js/function; tags are not allowed here',
  ],
  ['a local tag', 'a: !x 1', '1:4 found the tag !x; tags are not allowed here'],
  ['a standard tag', 'a: !!str 1', '1:10 found the tag !!str; tags are not allowed here'],
  ['an anchor', 'a: &x 1', '1:7 found an anchor (&); anchors are not allowed here'],
  ['a merge key', 'a:\n  <<: {b: 1}', '2:3 found the merge key <<; merging is not allowed here'],
  ['.nan', 'a: .nan', '1:4 found .nan, expected a finite number'],
  ['-.inf', 'a: [-.inf]', '1:5 found -.inf, expected a finite number'],
  ['an overflowing number', 'a: 1e400', '1:4 found 1e400, expected a finite number'],
  [
    'an unsafe integer',
    'a: 12345678901234567890',
    '1:4 found 12345678901234567890, an integer too large to be kept exactly',
  ],
  ['__proto__', 'a:\n  __proto__: {b: 1}', '2:3 the key __proto__ is not allowed'],
  ['__proto__ in disguise', '"\\x5f_proto__": 1', '1:1 the key __proto__ is not allowed'],
  ['constructor', '{constructor: {prototype: {b: 1}}}', '1:2 the key constructor is not allowed'],
  ['a list as key', '? [a]\n: 1', '1:3 found a key that is not plain text'],
];

for (const [what, text, problem] of refused) {
  test(`refuses ${what}`, () => assert.equal(problemsOf(text)[0], problem));
}

test('an alias bomb is refused at its first anchor', () => {
  assert.match(problemsOf('a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]')[0] ?? '', /^1:7 found an anchor/);
});

test('accepts nesting up to the limit, and brackets that nest nothing', () => {
  for (const text of [
    nested(64),
    `a: ${'['.repeat(63)}${']'.repeat(63)}`,
    `${'# [{\n'.repeat(200)}a: 1`,
    `a: |\n${'  [[ - - \n'.repeat(200)}`,
    `a: "${'['.repeat(200)}"`,
    `a: x${'{'.repeat(200)}`,
    `a:\n${'- b: 1\n  c:\n  - d\n'.repeat(200)}`,
  ])
    assert.deepEqual(problemsOf(text), []);
});

test('values have no prototype, and know where they stand', () => {
  const { value, locate, isCollection } = parseYaml(
    new TextEncoder().encode('\ufeffa:\r\n  b: [1, "ü"]\r\n# c\r\nd: no\r\n'),
  );
  const a = Object.assign(Object.create(null) as object, { b: [1, 'ü'] });
  assert.deepEqual(value, Object.assign(Object.create(null) as object, { a, d: 'no' }));
  assert.deepEqual(locate(['a', 'b', 1]), { line: 2, column: 10 });
  assert.deepEqual(locate(['a', 'b'], true), { line: 2, column: 3 });
  assert.deepEqual(locate(['a', 'x', 'y']), { line: 2, column: 3 });
  assert.equal(isCollection(['a', 'b']), true);
  assert.equal(isCollection(['d']), false);
});

// In a separate process, because input that crashes the parser would end this one.
test('no bytes crash the reader or reach a prototype', () => {
  const script = fileURLToPath(new URL('fuzz-yaml.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ['--disable-proto=throw', script], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

// Input that makes the parser slow: without the limits each takes seconds to minutes.
const shapes: Readonly<Record<string, (i: number) => string>> = {
  keys: (i) => `k${i}: 1\n`,
  'repeated keys': () => 'k: 1\n',
  'keys in braces': (i) => `${i === 0 ? '{' : ''}k${i}: 1, `,
  'a list in brackets': (i) => `${i === 0 ? 'a: [' : ''}1, `,
  'a list of dashes': () => '- 1\n',
  comments: () => '# c\n',
  'empty lines': () => '\n',
  anchors: (i) => `k${i}: &a${i} 1\n`,
  aliases: (i) => `k${i}: *a\n`,
  documents: () => '---\n',
  quotes: () => '"',
  'a long key': () => 'k',
};
for (const [what, part] of Object.entries(shapes))
  test(`a mebibyte of ${what} is answered within seconds`, () => {
    let text = '';
    for (let i = 0; text.length < 1024 * 1024 - 40; i++) text += part(i);
    const started = performance.now();
    problemsOf(text);
    const took = performance.now() - started;
    assert.ok(took < 5000, `${took} ms`);
  });

test('keys and scalars are kept as they are written', () => {
  const { value, written } = parseYaml(new TextEncoder().encode('a: 007\n001: x\nb: [1e3]\n'));
  assert.deepEqual({ ...(value as object) }, { a: 7, '001': 'x', b: [1000] });
  assert.equal(written(['a']), '007');
  assert.equal(written(['b', 0]), '1e3');
});
