// Values as bytes, and bytes as text, hex and base64. A value travels as {data, encoding: "utf8" | "base64" | null}.

/** The bytes of a value; null for none. */
export function bytesOf(value) {
  if (value.encoding === null || value.data === null) return null;
  return value.encoding === "base64" ? fromBase64(value.data) : new TextEncoder().encode(value.data);
}

/** A value of these bytes, for a request. */
export function valueOf(bytes) {
  return bytes === null ? { data: null, encoding: null } : { data: toBase64(bytes), encoding: "base64" };
}

export function fromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let index = 0; index < raw.length; index += 1) bytes[index] = raw.charCodeAt(index);
  return bytes;
}

export function toBase64(bytes) {
  const parts = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(""));
}

/** The text of bytes that are UTF-8, or null. */
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A line of a hex dump: [offset, hex, characters] of 16 bytes. */
export function hexLine(bytes, line) {
  const part = bytes.subarray(line * 16, line * 16 + 16);
  const pairs = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"));
  const characters = Array.from(part,
    (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
  const hex = `${pairs.slice(0, 8).join(" ").padEnd(23)}  ${pairs.slice(8).join(" ").padEnd(23)}`;
  return [(line * 16).toString(16).padStart(8, "0"), hex, characters];
}

/** Bytes as lines of hex that can be edited. */
export function toHex(bytes) {
  const lines = [];
  for (let line = 0; line * 16 < bytes.length; line += 1) {
    lines.push(Array.from(bytes.subarray(line * 16, line * 16 + 16),
      (byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

/** The bytes that a user wrote as hex or base64; throws an Error that says what is wrong. */
export function parseBytes(text, format) {
  const plain = text.replace(/\s+/g, "");
  if (format === "hex") {
    const odd = plain.match(/[^0-9a-fA-F]/);
    if (odd) throw new Error(`"${odd[0]}" is no hexadecimal digit.`);
    if (plain.length % 2) throw new Error("A byte has two hexadecimal digits: one is missing.");
    const bytes = new Uint8Array(plain.length / 2);
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = parseInt(plain.slice(index * 2,
      index * 2 + 2), 16);
    return bytes;
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.replace(/=+$/, "").length % 4 === 1) throw new Error("This is not base64.");
  return fromBase64(plain);
}

/** Compressed as it was: gzip or zlib, by the browser. */
export async function compress(bytes, compression) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(compression === "gzip" ? "gzip"
    : "deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Whether a text field gives this text back as it is, and with which line ends: "\n", "\r\n", or null if it cannot. */
export function lineEndsOf(text) {
  if (text.includes("\u0000")) return null;
  if (!text.includes("\r")) return "\n";
  return /(^|[^\r])\n|\r(?!\n)/.test(text) ? null : "\r\n";
}
