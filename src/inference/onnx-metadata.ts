/**
 * The custom metadata of an ONNX file, which ONNX Runtime's Node.js interface does not give: key and value pairs of field 14 (metadata_props)
 * of ModelProto in the Protocol Buffers wire format (onnx.proto; protobuf.dev, "Encoding"). Everything else, weights included, is stepped over.
 * @param bytes a whole ONNX file
 * @returns empty where there are none, or where the bytes are no Protocol Buffers message
 */
export function onnxMetadata(bytes: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { field, value } of fieldsOf(bytes)) {
    if (field !== metadataField) continue;
    const pair = [...fieldsOf(value)];
    const text = (wanted: number): string =>
      new TextDecoder().decode(pair.find((entry) => entry.field === wanted)?.value);
    found.set(text(1), text(2));
  }
  return found;
}

const metadataField = 14;

/** The length-delimited fields of a message, in order; ends at the first byte that makes no sense. */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; value: Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (!(at + length <= bytes.length)) return;
        yield { field: Math.floor(tag / 8), value: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return;
    }
  }
}
