/** endframe: a Pipecat-style frame pipeline. */

export { EndframeError, InvalidOptionError, PipelineError } from './errors.ts';
export type { Logger } from './logger.ts';
