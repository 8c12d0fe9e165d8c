/**
 * A bot in a process of its own: says a tone and ends, as the first argument says, with a plain task or with a
 * runner. Prints what happened; leaves the exit to Node.
 */

import { TTSAudioRawFrame } from '../../../src/frames/audio.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { PipelineRunner } from '../../../src/pipeline/pipeline-runner.ts';
import { PipelineTask } from '../../../src/pipeline/pipeline-task.ts';
import { LiveKitTransport } from '../../../src/transports/livekit/livekit-transport.ts';

const [mode = 'end', times = '1'] = process.argv.slice(2);

function print(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}

async function session(): Promise<void> {
  const transport = new LiveKitTransport({ params: { audioInEnabled: true, audioOutEnabled: true } });
  const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]));
  transport.outcome$.subscribe(({ status, error }) => print({ outcome: status, error: error?.message }));
  task.on('started', () => {
    print({ started: transport.roomName });
    const audio = new Int16Array(24 * 400).fill(1_000);
    task.queueFrame(new TTSAudioRawFrame({ audio, sampleRate: 24_000, numChannels: 1 }));
    if (mode === 'end') task.queueFrame(new EndFrame());
    if (mode === 'cancel') setTimeout(() => task.cancel(), 200);
  });
  const [result] = await new PipelineRunner().run(task);
  print({ reason: result?.reason, forced: result?.forced });
}

for (let time = 0; time < Number(times); time += 1) await session();
print({ done: true });
