/**
 * Imports an optional package with native code, which no bundle can hold: it is looked for beside the program, when
 * it is needed.
 *
 * Bundlers do not see its name. They would fail, because it is not installed or because it is.
 */
/** Imports a package by `import()` that no compiler rewrites. Rejects where it is not installed. */
export function importNative<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name) as Promise<T>;
}
