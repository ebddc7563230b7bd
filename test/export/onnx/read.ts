// Reads ONNX files with nothing of what writes them: fields by the numbers in onnx.proto, named here once more.

/** A field's values in the order of the file: whole numbers, or bytes. */
type Fields = Map<number, (number | Uint8Array)[]>;

export interface ReadTensor {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface ReadNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | readonly number[]>;
}

export interface ReadModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly operatorSet: number;
  readonly graphName: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly { name: string; type: number; shape: readonly (number | string)[] }[];
  readonly outputs: ReadModel['inputs'];
  readonly tensors: readonly ReadTensor[];
  readonly nodes: readonly ReadNode[];
}

export function readOnnx(file: Uint8Array): ReadModel {
  const model = fields(file);
  const graph = fields(bytesAt(model, 7));
  return {
    irVersion: numberAt(model, 1),
    producer: textAt(model, 2),
    operatorSet: numberAt(fields(bytesAt(model, 8)), 2),
    graphName: textAt(graph, 2),
    metadata: Object.fromEntries(
      messages(model, 14).map((entry) => [textAt(entry, 1), textAt(entry, 2)] as const),
    ),
    inputs: messages(graph, 11).map(readValue),
    outputs: messages(graph, 12).map(readValue),
    tensors: messages(graph, 5).map(readTensor),
    nodes: messages(graph, 1).map(readNode),
  };
}

function readNode(node: Fields): ReadNode {
  return {
    operator: textAt(node, 4),
    inputs: texts(node, 1),
    outputs: texts(node, 2),
    attributes: new Map(
      messages(node, 5).map((attribute) => {
        const kind = numberAt(attribute, 20);
        if (kind !== 2 && kind !== 7) throw new Error(`attribute of kind ${kind}`);
        const value = kind === 2 ? numberAt(attribute, 3) : (attribute.get(8) as number[]);
        return [textAt(attribute, 1), value] as const;
      }),
    ),
  };
}

function readTensor(tensor: Fields): ReadTensor {
  const type = numberAt(tensor, 2);
  const raw = Buffer.from(bytesAt(tensor, 9));
  const width = new Map([
    [1, 4],
    [7, 8],
    [10, 2],
  ]).get(type) as number;
  const data = Float64Array.from({ length: raw.length / width }, (_, i) =>
    type === 1
      ? raw.readFloatLE(4 * i)
      : type === 7
        ? Number(raw.readBigInt64LE(8 * i))
        : fromHalf(raw.readUInt16LE(2 * i)),
  );
  return { name: textAt(tensor, 8), type, shape: (tensor.get(1) ?? []) as number[], data };
}

/** The number of 16 bits: sign, 5 of exponent, 10 of fraction. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readValue(value: Fields): ReadModel['inputs'][0] {
  const tensor = fields(bytesAt(fields(bytesAt(value, 2)), 1));
  const shape = messages(fields(bytesAt(tensor, 2)), 1).map((dimension) =>
    dimension.has(2) ? textAt(dimension, 2) : numberAt(dimension, 1),
  );
  return { name: textAt(value, 1), type: numberAt(tensor, 1), shape };
}

function fields(encoded: Uint8Array): Fields {
  const found: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = encoded[at++];
      if (byte === undefined) throw new Error('the message ends within a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < encoded.length) {
    const key = varint();
    const [number, wireType] = [key >> 3, key & 7];
    if (wireType !== 0 && wireType !== 2) throw new Error(`field ${number} of wire type ${wireType}`);
    let value: number | Uint8Array = varint();
    if (wireType === 2) {
      const end = at + value;
      if (end > encoded.length) throw new Error(`field ${number} ends beyond its message`);
      value = encoded.subarray(at, end);
      at = end;
    }
    found.set(number, [...(found.get(number) ?? []), value]);
  }
  return found;
}

const numberAt = (message: Fields, number: number): number => message.get(number)?.[0] as number;
const bytesAt = (message: Fields, number: number): Uint8Array => message.get(number)?.[0] as Uint8Array;
const textAt = (message: Fields, number: number): string =>
  new TextDecoder().decode(bytesAt(message, number));
const texts = (message: Fields, number: number): string[] =>
  (message.get(number) ?? []).map((text) => new TextDecoder().decode(text as Uint8Array));
const messages = (message: Fields, number: number): Fields[] =>
  (message.get(number) ?? []).map((each) => fields(each as Uint8Array));
