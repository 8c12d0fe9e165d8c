/** Where endframe's log lines go. */

import { inspect } from 'node:util';

/** Four methods that pino and most loggers have; `fields` first, then a constant text. */
export interface Logger {
  /** Details. */
  debug(fields: object, message: string): void;
  /** Regular events. */
  info(fields: object, message: string): void;
  /** Failures that are handled. */
  warn(fields: object, message: string): void;
  /** Failures that need attention. */
  error(fields: object, message: string): void;
}

const nothing = (): void => {};

/**
 * Writes to a standard stream; what cannot be written, as the reader is gone, is dropped.
 *
 * From then on errors of that stream are not uncaught errors: reporting one would cause the next.
 */
export function writeOrDrop(stream: NodeJS.WritableStream, text: string): void {
  try {
    if (!stream.listeners('error').includes(nothing)) stream.on('error', nothing);
    stream.write(text);
  } catch {
    // there is nowhere left to say it
  }
}

function toStderr(level: string): Logger['error'] {
  return (fields, message) => {
    writeOrDrop(process.stderr, `${level} endframe: ${message} ${stringify(fields)}\n`);
  };
}

/**
 * One line of JSON, in which errors are their name and text; their stacks follow in lines of their own. What cannot be
 * written as JSON is written as Node would show it.
 */
function stringify(fields: object): string {
  const errors: Error[] = [];
  function replace(this: unknown, key: string, value: unknown): unknown {
    // not what its toJSON() made of it, which may hold a request with its credentials
    const original = (this as Record<string, unknown>)[key];
    if (!(original instanceof Error)) return value;
    errors.push(original);
    return `${original.name}: ${original.message}`;
  }
  try {
    return JSON.stringify(fields, replace) + errors.map((error) => stackOf(error)).join('');
  } catch {
    return shown(fields);
  }
}

/** Endframe's own errors whose message is complete; their stack adds nothing. */
const withoutStack: ReadonlySet<string> = new Set([
  'LiveKitRESTError',
  'PipelineError',
  'MissingDependencyError',
]);

/** Where an error was made, and its causes; only texts, as their other properties may hold secrets. */
function stackOf(error: Error, title = '', depth = 0): string {
  const { name, stack = String(error), cause } = error;
  const own = withoutStack.has(name) ? '' : `\n${title}${stack}`.replaceAll('\n', '\n  ');
  // a chain of causes may be a circle
  return cause instanceof Error && depth < 4 ? own + stackOf(cause, '[cause]: ', depth + 1) : own;
}

/** Circles, BigInts and getters that throw; a log line stays one line, and is never lost. */
function shown(fields: object): string {
  try {
    return inspect(fields, { depth: 2, breakLength: Number.POSITIVE_INFINITY, compact: true });
  } catch {
    return '{}';
  }
}

/** The default: warnings and errors to stderr, the rest nowhere. */
export const stderrLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: toStderr('WARN'),
  error: toStderr('ERROR'),
};

/** The same logger, except that what it throws, or rejects with, is lost: a log line must not change what happens. */
export function safeLogger(logger: Logger): Logger {
  const safely =
    (level: keyof Logger): Logger['error'] =>
    (fields, message) => {
      try {
        // some loggers are asynchronous, contrary to their type
        const result: unknown = logger[level](fields, message);
        if (result instanceof Promise) result.catch(nothing);
      } catch {
        // there is nowhere left to say it
      }
    };
  return { debug: safely('debug'), info: safely('info'), warn: safely('warn'), error: safely('error') };
}

/** A logger without output. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
