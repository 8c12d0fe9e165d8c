/** Reads the raw body of a request within bounds. */

/** The largest body, and the longest time for all of it. */
export interface RequestBodyLimits {
  readonly maxBytes: number;
  readonly limitMs: number;
}

/**
 * The raw body of a request, or the status to answer with: 413 too large, 408 too slow, 400 aborted or locked.
 *
 * Never rejects, and stops reading at the limits.
 */
export async function readBody(
  request: Request,
  { maxBytes, limitMs }: RequestBodyLimits,
): Promise<Uint8Array | 400 | 408 | 413> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return 413;
  if (request.body === null) return new Uint8Array();
  const reader = readerOf(request.body);
  if (reader === undefined) return 400;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<408>((resolve) => {
    timer = setTimeout(resolve, limitMs, 408);
  });
  const result = await Promise.race([late, readAll(reader, maxBytes).catch((): 400 => 400)]);
  clearTimeout(timer);
  if (typeof result === 'number') reader.cancel().catch(() => {});
  return result;
}

/** `undefined` for a locked stream. */
function readerOf(body: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<Uint8Array> | undefined {
  try {
    return body.getReader();
  } catch {
    return undefined;
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | 413> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    length += value.byteLength;
    if (length > maxBytes) return 413;
    chunks.push(value);
  }
}
