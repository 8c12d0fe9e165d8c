/** The file that endframe's code is in, without `import.meta`, which bundles of CommonJS do not have. */

import { isAbsolute } from 'node:path';

/**
 * The file this code runs from: a module of endframe, or a bundle that contains it. Optional packages are found from
 * there, as `import()` would find them.
 *
 * @returns A path or the URL of a file; `undefined` where the code comes from no file.
 */
export function ownFile(): string | undefined {
  const { prepareStackTrace } = Error;
  try {
    // the stack as a text would have the places of source maps
    Error.prepareStackTrace = (_error, [here]) => here?.getFileName();
    const file: unknown = new Error().stack;
    return typeof file === 'string' && (isAbsolute(file) || file.startsWith('file:')) ? file : undefined;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}
