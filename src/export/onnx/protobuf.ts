// The part of the wire format of Protocol Buffers that ONNX needs. A message is a sequence of fields; each field is a key (number
// and wire type) and a value. https://protobuf.dev/programming-guides/encoding

/** An encoded field, key included. A message is the concatenation of its fields. */
export type Field = Uint8Array;

/** The wire types that ONNX needs. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** An integer or enum field. Negative numbers take ten bytes, as an int64 does. */
export function integer(number: number, value: number): Field {
  return Uint8Array.from([...varint(key(number, VARINT)), ...varint(value)]);
}

/** A field of bytes, or of text in UTF-8. */
export function bytes(number: number, content: Uint8Array | string): Field {
  const encoded = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return join([
    Uint8Array.from([...varint(key(number, LENGTH_DELIMITED)), ...varint(encoded.length)]),
    encoded,
  ]);
}

/** A field that contains a message. */
export function message(number: number, fields: readonly Field[]): Field {
  return bytes(number, join(fields));
}

/** A message from its fields. */
export function join(fields: readonly Field[]): Uint8Array {
  const joined = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const field of fields) {
    joined.set(field, at);
    at += field.length;
  }
  return joined;
}

const key = (number: number, wireType: number): number => number * 8 + wireType;

/** Seven bits per byte, the lowest first; the top bit says that more bytes follow. */
function varint(value: number): number[] {
  const encoded: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) encoded.push(Number(rest & 127n) | 128);
  return [...encoded, Number(rest)];
}
