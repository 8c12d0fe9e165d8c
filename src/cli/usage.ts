/** How commands read their arguments, and what they say of those that make no sense: one line, and where to look. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorMessage } from '../lib/errors.ts';
import { nearestName } from '../lib/options.ts';

/** A reason why the arguments make no sense. */
export interface Wrong {
  /** Why the arguments are invalid. */
  readonly wrong: string;
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Named extends Options> = ReturnType<typeof parseArgs<{ options: Named }>>['values'];

/** The options among the arguments of a command that takes nothing else. */
export function parseOptions<Named extends Options>(
  args: readonly string[],
  options: Named,
): Values<Named> | Wrong {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const text = errorMessage(error);
    const unknown = /^Unknown option '([^']+)'/.exec(text)?.[1];
    if (unknown === undefined) return { wrong: text.split('\n')[0] ?? text };
    return {
      wrong: unknownName(
        'option',
        unknown,
        Object.keys(options).map((name) => `--${name}`),
      ),
    };
  }
}

/** `Unknown command "swep". Did you mean "sweep"?` */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return `Unknown ${what} "${name}".${nearest === undefined ? '' : ` Did you mean "${nearest}"?`}`;
}

/** What goes to stderr instead of a page of help. */
export function hintAtHelp(wrong: string, command = ''): string {
  return `${wrong}\nMore by: endframe ${command}${command && ' '}--help\n`;
}
