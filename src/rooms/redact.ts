/** Makes text from outside fit for errors and logs. */

const jsonWebToken = /eyJ[\w-]*(?:\.[\w-]*)*/g;
const hidden = '[redacted]';
const maxLength = 500;

/** `text` without JSON Web Tokens (LiveKit repeats ours in its 401 bodies) and without the secret. */
export function redact(text: string, secret?: string): string {
  const withoutTokens = text.replace(jsonWebToken, hidden);
  return secret === undefined
    ? withoutTokens
    : writtenForms(secret).reduce((rest, form) => rest.replaceAll(form, hidden), withoutTokens);
}

/** At most 500 characters of `text`, or `length`; cut after redaction, or half a secret could stay. */
export function cut(text: string, length: number = maxLength): string {
  if (text.length <= length) return text;
  // half a surrogate pair would make the message ill-formed
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** The secret as it is, and as JSON and URLs write it. */
function writtenForms(secret: string): string[] {
  // encodeURIComponent throws on a lone surrogate
  const inUrl = encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '\uFFFD'));
  return [secret, JSON.stringify(secret).slice(1, -1), inUrl];
}
