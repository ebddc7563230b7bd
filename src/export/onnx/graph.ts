// An ONNX graph as plain data, and its bytes: the messages of onnx.proto3 with their field numbers.

import { float16Bits } from './float16.js';
import { type Field, bytes, integer, join, message } from './protobuf.js';

/** The sizes of the axes of a tensor; a name stands for a size that is known only when the network runs. */
export type Shape = readonly (number | string)[];

/** An input or output of the graph, float32. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

/** A tensor stored in the file. */
export interface Constant {
  readonly name: string;
  readonly type: keyof typeof ELEMENT_TYPES;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** An operation with one output; the name of the output is also the name of the operation. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** A network in the form of ONNX. Every node comes after the nodes that it depends on. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
}

/** The metadata of a file. */
export interface GraphHeader {
  readonly name: string;
  readonly description: string;
  readonly producer: string;
  readonly producerVersion: string;
  /** Texts by key, in this order. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** TensorProto.DataType */
export const ELEMENT_TYPES = { float32: 1, int64: 7, float16: 10 } as const;

const IR_VERSION = 8;
const OPERATOR_SET = 17;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** The bytes of an .onnx file (ModelProto), with operator set 17 and IR version 8. Equal graphs give equal bytes. */
export function encodeGraph(graph: Graph, header: GraphHeader): Uint8Array {
  return join([
    integer(1, IR_VERSION),
    bytes(2, header.producer),
    bytes(3, header.producerVersion),
    bytes(6, header.description),
    message(7, [
      ...graph.nodes.map((node) => message(1, nodeFields(node))),
      bytes(2, header.name),
      ...graph.constants.map((constant) => message(5, constantFields(constant))),
      ...graph.inputs.map((value) => message(11, valueFields(value))),
      ...graph.outputs.map((value) => message(12, valueFields(value))),
    ]),
    message(8, [integer(2, OPERATOR_SET)]),
    ...Object.entries(header.metadata).map(([key, value]) => message(14, [bytes(1, key), bytes(2, value)])),
  ]);
}

/** NodeProto */
function nodeFields({ operator, inputs, output, attributes }: Node): Field[] {
  return [
    ...inputs.map((input) => bytes(1, input)),
    bytes(2, output),
    bytes(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attributeFields(name, value))),
  ];
}

/** AttributeProto */
function attributeFields(name: string, value: number | readonly number[]): Field[] {
  return typeof value === 'number'
    ? [bytes(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)]
    : [bytes(1, name), ...value.map((each) => integer(8, each)), integer(20, ATTRIBUTE_INTS)];
}

/** TensorProto, its numbers as raw bytes */
function constantFields({ name, type, shape, data }: Constant): Field[] {
  return [
    ...shape.map((size) => integer(1, size)),
    integer(2, ELEMENT_TYPES[type]),
    bytes(8, name),
    bytes(9, rawData(type, data)),
  ];
}

/** The bytes of numbers, little-endian on every machine. */
function rawData(type: Constant['type'], data: ArrayLike<number>): Uint8Array {
  const width = { float32: 4, int64: 8, float16: 2 }[type];
  const raw = new Uint8Array(width * data.length);
  const view = new DataView(raw.buffer);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (type === 'float32') view.setFloat32(4 * i, value, true);
    else if (type === 'float16') view.setUint16(2 * i, float16Bits(value), true);
    else view.setBigInt64(8 * i, BigInt(value), true);
  }
  return raw;
}

/** ValueInfoProto with a TypeProto.Tensor */
function valueFields({ name, shape }: Value): Field[] {
  const dimensions = shape.map((size) =>
    message(1, [typeof size === 'number' ? integer(1, size) : bytes(2, size)]),
  );
  const tensor = [integer(1, ELEMENT_TYPES.float32), message(2, dimensions)];
  return [bytes(1, name), message(2, [message(1, tensor)])];
}
