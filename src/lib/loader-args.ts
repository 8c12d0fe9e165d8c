/** Lets what is started from the sources run TypeScript as this process does. Not used by what is built. */

/** The arguments of this process by which Node has its loader for TypeScript; none where it needs none. */
export function loaderArgs(): string[] {
  const place = process.execArgv.findIndex((arg) => arg === '--import' || arg.startsWith('--import='));
  return place < 0
    ? []
    : process.execArgv.slice(place, process.execArgv[place] === '--import' ? place + 2 : place + 1);
}
