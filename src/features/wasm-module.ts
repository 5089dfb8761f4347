/** The few pieces of the WebAssembly interface used here: they are part of Node.js, but TypeScript declares them only for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: Readonly<Record<string, unknown>> & { readonly memory: { readonly buffer: ArrayBuffer } };
  };
};

/** A function of three byte addresses: its code between the declaration of its locals, all of them four-lane values, and its end. */
export interface WasmFunction {
  readonly name: string;
  readonly locals: number;
  readonly code: readonly number[];
}

/** A running module: its memory and its functions by name. */
export interface WasmInstance {
  readonly memory: ArrayBuffer;
  readonly call: (name: string) => (first: number, second: number, third: number) => void;
}

/** Locals that hold a function's addresses; its own come after them. */
export const addresses = { first: 0, second: 1, third: 2, count: 3 } as const;

/** Instructions of WebAssembly's binary format (core specification, chapter 5). */
export const wasm = {
  loop: [0x03, 0x40],
  branchIf: 0x0d,
  end: 0x0b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i32LessUnsigned: 0x49,
  i32Add: 0x6a,
  simd: 0xfd,
  /** After `simd`. */
  load: 0x00,
  store: 0x0b,
  shuffle: 0x0d,
  shiftRightSigned: 0xac,
} as const;

const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const section = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;
const functionType = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
const v128 = 0x7b;
const bytesPerPage = 65536;

/**
 * Assembles functions into a module with memory of its own, and starts it.
 * @throws WebAssembly.CompileError where the processor lacks 128-bit SIMD (x64 before SSE4.1)
 */
export function startModule(functions: readonly WasmFunction[], memoryBytes: number): WasmInstance {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text, 'ascii')];
  const part = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
  const bodies = functions.flatMap(({ locals, code }) => {
    const body = [1, ...unsigned(locals), v128, ...code, wasm.end];
    return [...unsigned(body.length), ...body];
  });
  const exported = functions.flatMap((one, index) => [...name(one.name), 0, ...unsigned(index)]);
  const bytes = Uint8Array.from([
    ...magicAndVersion,
    ...part(section.type, [1, ...functionType]),
    ...part(section.function, [...unsigned(functions.length), ...functions.map(() => 0)]),
    ...part(section.memory, [1, 0, ...unsigned(Math.ceil(memoryBytes / bytesPerPage))]),
    ...part(section.export, [...unsigned(functions.length + 1), ...name('memory'), 2, 0, ...exported]),
    ...part(section.code, [...unsigned(functions.length), ...bodies]),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return {
    memory: exports.memory.buffer,
    call: (name) => exports[name] as (first: number, second: number, third: number) => void,
  };
}

/** LEB128, the format's way of writing whole numbers ≥ 0. */
export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
