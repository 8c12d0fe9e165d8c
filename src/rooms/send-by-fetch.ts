import type { SendHttp } from './http-exchange.ts';
import { readBody } from './response-body.ts';

/** @param fetch Default: the global one, looked up for each request. */
export function sendByFetch(fetch?: typeof globalThis.fetch): SendHttp {
  return async ({ url, ...request }) => {
    const send = fetch ?? globalThis.fetch;
    const response = await send(url, { method: 'POST', redirect: 'manual', ...request });
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      readBody: (maxBytes) => readBody(response, maxBytes),
    };
  };
}
