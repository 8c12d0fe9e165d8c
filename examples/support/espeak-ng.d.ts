/** The part of `espeak-ng` that is used; the package comes without types. */
declare module 'espeak-ng' {
  export default function run(options: {
    readonly arguments: readonly string[];
  }): Promise<{ readonly FS: { readFile(path: string): Uint8Array } }>;
}
