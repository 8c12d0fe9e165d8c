/** `endframe sweep` in a process of its own, whose calendar may be wrong by `SHIFT_MS`. */

const shiftMs = Number(process.env.SHIFT_MS ?? 0);
const realNow = Date.now;
Date.now = () => realNow() + shiftMs;

const { sweepCommand } = await import('../../src/cli/sweep.ts');
process.exitCode = await sweepCommand(process.argv.slice(2));

export {};
