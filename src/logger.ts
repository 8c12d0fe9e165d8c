/** Where endframe's log lines go. */

/** Four methods that pino and most loggers have; `fields` first, then a constant text. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => {};

function toStderr(level: string): Logger['error'] {
  return (fields, message) => {
    process.stderr.write(`${level} endframe: ${message} ${stringify(fields)}\n`);
  };
}

/** Errors become their name and text; what cannot be written as JSON must not break a log line. */
function stringify(fields: object): string {
  try {
    return JSON.stringify(fields, (_key, value) =>
      value instanceof Error ? `${value.name}: ${value.message}` : value,
    );
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

/** Says nothing at all. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
