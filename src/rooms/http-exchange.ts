/** How a request reaches LiveKit: by `fetch`, or by Node's own client where starting fast matters more. */

import type { ResponseBody } from './response-body.ts';

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | null;
  /** At most so many bytes; never rejects. To be called once, or the connection stays in use. */
  readBody(maxBytes: number): Promise<ResponseBody>;
}

/** POSTs once, follows no redirect; rejects when no answer comes. */
export type SendHttp = (request: HttpRequest) => Promise<HttpAnswer>;
